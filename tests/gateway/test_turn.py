"""What came in one turn of the loop: in which order it is handled, and that nothing is left."""

from __future__ import annotations

import pytest

from tallybook.gateway.turn import Turn
from tallybook.sdk.counters import Health


class Taker:
    def __init__(self, name, done, then=None):
        self.name, self.done, self.then = name, done, then

    def take(self, data):
        self.done.append(f"{self.name} {data.decode()}")
        if self.then is not None:
            self.then()


@pytest.fixture
def loop():
    """A turn, its health, what was done, and what the loop has to do."""
    done, due, health = [], [], Health()
    return Turn(due.append, lambda: done.append("settled"), health), health, done, due


def test_answers_are_handled_first_then_settled_then_requests(loop):
    turn, _, done, due = loop
    caller, provider = Taker("caller", done), Taker("provider", done)
    turn.request(caller, b"1")
    turn.answer(provider, b"2")
    turn.request(caller, b"3")
    turn.answer(provider, b"4")
    assert done == []
    (end,) = due
    end()
    assert done == ["provider 2", "provider 4", "settled", "caller 1", "caller 3"]


def test_what_comes_while_a_turn_ends_belongs_to_the_next(loop):
    turn, _, done, due = loop
    other = Taker("other", done)
    turn.answer(Taker("one", done, lambda: turn.answer(other, b"b")), b"a")
    due.pop()()
    assert done == ["one a", "settled"]
    due.pop()()
    assert done == ["one a", "settled", "other b", "settled"]
    assert not due


def test_a_connection_that_fails_does_not_keep_the_others(loop):
    turn, health, done, due = loop

    def fails():
        raise ValueError

    turn.request(Taker("one", done, fails), b"")
    turn.request(Taker("other", done), b"")
    due.pop()()
    assert done == ["settled", "one ", "other "]
    assert health.counts()["failed"] == 1
