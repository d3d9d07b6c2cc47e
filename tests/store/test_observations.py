"""Finding what was told: by key, by name, by trace, by window, by likeness; damage is told."""

from __future__ import annotations

import pytest

from company import usage
from tallybook.errors import CorruptedError
from tallybook.store.observations import COUNTS, LIKENESS, Observations, event_row


@pytest.fixture
def told(company):
    company.ingest(
        usage("1", source="gateway", trace_id="t", response_id="chatcmpl-1234567890abcdef"),
        usage("2", source="otel", trace_id="t", response_id="chatcmpl-1234567890abcdef"),
        usage("3", source="otel", started_at="2026-10-04T11:30:00Z", tokens={"output": 5}),
    )
    company.run()
    return company.store


def ids(rows):
    return sorted(row["event_id"] for row in rows)


def test_every_way_finds_what_was_told_and_nothing_that_was_made_of_it(told):
    every = Observations(told)
    (one,) = every.named("3")
    assert (one["role"], one["kind"]) == ("call", "events")
    assert ids(every.with_keys([one["key"], bytes(16)])) == ["3"]
    assert ids(every.in_traces(["t", "u"])) == ["1", "2"]
    assert {row["kind"] for row in every.in_traces(["t"])} == {"evidence"}
    assert every.named("1", "otel") == []
    assert every.sources(0, 2**62) == {"gateway", "otel"}
    assert "role" not in event_row(one)


def test_the_places_of_spans_are_those_of_their_observations(company):
    company.ingest(
        usage("1", trace_id="t", span_id="a"),
        usage("2", trace_id="t", span_id="b", parent_span_id="a"),
        usage("3", trace_id="u", span_id="c"),
    )
    company.run()
    every = Observations(company.store)
    whole = every.in_traces(["t"])
    names = ("trace_id", "span_id", "parent_span_id", "started_us")
    assert sorted(every.spans_in(["t"])) == sorted(tuple(row[n] for n in names) for row in whole)
    assert len(whole) == 2
    assert every.spans_in([]) == []


def test_windows_hours_and_likeness(told):
    every = Observations(told, {"2026-10"})
    first, second = every.in_traces(["t"])
    day_us = 86_400_000_000
    start_us = first["started_us"] - first["started_us"] % day_us
    day, other = ("X", start_us, start_us + day_us), ("Y", 0, 2**62)
    assert every.seen_in([day, other]) == [(*day, "x-1", "")]
    wide, empty = ("X", start_us - day_us, start_us + day_us), ("X", start_us - day_us, start_us)
    assert sorted(every.seen_in([day, wide, empty, day])) == [
        (*wide, "x-1", ""),
        (*day, "x-1", ""),
    ]
    assert every.seen_in([]) == []
    assert [(s, n) for s, _, n in every.by_hour(start_us, start_us + 2 * day_us)] == [
        ("gateway", 1), ("otel", 1), ("otel", 1),
    ]  # fmt: skip
    gateway = first if first["source"] == "gateway" else second
    near = every.like({name: [gateway[name]] for name in LIKENESS}, 2_000_000)
    assert ids(near) == ["1", "2"]
    far = {name: [gateway[name]] for name in COUNTS} | {"started_us": [day_us]}
    assert every.like(far, 2_000_000) == []


def test_another_period_holds_nothing(told):
    assert Observations(told, {"2026-09"}).named("3") == []
    assert Observations(told).with_keys([]) == []


def test_a_damaged_file_is_named(told):
    file = told.lake.snapshot().files[0]
    told.lake.path(file).write_bytes(b"PAR1 nothing")
    with pytest.raises(CorruptedError, match="sealed observations cannot be read"):
        Observations(told).named("3")
