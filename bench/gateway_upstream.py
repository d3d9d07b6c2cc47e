"""A provider for measuring: answers at once, the same bytes each time. ``PORT [CERT KEY]``."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import cast

import uvloop

CHUNKS = 60


def _json() -> bytes:
    usage = {"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460}
    said = {"role": "assistant", "content": "word " * 280}
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    body = json.dumps(
        {
            "id": "chatcmpl-bench",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-2024-08-06",
            "choices": [choice],
            "usage": usage,
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"X-Request-Id: req_bench\r\n\r\n" + body


def _chunks() -> list[bytes]:
    base = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "model": "gpt-4o"}
    delta = [{"index": 0, "delta": {"content": "word"}, "finish_reason": None}]
    events: list[dict[str, object]] = [
        {**base, "choices": delta, "usage": None} for _ in range(CHUNKS - 2)
    ]
    usage = {"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460}
    events.append({**base, "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(one, separators=(',', ':'))}\n\n" for one in events]
    return [b"%x\r\n%b\r\n" % (len(one), one.encode()) for one in [*lines, "data: [DONE]\n\n"]]


JSON, STREAM = _json(), _chunks()
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
            if b'"stream"' in body:
                asyncio.ensure_future(self._stream())  # noqa: RUF006 - ends by itself
            else:
                self._transport.write(JSON)

    async def _stream(self) -> None:
        self._transport.write(STREAM_HEAD + STREAM[0])
        for one in STREAM[1:]:
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
