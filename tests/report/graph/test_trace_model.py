"""A trace as a noun: its nodes are read when they are asked for, its total is that of its columns."""

from __future__ import annotations

from tallybook.report.graph.trace_model import Trace


def test_nodes_are_read_by_their_places_in_the_tree():
    asked = []

    def read(places):
        asked.append(list(places))
        return iter(())

    trace = Trace("t", "2026-10", "USD", 2, [-1, 0], [3, 4], [7, 4], {}, read)
    assert (len(trace), trace.total_pico) == (2, 7)
    assert asked == []
    assert list(trace.nodes) == []
    assert asked == [[0, 1]]
