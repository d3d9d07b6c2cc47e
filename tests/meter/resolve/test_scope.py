"""What is looked at together: as much as is needed, and no more."""

from __future__ import annotations

import pyarrow as pa

from tallybook.clock import Calendar
from tallybook.meter.resolve.scope import names_of, period_finder, scope_of
from tallybook.store.arrivals import Arrivals, no_arrivals
from tallybook.store.events import INBOX_SCHEMA
from tallybook.store.inbox import packed
from tallybook.store.observations import Observations
from told import call, observed, span

ID = "chatcmpl-1234567890abcdef"


def arrivals(*told):
    rows = [{**one.row, "role": one.role, "units": [], "labels": []} for one in told]
    for row in rows:
        row |= {"record": row["key"]}
    return Arrivals([packed(pa.Table.from_pylist(rows, INBOX_SCHEMA))])


def scope(books, *told):
    lot = arrivals(*told)
    return scope_of(books.store, books.calendar, lot, names_of(lot))


def test_what_touches_nothing_is_not_looked_at(books):
    books.tell(call("a", "gateway", response_id=ID))
    one = observed("gateway", 7, response_id=f"{ID}-other")
    assert scope(books, one).told == {}


def test_a_shared_name_brings_the_sealed_call_whole(books):
    books.tell(call("a", "gateway", response_id=ID), call("b", "otel", response_id=ID))
    new = observed("litellm", 7, response_id=ID, started_us=1_791_021_600_000_000)
    found = scope(books, new)
    assert {one.event_id for one in found.told.values()} == {"a", "b", "e7"}
    assert found.position == {new.key: 0}


def test_a_tracers_span_brings_its_trace(books):
    books.tell(
        call("a", "gateway", trace_id="t", span_id="1"),
        span("s", "otel", trace_id="t", span_id="2"),
        call("z", "gateway", trace_id="u"),
    )
    new = observed("otel", 7, trace_id="t", span_id="3", started_us=1_791_021_600_000_000)
    assert {one.event_id for one in scope(books, new).told.values()} == {"a", "s", "e7"}


def test_a_question_about_a_sealed_call_needs_no_arrivals(books):
    books.tell(call("a", "gateway", response_id=ID), call("b", "otel", response_id=ID))
    rows = Observations(books.store).named("a")
    none = no_arrivals()
    found = scope_of(books.store, books.calendar, none, names_of(none), rows)
    assert {one.event_id for one in found.told.values()} == {"a", "b"}
    assert found.position == {}


def test_periods_are_those_of_the_calendar():
    calendar = Calendar("America/New_York", "2026-01")
    find = period_finder(calendar)
    instants = [1_790_812_800_000_000 + n * 3_600_000_000 for n in (0, 3, 5, -9, 800)]
    assert [find(at) for at in instants] == [str(calendar.period_of(at)) for at in instants]
