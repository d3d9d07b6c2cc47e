"""Of each call one row bills, whoever told of it and in whatever order."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from told import agent, call, span

TOKENS = ("input_uncached", "cache_read", "output")
ID = "chatcmpl-1234567890abcdef"


def test_two_sources_of_one_response_bill_once(books):
    fine = {"input_uncached": 8, "cache_read": 4012, "output": 4}
    books.tell(call("g1", "gateway", response_id=ID, team="support", tokens=fine))
    coarse = {"input_uncached": 4020, "output": 4}
    books.tell(call("o1", "otel", response_id=ID, service="refund-agent", tokens=coarse))
    assert books.billed("team", "service", *TOKENS) == [("support", "refund-agent", 8, 4012, 4)]


def test_one_source_bills_by_its_own_row(books):
    books.tell(call("g1", "gateway", response_id=ID, tokens={"output": 4}))
    assert books.billed("source", "event_id", "output") == [("gateway", "g1", 4)]


def test_a_third_source_joins_two_that_knew_nothing_of_each_other(books):
    books.tell(call("p1", "bedrock-log", response_id=ID, tokens={"output": 4}))
    books.tell(call("l1", "litellm", request_id="call-9", team="a", tokens={"output": 5}))
    assert len(books.billed("output")) == 2
    books.tell(call("o1", "otel", response_id=ID, request_id="call-9", tokens={"output": 6}))
    assert books.billed("team", "output") == [("a", 4)]


def test_a_request_id_means_nothing_in_a_log_that_we_do_not_know(books):
    books.tell(
        call("a", "our-own-log", request_id="req-1", tokens={"output": 1}),
        call("b", "our-own-log", request_id="req-1", tokens={"output": 2}),
    )
    assert books.billed("output") == [(1,), (2,)]


def test_further_parts_of_a_response_are_calls_of_their_own(books):
    parts = [
        call("m", "litellm", response_id="msg_1234567890abcdefgh", request_id="r",
             tokens={"output": 1}),
        call("m/1", "litellm", response_id="msg_1234567890abcdefgh/1", request_id="r",
             tokens={"output": 2}),
    ]  # fmt: skip
    books.tell(*parts)
    assert books.billed("output") == [(1,), (2,)]


def test_retries_are_attempts_of_one_request(books):
    books.tell(
        call("a", "litellm", request_id="r", attempt=1, tokens={"output": 1}),
        call("b", "litellm", request_id="r", attempt=2, tokens={"output": 2}),
    )
    assert books.billed("output") == [(1,), (2,)]


def test_reported_beats_estimated_whoever_says_it(books):
    books.tell(call("g", "gateway", response_id=ID, usage="estimated", tokens={"output": 9}))
    books.tell(call("o", "otel", response_id=ID, tokens={"output": 4}))
    assert books.billed("output", "state") == [(4, "reported")]


def test_the_inner_span_of_two_is_the_call(books):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    books.tell(
        call("out", "langfuse", trace_id=trace, span_id="a", ended_at="2026-10-03T10:00:05Z",
             tokens={"input_uncached": 1568, "output": 423}),
        call("in", "langfuse", 1, trace_id=trace, span_id="b", parent_span_id="a",
             tokens={"input_uncached": 663, "output": 225}),
    )  # fmt: skip
    assert books.billed("input_uncached", "output", "state") == [(663, 225, "reported")]


def test_the_outer_span_may_come_first_or_last(books, new_books):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    outer = call("out", "otel", trace_id=trace, span_id="a", ended_at="2026-10-03T10:00:05Z",
                 tokens={"output": 9})  # fmt: skip
    middle = span("mid", "otel", trace_id=trace, span_id="m", parent_span_id="a")
    inner = call("in", "otel", 1, trace_id=trace, span_id="b", parent_span_id="m",
                 tokens={"output": 5})  # fmt: skip
    for one in (inner, middle, outer):
        books.tell(one)
    other = new_books()
    for one in (outer, inner, middle):
        other.tell(one)
    assert books.billed("output") == other.billed("output") == [(5,)]


def test_what_an_agent_states_above_its_calls_is_an_estimate(books):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    books.tell(
        agent("ag", "otel", trace_id=trace, span_id="a", team="support",
              tokens={"input_uncached": 100, "output": 30}),
        call("c1", "otel", 1, trace_id=trace, span_id="b", parent_span_id="a",
             tokens={"input_uncached": 60, "output": 10}),
    )  # fmt: skip
    rest = (40, 20, "estimated", "support")
    assert rest in books.billed("input_uncached", "output", "state", "team")
    books.tell(
        call("c2", "otel", 2, trace_id=trace, span_id="c", parent_span_id="a",
             tokens={"input_uncached": 40, "output": 20})
    )  # fmt: skip
    assert books.billed("input_uncached", "output", "state") == [
        (40, 20, "reported"),
        (60, 10, "reported"),
    ]


def test_a_gateways_call_inside_an_agents_span_is_its_child(books):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    books.tell(agent("ag", "otel", trace_id=trace, span_id="a", tokens={"output": 30}))
    assert books.billed("output", "state") == [(30, "estimated")]
    books.tell(
        call("g", "gateway", 1, trace_id=trace, span_id="x", parent_span_id="a",
             tokens={"output": 30})
    )  # fmt: skip
    assert books.billed("output", "state", "source") == [(30, "reported", "gateway")]


def test_a_correction_of_one_source_corrects_the_call(books):
    books.tell(call("g", "gateway", response_id=ID, tokens={"output": 9}))
    books.tell(call("o", "otel", response_id=ID, service="s", tokens={"output": 8}))
    books.tell(
        call("g2", "gateway", response_id=ID, supersedes="g", tokens={"output": 7}),
    )
    assert books.billed("output", "service") == [(7, "s")]


def test_a_correction_before_the_second_source_comes(books):
    books.tell(call("g", "gateway", response_id=ID, tokens={"output": 9}))
    books.tell(call("g2", "gateway", supersedes="g", tokens={"output": 7}))
    assert books.billed("output") == [(7,)]
    books.tell(call("o", "otel", response_id=ID, service="s", tokens={"output": 8}))
    assert len(books.billed("output")) == 1


def test_a_correction_in_the_same_import_as_the_second_source(books):
    books.tell(call("g", "gateway", response_id=ID, tokens={"output": 9}))
    books.tell(
        call("g2", "gateway", response_id=ID, supersedes="g", tokens={"output": 7}),
        call("o", "otel", response_id=ID, service="s", tokens={"output": 8}),
    )
    assert books.billed("output", "service") == [(7, "s")]


def test_a_correction_that_restates_no_id_corrects_a_call_that_two_told_of(books):
    books.tell(call("g", "gateway", response_id=ID, tokens={"output": 9}))
    books.tell(call("o", "otel", response_id=ID, service="s", tokens={"output": 8}))
    books.tell(call("g2", "gateway", supersedes="g", tokens={"output": 7}))
    assert books.billed("output", "service") == [(7, "s")]


def test_what_is_corrected_comes_after_its_correction_was_joined(books):
    books.tell(call("g2", "gateway", supersedes="g", response_id=ID, tokens={"output": 7}))
    books.tell(call("o", "otel", response_id=ID, service="s", tokens={"output": 8}))
    books.tell(call("g", "gateway", tokens={"output": 9}))
    assert books.billed("output", "service") == [(7, "s")]


def test_what_is_corrected_comes_with_its_correction_and_the_second_source(books):
    books.tell(
        call("g", "gateway", tokens={"output": 9}),
        call("g2", "gateway", supersedes="g", response_id=ID, tokens={"output": 7}),
        call("o", "otel", response_id=ID, service="s", tokens={"output": 8}),
    )
    assert books.billed("output", "service") == [(7, "s")]


def test_a_correction_may_lie_in_a_month_far_away(books):
    books.tell(call("g", "gateway", response_id=ID, tokens={"output": 9}))
    later = {"started_at": "2027-03-05T00:00:00Z", "ended_at": None}
    books.tell(call("g2", "gateway", supersedes="g", tokens={"output": 7}, **later))
    books.tell(call("o", "otel", response_id=ID, service="s", tokens={"output": 8}))
    assert books.billed("output", "service") == [(7, "s")]


def test_a_corrected_call_keeps_its_place_in_the_trace(books):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    books.tell(
        agent("ag", "otel", trace_id=trace, span_id="a", tokens={"output": 30}),
        call("g", "gateway", 1, trace_id=trace, span_id="x", parent_span_id="a",
             tokens={"output": 30}),
    )  # fmt: skip
    books.tell(call("g2", "gateway", 1, supersedes="g", tokens={"output": 20}))
    assert books.billed("output", "state") == [(10, "estimated"), (20, "reported")]


PLACE = ("output", "trace_id", "span_id", "parent_span_id", "service")
STOOD = {"trace_id": "t", "span_id": "x", "parent_span_id": "a", "service": "retrieval"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_correction_that_states_no_trace_stands_where_what_it_corrects_stood(new_books, order):
    told = [
        call("g", "gateway", tokens={"output": 9}, **STOOD),
        call("g2", "gateway", supersedes="g", tokens={"output": 8}),
        call("g3", "gateway", supersedes="g2", tokens={"output": 7}),
    ]
    at_once, one_by_one = new_books(), new_books()
    at_once.tell(*(told[n] for n in order))
    for n in order:
        one_by_one.tell(told[n])
    assert at_once.billed(*PLACE) == [(7, "t", "x", "a", "retrieval")]
    assert one_by_one.billed(*PLACE) == [(7, "t", "x", "a", "retrieval")]


def test_what_a_correction_states_of_its_place_counts(new_books):
    for stated, stands in (
        ({"service": "indexer"}, ("t", "x", "a", "indexer")),
        ({"trace_id": "u"}, ("u", "", "", "")),
        ({"trace_id": "u", "span_id": "y"}, ("u", "y", "", "")),
    ):
        books = new_books()
        books.tell(call("g", "gateway", tokens={"output": 9}, **STOOD))
        books.tell(call("g2", "gateway", supersedes="g", tokens={"output": 7}, **stated))
        assert books.billed(*PLACE) == [(7, *stands)]


def test_a_correction_of_a_call_far_away_stands_in_its_place(new_books):
    for order in (1, -1):
        books = new_books()
        later = {"started_at": "2027-03-05T00:00:00Z", "ended_at": None}
        told = [
            call("g", "gateway", tokens={"output": 9}, **STOOD),
            call("g2", "gateway", supersedes="g", tokens={"output": 7}, **later),
        ]
        for one in told[::order]:
            books.tell(one)
        assert books.billed(*PLACE) == [(7, "t", "x", "a", "retrieval")]


def test_a_correction_without_a_place_bills_by_its_own_row(books):
    books.tell(call("g", "gateway", tokens={"output": 9}))
    books.tell(call("g2", "gateway", supersedes="g", tokens={"output": 7}))
    assert books.billed("event_id", "output") == [("g2", 7)]


def test_a_third_source_finds_the_call_behind_an_outer_span_of_its_name(books):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    books.tell(
        call("out", "otel", trace_id=trace, span_id="a", response_id=ID, tokens={"output": 9}),
        *(call(f"in{n}", "otel", n, trace_id=trace, span_id=f"b{n}", parent_span_id="a",
               tokens={"output": n}) for n in (1, 2)),
    )  # fmt: skip
    books.tell(call("g", "gateway", response_id=ID, tokens={"output": 6}))
    books.tell(call("l", "litellm", response_id=ID, tokens={"output": 5}))
    assert [row for row in books.billed("output", "state") if row[1] == "reported"] == [
        (1, "reported"),
        (2, "reported"),
        (6, "reported"),
    ]


def told(events: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(events, min_size=2, max_size=9, unique_by=lambda one: one[0]["event_id"])


@st.composite
def observations(draw):
    """What three kinds of sources tell of a few calls, spans and agents of two traces."""
    n = draw(st.integers(0, 10**6))
    source = draw(st.sampled_from(["gateway", "litellm", "otel", "langfuse", "bedrock-log"]))
    fields = {
        "tokens": {"input_uncached": draw(st.integers(0, 50)), "output": draw(st.integers(0, 9))},
        "model": draw(st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini"])),
        "team": draw(st.sampled_from([None, "a", "b"])),
        "usage": draw(st.sampled_from(["reported", "reported", "estimated"])),
    }
    if draw(st.booleans()):
        fields["response_id"] = draw(st.sampled_from([f"{ID}-1", f"{ID}-2"]))
    if draw(st.booleans()):
        fields["request_id"] = draw(st.sampled_from(["r1", "r2"]))
    if draw(st.booleans()):
        fields["trace_id"] = draw(st.sampled_from(["a" * 32, "b" * 32]))
        fields["span_id"] = draw(st.sampled_from(["1", "2", "3", "4"])) * 16
        fields["parent_span_id"] = draw(st.sampled_from([None, "1" * 16, "2" * 16, "3" * 16]))
    role = draw(st.sampled_from([call, call, call, agent, span]))
    if role is span:
        fields = {k: v for k, v in fields.items() if k not in ("tokens", "model", "usage")}
    if role is not call:
        source = draw(st.sampled_from(["otel", "langfuse"]))
    return role(f"e{n}", source, draw(st.integers(0, 59)), **fields)


SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
EVERYTHING = (
    "provider", "model", "team", "state", "started_us", "response_id", "request_id", "trace_id",
    "span_id", "parent_span_id", "service",
    "input_uncached", "output", "context_tokens", "total_tokens", "labels",
)  # fmt: skip


@st.composite
def with_corrections(draw):
    """The same, some of which correct an earlier one, with its ids or without them."""
    given_ = draw(told(observations()))
    calls = [record for record, role in given_ if role == "call"]
    corrected = draw(st.permutations(calls))[: len(calls) // 2]
    for old in corrected:
        later = calls[calls.index(old) + 1 :]
        if free := [record for record in later if "supersedes" not in record]:
            new = draw(st.sampled_from(free))
            new |= {"source": old["source"], "supersedes": old["event_id"]}
    return given_


@SLOW
@given(data=st.data())
def test_the_order_and_the_lots_do_not_matter(new_books, data):
    """INV-07 over sources: what bills is a function of the set of what was told."""
    given_ = data.draw(st.one_of(told(observations()), with_corrections()))
    at_once = new_books()
    at_once.tell(*given_)
    shuffled = data.draw(st.permutations(given_))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(given_) - 1), max_size=3)))
    by_lots = new_books()
    for low, high in zip([0, *cuts], [*cuts, len(given_)], strict=True):
        by_lots.tell(*shuffled[low:high])
    assert at_once.billed(*EVERYTHING) == by_lots.billed(*EVERYTHING)
    assert at_once.digest() == by_lots.digest()
