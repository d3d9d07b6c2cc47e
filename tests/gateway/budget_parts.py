"""Books with budgets, and gateways that hold calls to them."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from gateway.running import Running
from tallybook.clock import SystemClock
from tallybook.gateway.steward import Steward
from tallybook.sdk.counters import Health

CHAT = "/v1/chat/completions"
ORG = """\
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units:
  - {id: commerce, name: Commerce, legal_entity: acme-us}
teams:
  - {id: support, unit: commerce, cost_center: "4711"}
  - {id: search, unit: commerce, cost_center: "4712"}
features:
  - {id: refund-bot, team: support}
  - {id: triage, team: support}
  - {id: find, team: search}
unowned: {team: search}
"""
POLICY = "versions:\n  - {effective_from: 2020-01, default: {model: showback}}\n"
PRICES = """\
contracts:
  - {contract: c, provider: openai, model: plain,
     per_million_tokens: {input_uncached: "1.00", cache_read: "1.00", output: "1.00"}}
  - {contract: c, provider: openai, model: plain, tier: batch,
     per_million_tokens: {input_uncached: "1.00", cache_read: "1.00", output: "1.00"}}
  - {contract: c, provider: openai, model: cheap,
     per_million_tokens: {input_uncached: "0.10", cache_read: "0.10", output: "0.10"}}
"""
"""A dollar for a million tokens, whichever: a token is a micro-dollar."""
DOLLAR = 10**9
MICRO = 1000


def write_books(folder: Path, *rows: str, default: str = "") -> Path:
    """Policy files whose budgets are these rows; no month stands in them."""
    folder.mkdir(exist_ok=True)
    lines = "".join(f"  - {{{row}, from: 2020-01}}\n" for row in rows)
    budgets = (f"default: {{{default}}}\n" if default else "") + f"budgets:\n{lines}"
    files = {"org": ORG, "policy": POLICY, "prices": PRICES, "budgets": budgets}
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def asks(tokens: int = 100, model: str = "plain", **more: Any) -> dict[str, Any]:
    """A request that states how many tokens may be answered."""
    return {"model": model, "messages": [], "max_tokens": tokens, **more}


def answers(
    tokens: int = 60, model: str = "plain", read: int = 40, tier: str | None = None
) -> bytes:
    """An answer that used so many."""
    usage = {"prompt_tokens": read, "completion_tokens": tokens, "total_tokens": read + tokens}
    told = {"id": "r", "object": "chat.completion", "model": model, "choices": [], "usage": usage}
    return json.dumps(told | ({"service_tier": tier} if tier else {})).encode()


class Budgeted(Running):
    """A gateway in this process with a steward beside it."""

    def __init__(self, folder: Path, provider: Any, *rows: str, **changes: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        default = changes.pop("default", "")
        self.books = write_books(folder / "books", *rows, default=default)
        budgets = changes.pop("budgets", {})
        (folder / "keys.json").unlink(missing_ok=True)  # a second start issues the key anew
        super().__init__(folder, provider, books="books", budgets=budgets, **changes)
        self.steward = Steward(self.config, SystemClock(), Health())
        self.steward.publish(strict=True)
        self._ends = threading.Event()
        self._steps = threading.Thread(target=self._step, daemon=True)

    def _step(self) -> None:
        while not self._ends.wait(0.02):
            self.steward.step()

    def __enter__(self) -> Self:
        self._steps.start()
        super().__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        self._ends.set()
        self._steps.join(20)
        self.steward.close()

    def budgets(self, *rows: str, default: str = "") -> None:
        """Other budgets from now on."""
        write_books(self.books, *rows, default=default)
        self.steward.publish(strict=True)
        asyncio.run_coroutine_threadsafe(self._tend(), self.loop).result(10)

    async def _tend(self) -> None:
        self.works.budgets.tend()

    def notices(self) -> list[dict[str, Any]]:
        folder = self.config.spool.with_name("spool.notices")
        found = []
        for path in sorted(folder.glob("*")):
            found += [json.loads(line) for line in path.read_bytes().splitlines()]
        return found

    def spent_nano(self) -> int:
        """What the events say that calls cost: a token is a micro-dollar, a cheap one a tenth."""
        nano = 0
        for event in self.events():
            tokens = sum((event.get("tokens") or {}).values())
            nano += tokens * (MICRO // 10 if event["model"] == "cheap" else MICRO)
        return nano


@contextmanager
def upstream(handler: Any):
    """A provider of many connections at once: ``await handler(body) -> bytes``, in a thread."""
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                low = head.lower()
                start = low.index(b"content-length:") + 15
                length = int(low[start : low.index(b"\r\n", start)])
                body = await handler(await reader.readexactly(length))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
                )
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=2048)
        found["loop"], found["ends"] = asyncio.get_running_loop(), asyncio.Event()
        found["port"] = server.sockets[0].getsockname()[1]
        ready.set()
        await found["ends"].wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield type("Upstream", (), {"url": f"http://127.0.0.1:{found['port']}"})()
    finally:
        found["loop"].call_soon_threadsafe(found["ends"].set)
        thread.join(10)


async def callers(
    gateways: list[tuple[int, str]],
    count: int,
    body: dict[str, Any],
    *,
    times: int = 1,
    tags: dict[str, str] | None = None,
) -> list[int]:
    """So many callers at once, each on a connection of its own; the status of every answer.

    Args:
        gateways: port, and the secret of a key, of each; callers are dealt out among them.
        count: of the callers.
        body: of their requests.
        times: how often each asks.
        tags: that each sends.
    """
    data = json.dumps(body).encode()
    told = "".join(f"x-tallybook-{name}: {value}\r\n" for name, value in (tags or {}).items())

    def request(secret: str) -> bytes:
        return (
            b"POST %b HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer %b\r\n"
            b"%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (CHAT.encode(), secret.encode(), told.encode(), len(data), data)
        )

    async def one(number: int) -> list[int]:
        found = []
        port, secret = gateways[number % len(gateways)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for _ in range(times):
                writer.write(request(secret))
                head = await reader.readuntil(b"\r\n\r\n")
                low = head.lower()
                start = low.index(b"content-length:") + 15
                await reader.readexactly(int(low[start : low.index(b"\r\n", start)]))
                found.append(int(head.split(b" ", 2)[1]))
        except (asyncio.IncompleteReadError, ConnectionError):
            found.append(0)
        finally:
            writer.close()
        return found

    lists = await asyncio.gather(*(one(number) for number in range(count)))
    return [status for each in lists for status in each]
