"""One process of the gateway: a loop, its connections, and the clock that tends them."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import uvloop

from tallybook.budget.book import Book
from tallybook.budget.hold import Holder
from tallybook.clock import Clock, SystemClock
from tallybook.errors import TallybookError
from tallybook.gateway.budgets import Budgets
from tallybook.gateway.call import Ledger
from tallybook.gateway.client import Client
from tallybook.gateway.counters import Counters
from tallybook.gateway.desk import Desk
from tallybook.gateway.journal import Journal
from tallybook.gateway.keyring import Keyring
from tallybook.gateway.model import GatewayConfig
from tallybook.gateway.notices import Notices, notices_of
from tallybook.gateway.pending import Pending
from tallybook.gateway.prices import PriceTable, table_of
from tallybook.gateway.published import Published, folder_of
from tallybook.gateway.secret import Credential
from tallybook.gateway.works import Works
from tallybook.sdk.counters import Health

LOG: Final = logging.getLogger("tallybook.gateway")
_TEND_S: Final = 0.5
_SYNC_S: Final = 0.1
_BACKLOG: Final = 1024
_GARBAGE: Final = 20_000


def make_works(
    config: GatewayConfig,
    table: Counters,
    row: int,
    *,
    time: Callable[[], float],
    soon: Callable[[Callable[[], None]], object],
) -> Works:
    """Everything that connections share, read and opened.

    Raises:
        TallybookError: keys, credentials or prices cannot be read.
    """
    clock, health, counters = SystemClock(), Health(), table.row(row)
    keys = Keyring(config.keys)
    credentials = {one.name: Credential(one) for one in config.upstreams}
    prices = prices_of(config) if config.policy.cost_header else None
    journal = Journal(config.spool, bound_bytes=config.spool_bytes, health=health)
    pending = Pending(config.spool.with_name(config.spool.name + ".pending"))
    ledger = Ledger(journal, pending, clock=clock, counters=counters, health=health)
    ledger.budgets = budgets_of(config, pending, clock=clock, time=time, health=health)
    return Works(
        config=config,
        desk=Desk(config, keys, ledger, clock),
        ledger=ledger,
        clock=clock,
        counters=counters,
        table=table,
        health=health,
        time=time,
        soon=soon,
        credentials=credentials,
        prices=prices,
        budgets=ledger.budgets,
        keys=keys,
        journal=journal,
    )


def prices_of(config: GatewayConfig) -> PriceTable:
    """What answers are said to cost: by the prices that budgets count by, where they are held.

    Raises:
        TallybookError: they cannot be read.
    """
    if config.budgets is not None:
        return Published(folder_of(config.spool)).prices()
    return table_of(config.books)


def budgets_of(
    config: GatewayConfig,
    pending: Pending,
    *,
    clock: Clock,
    time: Callable[[], float],
    health: Health,
) -> Budgets | None:
    """What holds calls to the budgets; None where the configuration asks for no such thing.

    Raises:
        OSError: the book of the node cannot be opened.
    """
    policy = config.budgets
    if policy is None:
        return None
    is_shared = bool(policy.server or policy.server_env)
    published = Published(folder_of(config.spool))
    published.refresh()
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    return Budgets(
        policy,
        Holder(Book(folder_of(config.spool)), name, is_shared=is_shared),
        published,
        Notices(notices_of(config.spool), health),
        pending,
        clock=clock,
        time=time,
        health=health,
    )


def tls_of(config: GatewayConfig) -> ssl.SSLContext | None:
    """The gateway's own certificate; None without."""
    if config.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(config.certificate, config.private_key)
    return context


@asynccontextmanager
async def serving(
    config: GatewayConfig, listening: socket.socket, table: Counters, row: int
) -> AsyncIterator[Works]:
    """Take connections while the block lasts; then finish what is under way."""
    loop = asyncio.get_running_loop()
    works = make_works(config, table, row, time=loop.time, soon=loop.call_soon)
    server = await loop.create_server(
        lambda: Client(works), sock=listening, ssl=tls_of(config), backlog=_BACKLOG
    )
    tending = [asyncio.ensure_future(_tend(works)), asyncio.ensure_future(_sync(works))]
    try:
        yield works
        server.close()
        await _drain(works)
    finally:
        for one in tending:
            one.cancel()
        await asyncio.gather(*tending, return_exceptions=True)
        for pool in works.pools.values():
            pool.close()
        works.turn.end()
        works.journal.close()
        if works.budgets is not None:
            works.budgets.close()


async def _until_told(
    config: GatewayConfig, listening: socket.socket, table: Counters, row: int, parent: int
) -> None:
    gc.collect()
    gc.freeze()  # what is there now stays; only what calls leave behind is looked through
    gc.set_threshold(_GARBAGE)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(config, listening, table, row):
        while not stop.is_set() and os.getppid() == parent:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2 * _TEND_S)


async def _drain(works: Works) -> None:
    """Finish what is under way; connections that are idle are closed a little later."""
    works.stopping = True
    deadline_s = works.time() + works.limits.stop_s
    while works.time() < deadline_s:
        await asyncio.sleep(_SYNC_S)
        if not (works.clients or works.exchanges):
            break
    for exchange in list(works.exchanges):
        exchange.stop()


async def _tend(works: Works) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_TEND_S)
        with works.health.guarded("tend"):
            now_s = works.time()
            for exchange in list(works.exchanges):
                if now_s > exchange.deadline_s:
                    exchange.late()
            for client in list(works.clients):
                client.tend(now_s, stopping=works.stopping)
            for pool in works.pools.values():
                pool.tend()
            works.journal.tend()
            if works.budgets is not None:
                works.budgets.tend()
            _count(works)
            await _refresh(works, loop)


async def _refresh(works: Works, loop: asyncio.AbstractEventLoop) -> None:
    """Keys and credentials that changed; what cannot be read leaves the old ones in force."""
    try:
        if works.keys.refresh():
            LOG.info("keys read again")
    except TallybookError as error:
        works.health.warn("keys", str(error))
    for name, credential in works.credentials.items():
        try:
            if credential.is_slow:
                await loop.run_in_executor(None, credential.refresh)
            else:
                credential.refresh()
        except TallybookError as error:
            works.health.warn(f"credential {name}", str(error))


def _count(works: Works) -> None:
    counts = works.health.counts()
    works.counters.publish()
    works.counters.put("faults", counts.get("failed", 0))
    works.counters.put("under_way", works.ledger.under_way)
    works.counters.put("clients", len(works.clients))
    works.ready = not works.journal.is_late


async def _sync(works: Works) -> None:
    """Bring events to the disk ten times a second, beside the traffic."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_SYNC_S)
        try:
            await loop.run_in_executor(None, works.journal.sync)
        except OSError as error:
            works.health.failed("sync", error)


def run(
    config: GatewayConfig, listening: socket.socket, table: Counters, row: int, parent: int
) -> None:
    """Serve until told to stop (SIGTERM), or until the parent is gone."""
    with suppress(KeyboardInterrupt):
        uvloop.run(_until_told(config, listening, table, row, parent))


def listen(config: GatewayConfig, count: int) -> Sequence[socket.socket]:
    """One socket for each process, all on one address: the kernel spreads connections.

    Raises:
        OSError: the address is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    made: list[socket.socket] = []
    port = config.port
    try:
        for _ in range(count):
            one = socket.socket(family, socket.SOCK_STREAM)
            made.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind((config.host, port))
            port = one.getsockname()[1]
            one.listen(_BACKLOG)
            one.setblocking(False)
    except OSError:
        for one in made:
            one.close()
        raise
    return made
