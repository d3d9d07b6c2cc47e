"""One trace through the commands: every call is in each answer, or there is no figure."""

import json

import pytest
from bench.one_trace import one_trace_figures, write_trace


def test_every_command_is_measured(tmp_path):
    figures = one_trace_figures(tmp_path, 300)
    assert [one.unit for one in figures] == ["CPU s", "MB"] * 6
    assert all(one.value > 0 for one in figures)
    assert figures[0].what == "one trace of 300 calls: ingest"
    assert len(one_trace_figures(tmp_path, 300)) == len(figures), "books of a run before"


def test_a_call_that_is_lost_gives_no_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "bench.one_trace.write_trace", lambda path, calls: write_trace(path, calls - 1)
    )
    with pytest.raises(AssertionError, match="19 accepted"):
        one_trace_figures(tmp_path, 20)


def test_half_of_it_is_a_chain(tmp_path):
    write_trace(tmp_path / "calls.jsonl", 20)
    lines = (tmp_path / "calls.jsonl").read_text().splitlines()
    above = [int(json.loads(one).get("parent_span_id", "0"), 16) - 1 for one in lines]
    assert above == [-1, *range(9), *((n - 1) // 8 for n in range(10, 20))]
