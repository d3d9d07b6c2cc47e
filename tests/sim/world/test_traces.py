"""What is drawn of traces: everything that goes wrong with them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from tallybook.clock import parse_instant
from tallybook.sim.oracle.graph import paths_of
from tallybook.sim.oracle.usage import take_in
from tallybook.sim.world.traces import DEEPEST, Trace, only_calls

WINDOW = (1_790_000_000_000_000, 1_792_000_000_000_000)
Event = dict[str, Any]


def traces() -> list[Trace]:
    return [Trace(Random(seed), str(seed), WINDOW) for seed in range(150)]


def test_traces_are_deep_now_and_then_and_cross_the_end_of_the_month() -> None:
    depths = [max(map(len, paths_of(trace.told))) for trace in traces()]
    assert DEEPEST // 2 < max(depths) <= DEEPEST
    assert sorted(depths)[len(depths) // 2] < 8
    starts = [
        {parse_instant(event["started_at"]) < WINDOW[1] for event in trace.told}
        for trace in traces()
    ]
    assert {True, False} in starts


def test_spans_are_told_twice_otherwise_and_by_several() -> None:
    intake = take_in([event for trace in traces() for event in [*trace.told, *trace.rows]])
    assert min(intake.accepted, intake.duplicate, intake.quarantined) > 20
    told = Counter(event["source"] for event in intake.standing)
    assert min(told["otel"], told["langfuse"], told["gateway"]) > 10


def test_there_are_circles_orphans_several_roots_and_steps_that_lie() -> None:
    found: Counter[str] = Counter()
    for trace in traces():
        spans = {event["span_id"]: event for event in trace.told}
        tops = {path[-1]["span_id"] for path in paths_of([*spans.values()])}
        found["several roots"] += len(tops) > 1
        for event in spans.values():
            parent = event.get("parent_span_id")
            found["orphan"] += parent is not None and parent not in spans
            found["circle"] += event["span_id"] in tops and parent in spans
            found["lie"] += "claims" in event.get("labels", {})
            found["cached"] += event.get("usage") == "reported"
    assert min(found.values()) > 3, found
    assert len(found) == 5


def test_a_trace_of_calls_alone_has_no_steps() -> None:
    rows = [row for seed in range(20) for row in only_calls(Random(seed), str(seed), WINDOW)]
    assert {row["source"] for row in rows} == {"gateway"}
    assert any("parent_span_id" in row for row in rows)
