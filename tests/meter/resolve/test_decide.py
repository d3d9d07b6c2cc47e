"""Suspects: both bill until a person decides; a decision holds at once and can be taken back."""

from __future__ import annotations

import pytest

from tallybook.errors import EventError
from tallybook.meter.resolve.decide import between
from told import call

SAME = {"input_uncached": 1200, "output": 34}


def test_alike_calls_of_two_sources_both_bill_and_are_listed(books):
    books.tell(call("g", "gateway", 10, tokens=SAME))
    books.tell(call("h", "helicone", 11, tokens=SAME, model="gpt-4o-2024-08-06"))
    assert books.billed("event_id") == [("g",), ("h",)]
    (one,) = books.suspects()
    assert [c["event_id"] for c in one.calls] in (["g", "h"], ["h", "g"])
    assert between([one], "helicone", "gateway") == [one.id]


def test_the_same_call_makes_one_and_the_way_back_two(books):
    books.tell(call("g", "gateway", 10, tokens=SAME, team="a"))
    books.tell(call("h", "helicone", 11, tokens=SAME, service="s"))
    (one,) = books.suspects()
    books.decide("same", one.id)
    assert books.billed("team", "service", "output") == [("a", "s", 34)]
    assert books.suspects() == []
    books.decide("different", one.id, reason="two users, one prompt")
    assert books.billed("team", "service", "output") == [("", "s", 34), ("a", "", 34)]


@pytest.mark.parametrize("point", ["seal.renamed", "seal.listed"])
def test_a_death_leaves_a_decision_wholly_out_or_wholly_in(books, monkeypatch, point):
    books.tell(call("g", "gateway", 10, tokens=SAME, team="a"))
    books.tell(call("h", "helicone", 11, tokens=SAME, service="s"))
    (one,) = books.suspects()

    def die(reached: str) -> None:
        if reached == point:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tallybook.store.faults.reached", die)
        with pytest.raises(KeyboardInterrupt):
            books.decide("same", one.id)
    if point == "seal.renamed":
        assert books.billed("team", "service") == [("", "s"), ("a", "")]
        assert books.suspects() == [one]
        books.decide("same", one.id)
    assert books.billed("team", "service") == [("a", "s")]
    assert books.suspects() == []


def test_a_decision_holds_when_a_third_source_comes(books):
    books.tell(call("g", "gateway", 10, tokens=SAME))
    books.tell(call("h", "helicone", 11, tokens=SAME))
    books.decide("same", books.suspects()[0].id)
    books.tell(call("o", "otel", 10, tokens=SAME, request_id="r1"))
    books.tell(call("l", "litellm", 10, tokens=SAME, request_id="r1"))
    assert len(books.billed("output")) == 2


@pytest.mark.parametrize(
    "other",
    [
        call("h", "helicone", 13, tokens=SAME),
        call("h", "helicone", 10, tokens=SAME | {"output": 35}),
        call("h", "helicone", 10, tokens=SAME, model="gpt-4o-mini"),
        call("h", "helicone", 10, tokens=SAME, key_id="k2"),
        call("h", "gateway", 10, tokens=SAME),
    ],
    ids=["later", "other count", "other model", "other key", "same source"],
)
def test_what_differs_is_no_suspect(books, other):
    books.tell(call("g", "gateway", 10, tokens=SAME, key_id="k1"))
    books.tell(other)
    assert books.suspects() == []


def test_what_is_joined_by_name_is_no_suspect(books):
    ids = {"response_id": "chatcmpl-1234567890abcdef"}
    books.tell(call("g", "gateway", 10, tokens=SAME, **ids))
    books.tell(call("h", "helicone", 10, tokens=SAME, **ids))
    assert books.suspects() == []


def test_alike_calls_in_one_import_are_listed(books):
    books.tell(
        call("g", "gateway", 10, tokens=SAME),
        call("h", "helicone", 11, tokens=SAME),
        call("i", "helicone", 50, tokens=SAME),
    )
    assert len(books.suspects()) == 1


def test_an_unknown_id_or_an_empty_reason_decides_nothing(books):
    books.tell(call("g", "gateway", 10, tokens=SAME))
    books.tell(call("h", "helicone", 11, tokens=SAME))
    (one,) = books.suspects()
    with pytest.raises(EventError, match="U-nothing is not on the list"):
        books.decide("same", one.id, "U-nothing")
    with pytest.raises(EventError, match="needs a reason"):
        books.decide("same", one.id, reason=" ")
    assert books.suspects() == [one]
