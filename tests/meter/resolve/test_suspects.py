"""Pairs that may be one call: what makes one, and what is told of it."""

from __future__ import annotations

import json

from tallybook.meter.resolve.suspects import SLACK_US, suspects_of
from tallybook.store.arrivals import no_arrivals
from told import call

SAME = {"input_uncached": 1200, "output": 34}


def test_nothing_arriving_is_nothing_suspected(books):
    assert suspects_of(books.store, books.calendar, no_arrivals(), {"role": []}, ()) == {}


def test_a_pair_is_told_with_both_calls(books):
    books.tell(call("g", "gateway", 10, tokens=SAME, key_id="k"))
    books.tell(call("h", "helicone", 12, tokens=SAME))
    (one,) = books.suspects()
    told = {c["source"]: c for c in json.loads(json.dumps(one.calls))}
    assert told["gateway"] == {
        "source": "gateway", "event_id": "g", "started_at": "2026-10-03T10:00:10.000Z",
        "model": "gpt-4o", "tokens": 1234, "key_id": "k",
    }  # fmt: skip
    assert SLACK_US == 2_000_000


def test_calls_without_a_figure_are_no_suspects(books):
    books.tell(call("g", "gateway", 10), call("h", "helicone", 10))
    assert books.suspects() == []


def test_a_prompt_that_many_users_send_makes_a_pair_for_each_that_is_near(books):
    books.tell(*[call(f"g{n}", "gateway", n * 5, tokens=SAME) for n in range(4)])
    books.tell(call("h", "helicone", 6, tokens=SAME))
    (one,) = books.suspects()
    assert {c["event_id"] for c in one.calls} == {"g1", "h"}
