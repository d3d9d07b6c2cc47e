"""Where a body ends, whatever the pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.gateway.framing import LAST_CHUNK, Body, FramingError, chunk
from tallybook.gateway.heads import CHUNKED, UNTIL_CLOSE

cuts = st.lists(st.integers(1, 7), max_size=60)


def fed(body, data, sizes):
    """All content, and how many bytes belonged to the message, fed in pieces of these sizes."""
    content, used, at = b"", 0, 0
    for size in [*sizes, len(data)]:
        piece = data[at : at + size]
        at += len(piece)
        while piece:
            got, taken = body.feed(piece)
            content += got
            used += taken
            if body.ended:
                return content, used
            piece = piece[taken:]
    return content, used


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8), cuts, st.binary(max_size=9))
def test_chunks_in_any_pieces_are_the_content_and_end_at_their_byte(parts, sizes, after):
    data = b"".join(map(chunk, parts)) + LAST_CHUNK
    body = Body(CHUNKED)
    assert fed(body, data + after, sizes) == (b"".join(parts), len(data))
    assert body.ended
    assert body.size == len(b"".join(parts))


@given(st.binary(max_size=60), cuts, st.binary(max_size=9))
def test_a_length_is_kept_to_the_byte(content, sizes, after):
    body = Body(len(content))
    if content:
        assert fed(body, content + after, sizes) == (content, len(content))
    assert body.ended
    assert body.feed(after) == (b"", 0)


def test_extensions_and_trailers_belong_to_the_message():
    data = b"3;name=value\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    body = Body(CHUNKED)
    assert body.feed(data + b"HTTP") == (b"abc", len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc0\r\n",
        b" 3\r\nabc\r\n",
        b"3 x\r\nabc\r\n",
        b"3;a\rb\r\nabc\r\n",
        b"fffffffffffffffff\r\n",
        b"3" + b";" * 2000,
        b"0\r\n" + b"X: 1234567890\r\n" * 1000,
    ],
)
def test_what_is_no_chunk_is_refused(data):
    with pytest.raises(FramingError):
        Body(CHUNKED).feed(data)


def test_a_close_ends_only_what_has_no_length():
    assert Body(UNTIL_CLOSE).closed()
    cut = Body(5)
    cut.feed(b"abc")
    assert not cut.closed()
    assert not Body(CHUNKED).closed()
    assert chunk(b"") == b""


LINES = st.sampled_from(
    [b"3", b"0003", b"3 ", b"3;a=b", b"A", b"0", b"-3", b"+3", b"3_0", b"x", b""]
)
PIECES = st.sampled_from([b"abc", b"\r\n", b"abc\r\n", b"0123456789", b"\r\n\r\n", b"0\r\n\r\n"])


@given(st.lists(st.tuples(LINES, PIECES).map(b"\r\n".join), max_size=6), cuts)
def test_chunks_that_are_whole_are_taken_as_byte_by_byte(parts, sizes):
    data = b"\r\n".join(parts)

    def outcome(pieces):
        body = Body(CHUNKED)
        try:
            return fed(body, data, pieces), body.ended, body.size
        except FramingError:
            return "refused"

    assert outcome(sizes) == outcome([1] * len(data))
