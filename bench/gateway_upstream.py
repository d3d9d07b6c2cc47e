"""A provider for measuring: answers at once. ``PORT [CERT KEY]``.

No two answers in a row have the same ids and figures, as in life: who keeps what it has read before
gains nothing.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from itertools import cycle
from typing import cast

import uvloop

CHUNKS = 60
PAUSE_S = 0.002


def _usage(number: int) -> dict[str, object]:
    return {
        "prompt_tokens": 400 + number,
        "completion_tokens": 60,
        "total_tokens": 460 + number,
        "prompt_tokens_details": {"cached_tokens": 2 * number, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _json(number: int) -> bytes:
    said = {"role": "assistant", "content": "word " * 280}
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    body = json.dumps(
        {
            "id": f"chatcmpl-bench{number:06}",
            "object": "chat.completion",
            "created": 1_790_000_000 + number,
            "model": "gpt-4o-2024-08-06",
            "choices": [choice],
            "usage": _usage(number),
            "service_tier": "default",
        }
    ).encode()
    lines = [
        "HTTP/1.1 200 OK",
        f"Date: Sun, 22 Nov 2026 10:00:{number % 60:02} GMT",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: keep-alive",
        f"X-Request-Id: req_bench{number:06}",
        f"OpenAI-Processing-Ms: {300 + number}",
        "OpenAI-Version: 2020-10-01",
        f"X-RateLimit-Remaining-Requests: {9000 - number}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _chunks(number: int) -> list[bytes]:
    base = {
        "id": f"chatcmpl-bench{number:06}",
        "object": "chat.completion.chunk",
        "model": "gpt-4o-2024-08-06",
    }
    delta = [{"index": 0, "delta": {"content": "word"}, "finish_reason": None}]
    events: list[dict[str, object]] = [
        {**base, "choices": delta, "usage": None} for _ in range(CHUNKS - 2)
    ]
    events.append({**base, "choices": [], "usage": _usage(number)})
    lines = [f"data: {json.dumps(one, separators=(',', ':'))}\n\n" for one in events]
    return [b"%x\r\n%b\r\n" % (len(one), one.encode()) for one in [*lines, "data: [DONE]\n\n"]]


JSON, STREAM = _json(0), _chunks(0)
JSONS = cycle([_json(number) for number in range(97)])
STREAMS = cycle([_chunks(number) for number in range(97)])
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


class Answering(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._held = b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while True:
            head, found, rest = self._held.partition(b"\r\n\r\n")
            if not found:
                return
            _, _, length = head.lower().partition(b"content-length:")
            size = int(length.split(b"\r\n", 1)[0] or 0)
            if len(rest) < size:
                return
            body, self._held = rest[:size], rest[size:]
            if b'"paced"' in body:
                asyncio.ensure_future(self._paced())  # noqa: RUF006 - ends by itself
            elif b'"stream"' in body:
                asyncio.ensure_future(self._stream())  # noqa: RUF006 - ends by itself
            else:
                self._transport.write(next(JSONS))

    async def _paced(self) -> None:
        """A stream of chunks that come one by one, each with the moment at which it is sent."""
        *chunks, done = next(STREAMS)
        self._transport.write(STREAM_HEAD)
        for one in chunks:
            await asyncio.sleep(PAUSE_S)
            event = one.partition(b"\r\n")[2][:-2]
            told = event.replace(b'{"id"', b'{"sent_ns":%d,"id"' % time.monotonic_ns(), 1)
            self._transport.write(b"%x\r\n%b\r\n" % (len(told), told))
        self._transport.write(done + b"0\r\n\r\n")

    async def _stream(self) -> None:
        first, *rest = next(STREAMS)
        self._transport.write(STREAM_HEAD + first)
        for one in rest:
            await asyncio.sleep(0)
            self._transport.write(one)
        self._transport.write(b"0\r\n\r\n")


async def _serve(port: int, tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", port, ssl=tls, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    uvloop.run(_serve(int(sys.argv[1]), context))
