"""The nouns of a reading."""

from __future__ import annotations

from tallybook.meter.usage.model import WIRES, Part, UsageReading


def test_no_figure_is_unknown_not_zero():
    part = Part("gpt-4o")
    assert part.tokens is None
    assert part.units is None


def test_wires_are_the_published_ones():
    assert WIRES == ("json", "sse", "ndjson", "aws-eventstream")


def test_a_reading_has_no_parts_unless_told():
    assert UsageReading("openai", "gpt-4o", "unknown").parts == ()
