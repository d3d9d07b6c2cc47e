"""Makes what servers send: frames of an event stream, server-sent events."""

from __future__ import annotations

import base64
import json
import struct
import zlib


def frame(kind, payload, headers=None):
    """One frame of ``application/vnd.amazon.eventstream``."""
    if headers is None:
        headers = b"".join(
            bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(value)) + value
            for name, value in (
                (b":event-type", kind.encode()),
                (b":message-type", b"exception" if kind == "exception" else b"event"),
            )
        )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def chunk(event):
    """An event of InvokeModelWithResponseStream: base64 inside JSON."""
    packed = base64.b64encode(json.dumps(event).encode()).decode()
    return frame("chunk", json.dumps({"bytes": packed, "p": "abcd"}).encode())


def sse(*events, done=False):
    """Server-sent events; ``done`` adds the mark of Chat Completions."""
    told = [json.dumps(event) for event in events] + (["[DONE]"] if done else [])
    return "".join(f"data: {each}\n\n" for each in told).encode()
