"""A gateway in this process, in a thread of its own, in front of a provider of the tests."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any, Self

import uvloop

from gateway.provider import Provider
from tallybook.gateway.config import read_config
from tallybook.gateway.counters import Counters
from tallybook.gateway.keyring import issue
from tallybook.gateway.model import VirtualKey
from tallybook.gateway.worker import listen, serving
from tallybook.meter.read import read_event

REAL = "sk-real-provider-key-0123456789"
AWS = "AKIDEXAMPLE:aws-secret-of-the-company:aws-session-token"


def key(name: str = "vk", **changes: Any) -> VirtualKey:
    plain = {"teams": ("support",), "features": ("refund-bot",), "purposes": ("production",)}
    return VirtualKey(id=name, digest="", hint="", issued_us=1, **{**plain, **changes})


def config_text(provider: Provider, **changes: Any) -> str:
    """A configuration with an upstream of each kind, all the same provider; JSON is YAML."""
    kinds = ("openai", "azure", "anthropic", "bedrock", "gemini", "vertex")
    each = changes.pop("each", {})
    upstreams = [
        {
            "name": kind,
            "kind": kind,
            "url": provider.url,
            "key_file": "aws.secret" if kind == "bedrock" else "real.secret",
            **({"region": "us-east-1"} if kind == "bedrock" else {}),
            **each,
            **changes.pop(kind, {}),
        }
        for kind in kinds
    ]
    plain = {
        "listen": "127.0.0.1:0",
        "workers": 1,
        "spool": "spool",
        "keys": "keys.json",
        "default": "openai",
        "upstreams": upstreams + changes.pop("more", []),
    }
    return json.dumps({**plain, **changes})


class Running:
    """The gateway, while the block lasts."""

    def __init__(self, folder: Path, provider: Provider, **changes: Any) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "real.secret").write_text(REAL + "\n")
        (folder / "aws.secret").write_text(AWS)
        self.path = folder / "gateway.yaml"
        limits = changes.pop("limits_s", {})
        self.path.write_text(config_text(provider, **changes))
        self.config = read_config(self.path)
        for name, value in limits.items():  # shorter than a file may say
            object.__setattr__(self.config.limits, name, value)
        self.secret = issue(self.config.keys, key())

    def issue(self, name: str, **changes: Any) -> str:
        secret = issue(self.config.keys, key(name, **changes))
        if hasattr(self, "works"):
            self.works.keys.refresh()
        return secret

    def __enter__(self) -> Self:
        self.listening = listen(self.config, 1)[0]
        self.port = self.listening.getsockname()[1]
        ready = threading.Event()
        self._failure: list[BaseException] = []

        async def main() -> None:
            self._stop = asyncio.Event()
            self.loop = asyncio.get_running_loop()
            async with serving(self.config, self.listening, Counters(2), 0) as self.works:
                ready.set()
                await self._stop.wait()

        def run() -> None:
            try:
                uvloop.run(main())
            except BaseException as error:  # noqa: BLE001 - the thread of the test asks for it
                self._failure.append(error)
                ready.set()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        ready.wait(20)
        assert not self._failure, self._failure
        return self

    def __exit__(self, *_args: object) -> None:
        self.stop()
        self._thread.join(20)
        self.listening.close()
        assert not self._thread.is_alive()
        assert not self._failure, self._failure

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)

    def counts(self) -> dict[str, int]:
        return {name: count for name, count in self.works.table.totals().items() if count}

    def open(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def ask(
        self,
        path: str,
        body: Any = None,
        method: str = "POST",
        secret: str | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own; names of headers with ``_`` for ``-``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {"authorization": f"Bearer {self.secret if secret is None else secret}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        if isinstance(body, dict):
            sent.setdefault("content-type", "application/json")
        try:
            connection.request(method, path, data, sent)
            found = connection.getresponse()
            return (
                found.status,
                {name.lower(): value for name, value in found.getheaders()},
                found.read(),
            )
        finally:
            connection.close()

    def settled(self, count: int = 1) -> list[dict[str, Any]]:
        """The events so far, when there are so many and no call is under way; each can be read."""
        end_s = time.monotonic() + 15
        while time.monotonic() < end_s:
            if self.works.ledger.under_way == 0 and len(self.events()) >= count:
                break
            time.sleep(0.01)
        found = self.events()
        assert len(found) == count, found
        for event in found:
            read_event(event)
        return found

    def events(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self.config.spool.glob("*")):
            if path.is_file():
                found += [json.loads(line) for line in path.read_bytes().splitlines()]
        return found


def everything_in(folder: Path) -> bytes:
    """Every byte that a gateway left in a folder, but the files of the real credentials."""
    return b"".join(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".secret"
    )
