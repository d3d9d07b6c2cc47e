"""The tree of a trace, row by row of `docs/call_graph.md`."""

from __future__ import annotations

from typing import Any

import pytest

from tallybook.sim.oracle.graph import paths_of

Event = dict[str, Any]


def node(name: str, minute: int = 0, **place: str) -> Event:
    at = f"2026-10-03T00:{minute:02}:00Z"
    return {"event_id": name, "source": "otel", "started_at": at, **place}


def span(name: str, parent: str = "", minute: int = 0, **more: str) -> Event:
    place = {"trace_id": "t", "span_id": name} | ({"parent_span_id": parent} if parent else {})
    return node(name, minute, **place, **more)


def lay(*nodes: Event) -> dict[str, str]:
    paths = paths_of(nodes)
    return {path[0]["event_id"]: "".join(one["event_id"] for one in path) for path in paths}


LOOSE = node("l", trace_id="t")


@pytest.mark.parametrize(
    ("nodes", "paths"),
    [
        ([node("l")], {"l": "l"}),
        ([span("a"), span("b", "a"), span("c", "b")], {"a": "a", "b": "ba", "c": "cba"}),
        ([span("a"), LOOSE], {"a": "a", "l": "la"}),
        ([span("a"), span("b"), LOOSE], {"a": "a", "b": "b", "l": "l"}),
        ([span("a"), span("o", "gone"), span("p", "o")], {"a": "a", "o": "oa", "p": "poa"}),
        ([span("a"), span("b"), span("o", "gone")], {"a": "a", "b": "b", "o": "o"}),
        ([span("o", "gone"), LOOSE], {"o": "o", "l": "lo"}),
        ([span("o", "gone"), span("p", "away"), LOOSE], {"o": "o", "p": "p", "l": "l"}),
        ([span("s", "s"), span("t", "s")], {"s": "s", "t": "ts"}),
    ],
)
def test_where_a_node_stands(nodes: list[Event], paths: dict[str, str]) -> None:
    assert lay(*nodes) == paths
    assert lay(*reversed(nodes)) == paths


def test_of_a_cycle_the_first_to_start_is_a_root_then_the_smallest_id() -> None:
    circle = [span("a", "c", 2), span("b", "a", 1), span("c", "b", 3), span("d", "c")]
    assert lay(*circle) == {"b": "b", "c": "cb", "a": "acb", "d": "dcb"}
    assert lay(span("b", "a"), span("a", "b")) == {"a": "a", "b": "ba"}


def test_two_traces_have_nothing_to_do_with_each_other() -> None:
    other = node("x", trace_id="u", span_id="x", parent_span_id="a")
    assert lay(span("a"), other) == {"a": "a", "x": "x"}


def test_of_two_parents_the_most_believed_then_the_first_to_start() -> None:
    roots = [span("r"), span("b", "r", 1), span("a", "r", 2)]
    one, other = span("x", "b", 3), span("x", "a", 4, source="langfuse")
    assert lay(*roots, other, one)["x"] == "xbr"
    at_once = [span("x", "b", 3, source="langfuse"), span("x", "a", 3)]
    assert lay(*roots, *at_once)["x"] == "xar"
    by_gateway = span("x", "a", 5, source="gateway")
    assert lay(*roots, one, by_gateway)["x"] == "xar"
    assert lay(*roots, span("x", minute=2), one)["x"] == "x"


def test_a_long_chain_is_not_cut() -> None:
    nodes = [span("0"), *(span(str(n), str(n - 1)) for n in range(1, 400))]
    assert len(paths_of(nodes)[-1]) == 400
