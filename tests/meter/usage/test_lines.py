"""Lines and server-sent events, in any pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.usage.lines import BOM, Lines, ServerEvents


def lines(*pieces):
    reader = Lines()
    found = [line for piece in pieces for line in reader.feed(piece)]
    return [*found, reader.rest()]


def events(*told):
    reader = ServerEvents()
    return [data for line in told for data in reader.line(line)] + reader.rest()


def test_ends_of_lines_and_a_mark_at_the_start_are_taken_off():
    assert lines(BOM + b"a\r\nb\n", b"c") == [b"a", b"b", b"c"]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_any_pieces_give_the_same_lines(data, cuts):
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert lines(*pieces) == lines(data)


def test_a_blank_line_ends_an_event():
    assert events(b"event: a", b"data: 1", b"", b": ping", b"data:2", b"") == [b"1", b"2"]


def test_the_last_event_needs_no_blank_line():
    assert events(b"data: 1") == [b"1"]


def test_what_is_no_stream_is_known():
    reader = ServerEvents()
    reader.line(b'{"error": 1}')
    assert not reader.is_stream
    reader.line(b"event: x")
    assert reader.is_stream


def test_lines_of_one_event_are_one_text():
    assert events(b"data: {", b"data: }", b"", b"data: 1") == [b"{\n}", b"1"]
