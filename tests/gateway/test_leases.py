"""Budgets that nodes share through a real Redis: never over, whoever dies and whatever forgets."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress

import pytest

import servers
from gateway.budget_parts import MICRO, Budgeted, answers, asks, callers, upstream
from tallybook.budget.book import Book
from tallybook.budget.hold import Holder
from tallybook.budget.limits import Limits
from tallybook.budget.model import Estimate, Limit
from tallybook.clock import Period, SystemClock
from tallybook.gateway.leases import Server
from tallybook.gateway.model import BudgetPolicy
from tallybook.sdk.counters import Health

OCTOBER = Period.parse("2026-10")
ACCOUNT = "2026-10/feature:bot"
MONTH = Limits(period=OCTOBER, from_us=0, to_us=2**62)
LIMIT = 1_000_000


@pytest.fixture
def redis():
    with servers.own_redis(keeps=True) as server:
        yield server


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """The first node of all waits less for others."""
    monkeypatch.setattr("tallybook.gateway.leases._FIRST_MS", 200)


class Node:
    """A node with one process and a steward that is stepped by hand."""

    def __init__(self, folder, url, **policy):
        self.book = Book(folder)
        self.holder = Holder(Book(folder), f"w{time.monotonic_ns()}", is_shared=True)
        made = BudgetPolicy(**{"lease_s": 300, **policy})
        self.server = Server(url, self.book, made, SystemClock(), Health())

    def step(self):
        self.server.exchange([MONTH])

    def until(self, what, seconds=8.0):
        end_s = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end_s
            self.step()
            time.sleep(0.005)

    def ask(self, need, nano=LIMIT, tries=2):
        limit = Limit(scope="feature", subject="bot", period=OCTOBER, limit_nano=nano, over="stop")
        room = self.holder.room_of(limit)
        for _ in range(tries):
            if not self.holder.draw([room], need, [nano]):
                found = self.holder.reserve([room], Estimate(need, need))
                if found:
                    return found
            self.step()
        return None

    def ready(self):
        self.until(lambda: self.server._may_draw)
        return self

    def leave(self):
        self.holder.tend()
        self.holder.close()
        self.server.close()
        self.book.close()


@pytest.fixture
def node(tmp_path, redis):
    made = []

    def start(name, **policy):
        made.append(Node(tmp_path / name, redis.url, **policy))
        return made[-1]

    yield start
    for one in made:
        with suppress(OSError, ValueError):
            one.leave()


def test_nodes_that_draw_from_one_budget_never_hold_more_than_it(node):
    nodes = [node(name).ready() for name in "abc"]
    spent = 0
    for turn in range(4000):
        one = nodes[turn % 3]
        held = one.ask(900)
        if held is None:
            break
        one.holder.settle(held, 700)
        spent += 700
    for one in nodes:  # what each still has is given back, and the others take it
        for _ in range(3):
            one.holder.tend()
    assert spent <= LIMIT
    assert spent > LIMIT * 9 // 10


def test_a_node_that_is_lost_takes_its_slice_and_no_more(node):
    lost, other = node("lost").ready(), node("other").ready()
    lost.holder.settle(lost.ask(1000), 400)
    lost.step()
    lost_nano = lost.book.ceilings[ACCOUNT]
    spent = 0
    while held := other.ask(1000):
        other.holder.settle(held, 1000)
        spent += 1000
    assert spent + lost_nano <= LIMIT
    assert spent > (LIMIT - lost_nano) * 9 // 10


def test_a_node_that_comes_back_with_its_disk_goes_on_where_it_was(node):
    first = node("a").ready()
    first.holder.settle(first.ask(1000), 600)
    first.holder.tend()
    first.step()
    ceiling = first.book.ceilings[ACCOUNT]
    first.leave()
    again = node("a").ready()
    assert again.server.node == first.server.node
    assert again.book.account(ACCOUNT).spent_nano == 600
    assert again.book.ceilings[ACCOUNT] == ceiling


def test_what_is_idle_goes_back_to_the_other_nodes(node):
    one, other = node("a").ready(), node("b").ready()
    one.holder.settle(one.ask(500_000), 1000)
    assert other.ask(600_000) is None
    for _ in range(3):
        one.holder.tend()
    one.until(lambda: one.book.ceilings[ACCOUNT] < 2000)
    assert other.ask(600_000)


def test_a_node_that_stops_leaves_what_it_did_not_use_to_the_others(node):
    one, other = node("a").ready(), node("b").ready()
    one.holder.settle(one.ask(500_000), 1000)
    assert other.ask(600_000) is None
    one.holder.close()
    one.server.leave([MONTH])
    assert other.ask(LIMIT - 1000 - 100_000, tries=4)
    assert one.book.ceilings[ACCOUNT] == 1000


def test_a_server_that_is_gone_leaves_the_leases_that_are_held(node, redis):
    one = node("a").ready()
    one.holder.settle(one.ask(100), 100)
    one.ask(1)  # the node has a slice in hand
    redis.kill()
    spent = 100
    while held := one.ask(100, tries=1):
        one.holder.settle(held, 100)
        spent += 100
        assert spent <= one.book.ceilings[ACCOUNT]
    assert spent >= LIMIT // 32
    one.server._heard_s -= 2
    one.server._retry_s = one.server._tell_s = 0
    one.step()
    one.holder.book.look()
    assert one.holder.book.blind == "the server that they are shared through does not answer"
    redis.start()
    one.until(lambda: not one.book.blind and one.server._may_draw)
    assert one.ask(100, tries=5)


def test_a_server_that_forgot_everything_lets_nobody_draw_before_it_knows_again(node, redis):
    one, other = node("a", nodes=2).ready(), node("b", nodes=2).ready()
    held = one.ask(400_000)
    other.holder.settle(other.ask(100_000), 100_000)
    for each in (one, other):
        each.holder.tend()
        each.step()
    one.server._client.flushall()
    other.server._tell_s = 0
    with suppress(Exception):
        other.step()
    assert other.ask(10_000) is None or other.book.ceilings[ACCOUNT] + 400_000 <= LIMIT
    for _ in range(400):
        one.step()
        other.step()
        time.sleep(0.005)
    spent = 100_000
    while more := other.ask(10_000, tries=4):
        other.holder.settle(more, 10_000)
        spent += 10_000
        one.step()
    assert spent + 400_000 <= LIMIT
    one.holder.settle(held, 1)


@pytest.mark.parametrize(("nodes", "told"), [(3, "3"), (0, "all")])
def test_a_node_that_waits_for_others_says_for_how_many_and_how_long(node, nodes, told):
    one = node("a", lease_s=60, nodes=nodes).ready()
    one.ask(400_000)
    one.server._client.flushall()
    one.until(lambda: not one.server._may_draw)
    one.server._drew_s -= 2
    one.until(lambda: one.book.blind)
    one.holder.book.look()
    waits = f"it waits to hear from {told} gateways what they drew, for at most 60 s, heard 1"
    assert one.holder.book.blind == waits


def test_after_a_loss_without_knowing_how_many_nodes_there_are_a_lease_must_pass(node):
    one = node("a", lease_s=3).ready()
    one.ask(400_000)
    one.step()
    one.server._client.flushall()
    one.server._tell_s = 0
    one.step()
    new = node("new", lease_s=3)
    began_s = time.monotonic()
    one.until(lambda: not one.server._may_draw, 2)
    new.until(lambda: new.server._may_draw)
    assert time.monotonic() - began_s > 1
    assert new.ask(700_000, tries=4) is None


def test_a_node_that_was_cut_off_for_longer_than_a_lease_spends_no_more_of_it(node, redis):
    one = node("a", lease_s=1).ready()
    one.holder.settle(one.ask(100), 100)
    redis.kill()
    one.server._heard_s -= 2
    one.server._retry_s = one.server._tell_s = 0
    one.step()
    one.holder.tend()
    one.holder.tend()
    assert one.book.account(ACCOUNT).taken_nano <= LIMIT // 8
    spent = 0
    while held := one.ask(100, tries=1):
        one.holder.settle(held, 100)
        spent += 100
    assert spent <= LIMIT // 16  # what the process had in hand


def test_a_warning_is_given_by_one_node(node):
    nodes = [node(name).ready() for name in "abc"]
    told = [one.server.first(ACCOUNT, level) for level in ("50", "80") for one in nodes]
    assert told == [True, False, False, True, False, False]


def test_amounts_beyond_what_a_double_holds_are_exact(node):
    huge = 9_000_000_000 * 10**9 + 1
    one, other = node("a").ready(), node("b").ready()
    assert one.ask(huge - 1, nano=huge)
    assert other.ask(2, nano=huge, tries=4) is None
    assert other.ask(1, nano=huge, tries=4)


@pytest.mark.parametrize("blind", ["refuse", "admit"])
def test_without_the_server_calls_go_on_within_the_lease_and_then_as_policy_says(
    tmp_path, redis, blind
):
    async def at_once(_body):
        return answers()

    row = (
        "feature: refund-bot, monthly: 0.1, over: stop"  # 1,000 calls' worth; a slice is an eighth
    )
    policy = {"server": redis.url, "nodes": 1, "wait_s": 2, "blind": blind}
    with (
        upstream(at_once) as provider,
        Budgeted(tmp_path / "g", provider, row, budgets=policy) as one,
    ):
        gateways = [(one.port, one.secret)]
        assert asyncio.run(callers(gateways, 5, asks())) == [200] * 5
        redis.kill()
        found = asyncio.run(callers(gateways, 10, asks(), times=40))
        spent_nano = one.spent_nano()
        drawn_nano = one.steward._book.ceilings[next(iter(one.steward._book.ceilings))]
        assert found.count(200) > 50
        if blind == "refuse":
            assert set(found) == {200, 503}
            assert spent_nano <= drawn_nano
        else:
            assert set(found) == {200}
            assert {note["act"] for note in one.notices()} == {"blind"}


@pytest.mark.parametrize("loss", ["", "node", "server"])
def test_a_thousand_callers_on_three_nodes_never_spend_more_than_the_budget(tmp_path, redis, loss):
    async def slow(_body):
        await asyncio.sleep(0.02)
        return answers()

    row = "feature: refund-bot, monthly: 0.06, over: stop"  # 600 calls' worth
    with upstream(slow) as provider:
        nodes = [
            Budgeted(
                tmp_path / name,
                provider,
                row,
                budgets={"server": redis.url, "nodes": 3, "wait_s": 1},
            ).__enter__()
            for name in "abc"
        ]
        try:
            found = _asked(nodes, redis, loss)
            spent_nano = sum(one.spent_nano() for one in nodes)
            assert spent_nano == found.count(200) * 100 * MICRO
            lost_nano = nodes[2].steward._book.ceilings.get(
                next(iter(nodes[2].steward._book.ceilings), ""), 0
            )
            least = 54_000_000 - (lost_nano if loss == "node" else 0)
            assert least < spent_nano <= 60_000_000
        finally:
            for one in nodes:
                one.__exit__(None, None, None)


def _asked(nodes, redis, loss):
    """A thousand callers at once on all nodes; in the middle something dies."""
    found = []

    def ask(count, among):
        gateways = [(one.port, one.secret) for one in among]
        found.extend(asyncio.run(callers(gateways, count, asks())))

    thread = threading.Thread(target=ask, args=(1000, nodes))
    thread.start()
    time.sleep(0.4)
    if loss == "node":
        nodes[2]._ends.set()  # its steward tells nobody any more
        nodes = nodes[:2]
    elif loss == "server":  # it dies with the thread that started it: this one
        redis.kill()
        time.sleep(1.0)
        redis.start()
    thread.join()
    heard_s = time.monotonic()
    while time.monotonic() < heard_s + 10:  # the rest, as callers that come back take it
        before = found.count(200)
        ask(60, nodes)
        if found.count(200) > before:
            heard_s = time.monotonic()
        elif found.count(429):
            break  # refused for want of budget, and not for want of the server
    return found
