"""The benchmark of the reader reads what it says."""

from __future__ import annotations

from bench.usage import CHAT_STREAM, MESSAGE_STREAM, figures

from tallybook.meter.usage.read import read_response


def test_each_figure_is_measured_and_has_its_unit():
    found = figures(0.01)
    assert len(found) == 4
    assert all(one.value > 0 and one.unit == "responses/s" for one in found)


def test_the_streams_of_the_benchmark_are_whole():
    for body, provider in ((CHAT_STREAM, "openai"), (MESSAGE_STREAM, "anthropic")):
        assert read_response(body, provider=provider, wire="sse").usage == "reported"
