"""Plain calls that end in one turn of the loop: one write, and no answer before it."""

from __future__ import annotations

import json
import os

import pytest

from gateway.running import key
from gateway.test_desk import head, upstream
from tallybook.clock import FixedClock
from tallybook.gateway.call import Call, Ending, Ledger
from tallybook.gateway.counters import Counters
from tallybook.gateway.desk import Desk, Opening
from tallybook.gateway.journal import Journal
from tallybook.gateway.keyring import Keyring, issue
from tallybook.gateway.model import GatewayConfig
from tallybook.gateway.pending import Pending
from tallybook.meter.read import read_event
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.sdk import spool
from tallybook.sdk.counters import Health

READING = UsageReading("openai", "gpt-4o", "reported", (Part("gpt-4o", {"output": 3}),))


class Turns:
    """A ledger whose turns end when a test says so."""

    def __init__(self, folder):
        self.folder, self.health, self.table = folder / "spool", Health(), Counters(1)
        self.journal = Journal(self.folder, bound_bytes=10**6, health=self.health)
        self.ledger = Ledger(
            self.journal,
            Pending(folder / "pending"),
            clock=FixedClock(10),
            counters=self.table.row(0),
            health=self.health,
        )
        config = GatewayConfig(
            host="",
            port=0,
            workers=1,
            spool=self.folder,
            keys=folder / "keys",
            default="openai",
            upstreams=(upstream("openai"),),
        )
        secret = issue(config.keys, key())
        self.desk = Desk(config, Keyring(config.keys), self.ledger, FixedClock(10))
        opening = self.desk.open(head("/v1/chat/completions", f"Authorization: Bearer {secret}"))
        assert isinstance(opening, Opening)
        self.opening = opening

    def call(self):
        made = self.desk.begin(self.opening, b'{"model":"gpt-4o"}', whole=True)
        assert isinstance(made, Call)
        self.ledger.admit(made)
        return made

    def settle(self, call, then, reading=READING):
        return self.ledger.settle_plain(call, reading, {"x-request-id": "r"}, 0.002, then)

    def end(self):
        self.ledger.end_turn()

    def events(self):
        lines = [
            line for path in self.folder.glob("*.*") for line in path.read_bytes().split(b"\n")
        ]
        return [json.loads(line) for line in lines if line]


@pytest.fixture
def turns(tmp_path):
    made = Turns(tmp_path)
    yield made
    made.journal.close()


def test_events_of_a_turn_are_one_write_before_any_answer(turns, monkeypatch):
    done, real = [], os.write

    def write(file, data):
        done.append(data.count(b"\n"))
        return real(file, data)

    monkeypatch.setattr(spool.os, "write", write)
    calls = [turns.call() for _ in range(3)]
    for number, call in enumerate(calls):
        assert turns.settle(call, lambda number=number: done.append(f"answer {number}"))
    assert (done, turns.events(), turns.ledger.under_way) == ([], [], 3)
    turns.end()
    assert done == [3, "answer 0", "answer 1", "answer 2"]
    assert turns.ledger.under_way == 0
    found = turns.events()
    assert [one["event_id"] for one in found] == [call.attempt.event_id for call in calls]
    for one in found:
        read_event(one)
        assert (one["status"], one["latency_ms"], one["request_id"]) == ("ok", 2, "r")
    turns.end()
    assert done[4:] == []
    assert turns.table.totals()["events"] == 3


def test_a_plain_event_is_the_one_that_any_call_gets(turns):
    one, other = turns.call(), turns.call()
    assert turns.settle(one, lambda: None)
    turns.end()
    other.standing = None
    turns.ledger.settle(
        other, Ending("ok", reading=READING, billed=True, headers={"x-request-id": "r"}), 0.002
    )
    first, second = turns.events()
    own = ("event_id", "operation_id")
    assert [first.pop(name) for name in own] != [second.pop(name) for name in own]
    assert first == second


def test_events_that_cannot_be_written_wait_and_the_answers_go_out(turns):
    turns.journal._spool._bound_bytes = 10
    answers = []
    for number in range(2):
        assert turns.settle(turns.call(), lambda number=number: answers.append(number))
    turns.end()
    assert answers == [0, 1]
    assert (turns.ledger.under_way, turns.journal.is_late) == (2, True)
    assert turns.table.totals()["events_delayed"] == 2
    turns.journal._spool._bound_bytes = 10**6
    turns.journal.tend()
    assert (turns.ledger.under_way, len(turns.events())) == (0, 2)


def test_an_answer_that_fails_does_not_keep_the_others(turns):
    answers = []

    def fails():
        raise ValueError

    for then in (fails, lambda: answers.append("other")):
        assert turns.settle(turns.call(), then)
    turns.end()
    assert answers == ["other"]
    assert turns.health.counts()["failed"] == 1
    assert len(turns.events()) == 2


def test_a_call_is_settled_once_and_what_is_not_plain_is_left(turns):
    call = turns.call()
    twice = UsageReading("openai", "m", "reported", READING.parts * 2)
    assert not turns.settle(call, lambda: None, twice)
    assert not call.is_settled
    assert turns.settle(call, lambda: None)
    assert not turns.settle(call, lambda: None)
    turns.end()
    assert len(turns.events()) == 1
