"""Real traces in which one call stands twice, or a figure is missing; skipped without the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallybook.meter.ingest import ingest
from tallybook.meter.resolve.seal import seal_usage
from tallybook.meter.sources.registry import open_product

TRACES = Path(__file__).parents[4] / "shared" / "data" / "langfuse_traces"

pytestmark = pytest.mark.skipif(not TRACES.is_dir(), reason=f"{TRACES} is not there: no real data")


def billed(books, name: str):
    """Input, output and state of every row that bills, once a real trace is in."""
    ingest(
        books.store,
        open_product("langfuse", [TRACES / f"{name}.trace.json"]),
        clock=books.clock,
        new_id=lambda: f"s{next(books.ids)}",
        on_progress=None,
        reject_folder=books.home / "rejects",
    )
    seal_usage(books.store, books.calendar)
    return books.billed("context_tokens", "output", "state")


def test_agno_states_each_call_twice_and_the_inner_spans_bill_826_not_2936(books):
    rows = billed(books, "agno-2025-06-11")
    assert sum(row[0] for row in rows) == 826
    assert rows == [(163, 20, "reported"), (663, 225, "reported")]


def test_vercels_outer_span_repeats_the_inner_one(books):
    assert billed(books, "vercel-aisdk-2025-11-17") == [(62, 85, "reported")]


def test_beeai_leaves_its_output_out_and_it_stays_unknown(books):
    rows = billed(books, "beeai-2025-08-01")
    assert [row[1] for row in rows] == [None] * 5
    assert {row[2] for row in rows} == {"partial", "unknown"}


def test_pydantic_ais_agents_add_nothing_to_their_calls(books):
    rows = billed(books, "pydantic-ai-tools-2025-12-04")
    assert sum(row[0] for row in rows) == 131 + 265 + 417 + 502
    assert {row[2] for row in rows} == {"reported"}
