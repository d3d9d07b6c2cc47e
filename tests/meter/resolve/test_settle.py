"""What bills, as a pure function: joined by name, nested in traces, corrected, decided."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.resolve.merge import MERGED
from tallybook.meter.resolve.settle import content, settle
from told import observed

SOURCES = ("gateway", "litellm", "otel", "langfuse", "bedrock-log")
RESPONSES = ("", "", "chatcmpl-1234567890abcdef-1", "chatcmpl-1234567890abcdef-2")
SPANS = ("", "1", "2", "3")


@st.composite
def lots(draw):
    """Up to eight observations of a trace, some of them corrections of others."""
    count = draw(st.integers(1, 8))
    told = [
        observed(
            draw(st.sampled_from(SOURCES)),
            key,
            draw(st.sampled_from(("call", "call", "call", "agent", "span"))),
            response_id=draw(st.sampled_from(RESPONSES)),
            trace_id=draw(st.sampled_from(("", "t"))),
            span_id=draw(st.sampled_from(SPANS)),
            parent_span_id=draw(st.sampled_from(SPANS)),
            input_uncached=draw(st.integers(0, 9)),
            output=draw(st.integers(0, 9)),
        )
        for key in range(1, count + 1)
    ]
    calls = [one.key for one in told if one.role == "call"]
    olds = draw(st.lists(st.sampled_from(calls), unique=True)) if len(calls) > 1 else []
    superseded = {old: max(calls) for old in olds if old != max(calls)}
    return told, superseded


@given(lot=lots(), data=st.data())
def test_every_call_is_in_one_place_and_the_order_does_not_matter(lot, data):
    told, superseded = lot
    found = settle(told, superseded, ())
    placed = [one.key for call in found.calls for one in call.told]
    calls = {one.key for one in told if one.role == "call"}
    assert len(placed) == len(set(placed))
    assert set(placed) == calls - found.outer - superseded.keys()
    shuffled = settle(data.draw(st.permutations(told)), superseded, ())
    assert shuffled.outer == found.outer
    assert {c.subject: c.columns for c in shuffled.calls} == {
        c.subject: c.columns for c in found.calls
    }
    assert {c.subject: c.tokens for c in shuffled.rests} == {
        c.subject: c.tokens for c in found.rests
    }


@given(lot=lots())
def test_a_rest_is_an_estimate_and_never_more_than_was_stated(lot):
    found = settle(*lot, ())
    for rest in found.rests:
        (one,) = rest.told
        assert rest.columns["state"] == "estimated"
        assert 0 < rest.columns["total_tokens"] <= sum(one.tokens.values())


def test_one_telling_bills_by_its_own_row_and_two_by_a_made_one():
    alone = settle([observed("gateway", 1, output=4)], {}, ()).calls[0]
    assert (alone.columns, alone.source) == (None, "gateway")
    pair = [observed("gateway", 1, output=4), observed("otel", 2, output=5)]
    keys = frozenset(one.key for one in pair)
    (both,) = settle(pair, {}, [keys]).calls
    assert (both.columns["output"], both.source, both.subject) == (4, MERGED, min(keys))


def test_the_names_of_a_superseded_record_stay_names_of_the_call():
    old = observed("gateway", 1, response_id=RESPONSES[2], output=9)
    new = observed("gateway", 2, output=7)
    other = observed("otel", 3, response_id=RESPONSES[2], output=9)
    (call,) = settle([old, new, other], {old.key: new.key}, ()).calls
    assert [one.key for one in call.told] == [new.key, other.key]
    assert call.tokens == {"output": 7}


def test_a_span_that_bears_the_name_of_one_of_two_calls_inside_it_joins_them_not():
    first, last = "resp-1234567890abcdef-1", "resp-1234567890abcdef-2"
    told = [
        observed("langfuse", 1, trace_id="t", span_id="1", response_id=last, output=30),
        *(
            observed("langfuse", key, trace_id="t", span_id=f"{key}", parent_span_id="1",
                     response_id=name, output=key * 5)
            for key, name in ((2, first), (4, last))
        ),
    ]  # fmt: skip
    found = settle(told, {}, ())
    assert sorted(call.tokens["output"] for call in found.calls) == [10, 20]
    assert found.rests == ()


def test_the_digest_covers_what_bills_and_not_its_name():
    columns = {"output": 4, "event_id": "a", "source": "s"}
    assert content(columns) == content(columns | {"event_id": "b", "source": "t"})
    assert content(columns) != content(columns | {"output": 5})
