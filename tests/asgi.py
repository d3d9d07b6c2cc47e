"""Requests straight into an application, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def lived(app):
    """The application between its start and its end."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    living = asyncio.ensure_future(
        app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put)
    )
    for phase in ("startup", "shutdown"):
        await to_app.put({"type": f"lifespan.{phase}"})
        told = await from_app.get()
        assert told["type"] == f"lifespan.{phase}.complete", told
        if phase == "startup":
            yield
    await living


async def ask(
    app,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    *chunks: bytes,
    hang_up: bool = False,
) -> Answer:
    """One request; who hangs up does so before the last piece."""
    parts = list(chunks or (b"",))
    answer: list[Any] = []

    async def receive():
        if not parts:
            return {"type": "http.disconnect"}
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts) or hang_up}

    async def send(message):
        answer.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.partition("?")[0],
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
    }
    await app(scope, receive, send)
    start, *rest = answer
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], named, b"".join(one.get("body", b"") for one in rest))


def asked(app, *requests):
    """The answers to requests, each ``(method, path, headers, *chunks)``, one after the other."""

    async def all_of_them():
        async with lived(app):
            return [await ask(app, *one) for one in requests]

    return asyncio.run(all_of_them())
