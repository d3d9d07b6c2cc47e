"""What is written as spans is read back as the event that was drawn."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tallybook.errors import EventError
from tallybook.meter.sources.registry import open_product
from tallybook.sim.agents import runs_of
from tallybook.sim.spans import WRITERS
from tallybook.sim.traffic import Month
from tallybook.sim.world.traces import TRACERS, Trace

WINDOW = (1_790_000_000_000_000, 1_792_000_000_000_000)
KEPT = (
    *("event_id", "source", "trace_id", "span_id", "service", "team", "feature", "purpose"),
    *("key_id", "environment", "customer", "user", "response_id"),
)


def drawn() -> list[dict[str, Any]]:
    events = [event for seed in range(30) for event in Trace(Random(seed), "1", WINDOW).told]
    return [*events, *runs_of(Month.of("2026-09", "UTC"), 1, 100)]


@pytest.mark.parametrize("source", TRACERS)
def test_each_span_is_the_event_that_was_drawn(source: str, tmp_path: Path) -> None:
    events = [event for event in drawn() if event["source"] == source]
    path = tmp_path / "spans.jsonl"
    path.write_text(WRITERS[source](events, events[:2]))
    *read, one, two = open_product(source, [path]).read()
    assert isinstance(one.event, EventError)
    assert isinstance(two.event, EventError)
    assert len(read) == len(events) > 5
    for reading, event in zip(read, events, strict=True):
        told = reading.event
        assert not isinstance(told, EventError), told
        assert {name: getattr(told, name) for name in KEPT} == {
            name: event.get(name) for name in KEPT
        }
        assert told.parent_span_id == event.get("parent_span_id")
        assert told.status == event["status"]
        assert (reading.role == "span") == (event.get("role") == "step")
        wanted = event.get("tokens")
        assert (told.tokens or None) == wanted
