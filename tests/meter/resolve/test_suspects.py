"""Pairs that may be one call: what makes one, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

from tallybook.meter.resolve.suspects import SLACK_US, _Listed, _pairs, suspects_of
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


def burst(source: str, first_ms: int, calls: int) -> list[Any]:
    """Alike calls, a millisecond after each other."""
    starts = [f"2026-10-03T10:00:{(first_ms + n) / 1000:06.3f}Z" for n in range(calls)]
    return [
        call(f"{source}{n:02}", source, tokens=SAME, started_at=at, ended_at=None)
        for n, at in enumerate(starts)
    ]


def pairs_of(books) -> list[list[str]]:
    return sorted(sorted(c["event_id"] for c in one.calls) for one in books.suspects())


def test_a_burst_of_alike_calls_makes_as_many_pairs_as_may_be_told_of_twice(books):
    books.tell(*burst("gateway", 10_000, 40))
    books.tell(*burst("helicone", 10_500, 30))
    first = [[f"gateway{n:02}", f"helicone{n:02}"] for n in range(30)]
    assert pairs_of(books) == first
    books.tell(*burst("otel", 11_000, 1))
    beside = [["gateway00", "otel00"], ["helicone00", "otel00"]]
    assert pairs_of(books) == sorted(first + beside)


def test_what_arrives_later_is_paired_with_what_has_no_other_yet(books):
    books.tell(*burst("gateway", 10_000, 40))
    books.tell(*burst("helicone", 10_500, 30))
    more = [
        (one | {"event_id": f"later{at}"}, role)
        for at, (one, role) in enumerate(burst("helicone", 10_600, 9))
    ]
    books.tell(*more)
    assert [pair for pair in pairs_of(books) if "later" in pair[1]] == [
        [f"gateway{30 + n}", f"later{n}"] for n in range(9)
    ]


def test_all_pairs_of_a_burst_called_the_same_bill_each_call_once(books):
    books.tell(*burst("gateway", 10_000, 5))
    books.tell(*burst("helicone", 10_000, 5))
    assert len(books.billed("event_id")) == 10
    books.decide("same", *[one.id for one in books.suspects()])
    assert len(books.billed("event_id")) == 5


def test_what_was_called_different_may_be_like_another(books):
    books.tell(call("g", "gateway", 10, tokens=SAME))
    books.tell(call("h", "helicone", 10, tokens=SAME))
    books.decide("different", *[one.id for one in books.suspects()])
    books.tell(call("i", "helicone", 11, tokens=SAME))
    assert ["g", "i"] in pairs_of(books)


def test_four_thousand_alike_calls_of_two_sources_at_once_are_two_thousand_pairs():
    told = [
        {
            "key": n.to_bytes(16, "big"), "source": "ab"[n % 2], "started_us": n, "model": "m",
            "key_id": "", "context_tokens": 1, "total_tokens": 2,
        }
        for n in range(4000)
    ]  # fmt: skip
    pairs = [(one["started_us"], other["started_us"]) for one, other in _pairs(told, _Listed())]
    assert pairs == [(n, n + 1) for n in range(0, 4000, 2)]


def test_a_prompt_that_many_users_send_makes_a_pair_for_each_that_is_near(books):
    books.tell(*[call(f"g{n}", "gateway", n * 5, tokens=SAME) for n in range(4)])
    books.tell(call("h", "helicone", 6, tokens=SAME))
    (one,) = books.suspects()
    assert {c["event_id"] for c in one.calls} == {"g1", "h"}
