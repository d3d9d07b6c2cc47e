"""Three gateways as processes, one budget in a real Redis: what dies, comes back, or does not.

A file of its own, because it takes two minutes of waiting: `--dist loadfile` gives it a process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

import servers
from gateway.budget_parts import MICRO, answers, asks, callers, upstream, write_books
from gateway.test_supervise import Folder
from tallybook.gateway.counters import Counters
from tallybook.gateway.ship import once
from tallybook.sdk.counters import Health
from tallybook.store import Store

CALL_NANO = 100 * MICRO
OUTAGE_S = 60
CALLS_A_SECOND = 8


async def _soon(_body):
    await asyncio.sleep(0.02)
    return answers()


@pytest.fixture
def redis():
    with servers.own_redis(keeps=True) as server:
        yield server


def nodes_of(tmp_path, provider, redis, limit, **changes):
    """Three gateways of one worker each, with one budget."""
    row = f"feature: refund-bot, monthly: {limit}, over: stop"
    made = []
    for name in "abc":
        (tmp_path / name).mkdir()
        write_books(tmp_path / name / "books", row)
        budgets = {"server": redis.url, "nodes": 3, "wait_s": 1}
        made.append(Folder(tmp_path / name, provider, books="books", budgets=budgets, **changes))
    return made


def spent_of(nodes):
    """What the events of all nodes say that calls cost; each used the same."""
    return sum(CALL_NANO for node in nodes for event in node.events() if event.get("tokens"))


def take_the_rest(nodes):
    """Callers that come back until nothing is left; the statuses of their answers."""
    gateways = [(node.port, node.secret) for node in nodes]
    every, dry = [], 0
    while dry < 3:
        found = asyncio.run(callers(gateways, 6, asks(), times=4))
        every += found
        dry = 0 if 200 in found else dry + 1
    return every


def wait_for_each_other(nodes):
    """Wait until every node lets a call in: before it heard of the others it may draw nothing."""
    end_s = time.monotonic() + 10
    for node in nodes:
        while asyncio.run(callers([(node.port, node.secret)], 1, asks())) != [200]:
            assert time.monotonic() < end_s
            time.sleep(0.05)


def kill_whole(process):
    """Kill -9, the parent and all that it started: the machine is gone."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_a_gateway_that_is_killed_takes_little_with_it_and_brings_it_back(tmp_path, redis):
    limit_nano = 60_000_000  # 600 calls' worth
    with upstream(_soon) as provider, ExitStack() as held:
        nodes = nodes_of(tmp_path, provider, redis, "0.06")
        others = nodes[:2]
        for node in others:
            held.enter_context(node.running())
        with nodes[2].running() as lost:
            wait_for_each_other(nodes)
            gateways = [(node.port, node.secret) for node in nodes]
            assert set(asyncio.run(callers(gateways, 12, asks(), times=8))) == {200}
            kill_whole(lost)
        take_the_rest(others)
        spent_nano = spent_of(nodes)
        assert limit_nano * 9 // 10 < spent_nano <= limit_nano
        with nodes[2].running():
            pass  # started where it was, and stopped: what it held is there for the others
        take_the_rest(others)
        assert limit_nano * 98 // 100 < spent_of(nodes) <= limit_nano


@contextmanager
def paced(nodes):
    """Calls at an even pace, the nodes in turn; the statuses of their answers so far."""
    found: list[int] = []
    stop = threading.Event()

    def run(node):
        while not stop.wait(len(nodes) / CALLS_A_SECOND):
            with suppress(OSError):
                found.extend(asyncio.run(callers([(node.port, node.secret)], 1, asks())))

    threads = [threading.Thread(target=run, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def test_without_the_budget_server_and_the_store_for_a_minute_limits_hold_and_nothing_is_lost(
    tmp_path, redis
):
    """Nodes go on within what they drew; when both are back the rest is spent and all is shipped."""
    limit_nano = 30_000_000  # 300 calls' worth
    home = tmp_path / "home"
    with (
        servers.own_postgres() as postgres,
        servers.postgres_database(postgres.address) as url,
        upstream(_soon) as provider,
    ):
        with closing(Store.create(home, url)):
            nodes = nodes_of(tmp_path, provider, redis, "0.03", ship_to=f"books:{home}")
        with ExitStack() as held:
            for node in nodes:
                held.enter_context(node.running())
            with paced(nodes) as found:
                time.sleep(5)
                redis.kill()
                postgres.kill()
                before = len(found)
                time.sleep(OUTAGE_S)
                during = found[before:]
                redis.start()
                postgres.start()
                back = len(found)
                time.sleep(10)
                after = found[back:]
            found += take_the_rest(nodes)
        for node in nodes:  # what waits when they stop is shipped at the next start
            assert once(node.config, Counters(1).row(0), Health())
        with closing(Store.open(home)) as store, store.read() as tx:
            kept = tx.scalar("SELECT COUNT(*) FROM claim")
    assert {200, 503} <= set(during) <= {200, 429, 503}
    assert 200 in after
    assert kept == found.count(200)
    assert limit_nano * 9 // 10 < kept * CALL_NANO <= limit_nano
