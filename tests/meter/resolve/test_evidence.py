"""The evidence of a call: what everybody said, who was believed, what bills."""

from __future__ import annotations

import pytest

from tallybook.errors import EventError
from told import agent, call

ID = "chatcmpl-1234567890abcdef"


def test_every_source_and_who_won_each_field(books):
    books.tell(call("g", "gateway", response_id=ID, team="a", tokens={"output": 4}))
    books.tell(call("o", "otel", response_id=ID, team="b", service="bot", tokens={"output": 5}))
    found = books.evidence("o")
    assert found.billed == "made of 2 observations"
    assert [(s.source, s.event_id, s.standpoint, s.part) for s in found.said] == [
        ("gateway", "g", "gateway", "joined"),
        ("otel", "o", "trace", "joined"),
    ]
    taken = {one.field: one for one in found.taken}
    assert (taken["output"].value, taken["output"].source) == (4, "gateway")
    assert taken["output"].others == (("otel", 5),)
    assert (taken["team"].value, taken["team"].others) == ("a", (("otel", "b"),))
    assert (taken["service"].value, taken["service"].source) == ("bot", "otel")
    assert found == books.evidence("g", "gateway")


def test_a_call_that_one_source_told_of(books):
    books.tell(call("g", "gateway", tokens={"output": 4}))
    found = books.evidence("g")
    assert (found.billed, [s.part for s in found.said]) == ("gateway g", ["bills"])


def test_the_rest_of_an_agent_names_its_trace(books):
    trace = {"trace_id": "a" * 32}
    books.tell(
        agent("ag", "otel", span_id="1" * 16, tokens={"output": 30}, **trace),
        call("c", "otel", 1, span_id="2" * 16, parent_span_id="1" * 16, tokens={"output": 10},
             **trace),
    )  # fmt: skip
    found = books.evidence("ag")
    assert found.billed == "otel ag (the rest)"
    assert [(s.event_id, s.part) for s in found.said] == [
        ("ag", "outer span"),
        ("c", "inside the trace"),
    ]


def test_an_unknown_id_says_what_to_do(books):
    with pytest.raises(EventError, match="no sealed event has the id 'x'"):
        books.evidence("x")


def test_one_id_of_two_calls_needs_a_source(books):
    books.tell(call("1", "gateway", tokens={"output": 4}), call("1", "otel", 30, team="b"))
    with pytest.raises(EventError, match="names 2 calls, told of by gateway, otel"):
        books.evidence("1")
    assert books.evidence("1", "otel").billed == "otel 1"
