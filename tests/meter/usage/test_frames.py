"""Frames: lengths and check sums, in any pieces."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meter.usage.framing import frame
from tallybook.errors import EventError
from tallybook.meter.usage.frames import Frame, Frames

PAIR = frame("metadata", b'{"a":1}') + frame("chunk", b"")


def read(*pieces):
    frames = Frames()
    return [found for piece in pieces for found in frames.feed(piece)]


def test_frames_are_headers_and_payload():
    first, second = read(PAIR)
    assert first.headers[":event-type"] == "metadata"
    assert (first.payload, second.payload) == (b'{"a":1}', b"")


@given(st.lists(st.integers(0, len(PAIR)), max_size=8))
def test_any_pieces_give_the_same_frames(cuts):
    places = [0, *sorted(cuts), len(PAIR)]
    pieces = [PAIR[start:end] for start, end in pairwise(places)]
    assert read(*pieces) == read(PAIR)


def test_a_frame_that_is_begun_gives_nothing_yet():
    frames = Frames()
    assert list(frames.feed(PAIR[:-1])) == read(PAIR)[:1]
    assert not frames.is_between
    assert list(frames.feed(PAIR[-1:])) == read(PAIR)[1:]
    assert frames.is_between


@pytest.mark.parametrize("place", [0, 5, 9, 13, 30, len(PAIR) - 1])
def test_one_wrong_bit_is_found_and_its_frame_named(place):
    damaged = bytearray(PAIR)
    damaged[place] ^= 1
    with pytest.raises(EventError, match=r"the frame at byte \d+ is damaged"):
        read(bytes(damaged))


def test_a_length_that_no_frame_has_is_refused_before_it_is_waited_for():
    prelude = struct.pack(">II", 2**31, 0)
    with pytest.raises(EventError, match="its length is 2147483648"):
        read(prelude + struct.pack(">I", zlib.crc32(prelude)))


def test_headers_of_every_type_are_passed_over_but_text():
    kinds = [(0, b""), (1, b""), (2, b"a"), (3, b"ab"), (4, b"abcd"), (5, b"abcdefgh")]
    kinds += [(6, b"\0\2hi"), (8, b"abcdefgh"), (9, b"abcdefghabcdefgh"), (7, b"\0\2ok")]
    headers = b"".join(
        b"\x01" + bytes([97 + n]) + bytes([kind]) + value for n, (kind, value) in enumerate(kinds)
    )
    assert read(frame("x", b"p", headers)) == [Frame({"j": "ok"}, b"p")]


@given(st.binary(max_size=80))
def test_headers_that_are_damaged_behind_right_sums_are_refused(headers):
    try:
        read(frame("x", b"", headers))
    except EventError as error:
        assert "its headers cannot be read" in error.what  # noqa: PT017 - either may be
