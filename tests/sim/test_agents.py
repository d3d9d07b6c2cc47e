"""The demo's agent: runs across teams, spans that its services' rows know."""

from __future__ import annotations

from collections import Counter

from tallybook.clock import parse_instant
from tallybook.sim.agents import ORIGIN, runs_of
from tallybook.sim.oracle.graph import paths_of
from tallybook.sim.traffic import Month

MONTH = Month.of("2026-09", "Europe/Amsterdam")


def test_the_same_seed_makes_the_same_runs_and_another_seed_others() -> None:
    assert runs_of(MONTH, 1, 20) == runs_of(MONTH, 1, 20) != runs_of(MONTH, 2, 20)


def test_every_run_is_one_tree_whose_root_alone_says_for_whom() -> None:
    spans = runs_of(MONTH, 1, 20)
    paths = paths_of(spans)
    roots = {path[-1]["span_id"] for path in paths}
    assert len(roots) == len({span["trace_id"] for span in spans}) == 16
    assert {span["span_id"] for span in spans if "feature" in span} == roots
    assert all(path[-1]["feature"] == ORIGIN["feature"] for path in paths)
    assert max(len(path) for path in paths) == 4


def test_runs_lie_in_their_month_and_some_searches_fail() -> None:
    spans = runs_of(MONTH, 1)
    end_us = parse_instant("2026-09-30T22:00:00Z")
    assert all(parse_instant(span["started_at"]) < end_us for span in spans)
    told = Counter((span.get("service"), span["status"]) for span in spans)
    assert 0 < told["retrieval", "error"] < told["retrieval", "ok"] // 10
