"""A local server that answers as the APIs of OpenAI and Anthropic do, with fixed figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any

CHAT_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 600, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
}
RESPONSES_USAGE = {
    "input_tokens": 900,
    "input_tokens_details": {"cached_tokens": 500},
    "output_tokens": 40,
    "output_tokens_details": {"reasoning_tokens": 10},
    "total_tokens": 940,
}
CLAUDE_USAGE = {
    "input_tokens": 3,
    "cache_creation_input_tokens": 418,
    "cache_read_input_tokens": 1111,
    "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 18},
    "output_tokens": 33,
    "service_tier": "standard",
}
PLACEHOLDER = 2
"""What Anthropic's first event of a stream says of the output, before there is any."""


def _chat(asked: dict[str, Any]) -> tuple[str, bytes]:
    base = {"id": "chatcmpl-1", "created": 1790900000, "model": "gpt-5-2025-08-07"}
    if not asked.get("stream"):
        message = {"role": "assistant", "content": "hello", "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
        body = {"object": "chat.completion", "choices": [choice], "usage": CHAT_USAGE}
        return "application/json", json.dumps({**base, **body, "service_tier": "flex"}).encode()
    told = bool((asked.get("stream_options") or {}).get("include_usage"))
    base |= {"id": "chatcmpl-2" if told else "chatcmpl-3", "object": "chat.completion.chunk"}
    delta = {"index": 0, "delta": {"role": "assistant", "content": "hello"}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    chunks = [{**base, "choices": [delta]}, {**base, "choices": [end]}]
    if told:
        chunks.append({**base, "choices": [], "usage": CHAT_USAGE})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]).encode()


def _responses(_asked: dict[str, Any]) -> tuple[str, bytes]:
    text = {"type": "output_text", "text": "hello", "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant"}
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790900000,
        "status": "completed",
        "model": "gpt-5-2025-08-07",
        "output": [{**message, "content": [text]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSES_USAGE,
    }
    return "application/json", json.dumps(body).encode()


def _embeddings(_asked: dict[str, Any]) -> tuple[str, bytes]:
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }
    return "application/json", json.dumps(body).encode()


def _messages(asked: dict[str, Any]) -> tuple[str, bytes]:
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": CLAUDE_USAGE,
    }
    if not asked.get("stream"):
        return "application/json", json.dumps(message).encode()
    begun = {**CLAUDE_USAGE, "output_tokens": PLACEHOLDER}
    start = {**message, "id": "msg_02", "content": [], "stop_reason": None, "usage": begun}
    text = {"type": "text_delta", "text": "hello"}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 33}},
        {"type": "message_stop"},
    ]
    lines = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events]
    return "text/event-stream", "".join(lines).encode()


_ANSWERS = {
    "/v1/chat/completions": _chat,
    "/v1/responses": _responses,
    "/v1/embeddings": _embeddings,
    "/v1/messages": _messages,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    numbers: Iterator[int] | None = None

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        kind, body = _ANSWERS[self.path.partition("?")[0]](asked)
        if self.numbers:
            body = body.replace(b'"chatcmpl-1"', f'"chatcmpl-{next(self.numbers)}"'.encode())
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", "req_1")
        self.send_header("request-id", "req_2")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Tests are quiet."""


class _Numbering(_Handler):
    numbers = count(1000)


@contextmanager
def answering(*, numbered: bool = False) -> Iterator[str]:
    """The address of the server, while the block lasts.

    Args:
        numbered: every chat completion has an id of its own.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Numbering if numbered else _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
