"""Bytes pass unchanged, but for the one chunk that only we asked for."""

from __future__ import annotations

import gzip
import json
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.bodies import chat_chunks
from tallybook.sdk.passing import Unpacking, WithoutUsageChunk, encodings_readable


def events(chunks, end="\n"):
    return [f"data: {json.dumps(chunk)}{end}{end}".encode() for chunk in chunks]


def cut(data, cuts):
    at = sorted({0, len(data), *(min(each, len(data)) for each in cuts)})
    return [data[a:b] for a, b in pairwise(at)]


@given(st.lists(st.integers(0, 3000)), st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_usage_chunk_is_taken_out_however_the_stream_is_cut(cuts, end):
    parts = events(chat_chunks(usage=True), end)
    done = f"data: [DONE]{end}{end}".encode()
    without = WithoutUsageChunk()
    passed = b"".join(map(without.feed, cut(b"".join(parts) + done, cuts))) + without.rest()
    assert passed == b"".join(parts[:-1]) + done


@given(st.lists(st.binary()))
def test_anything_else_passes_as_it_came(pieces):
    without = WithoutUsageChunk()
    passed = b"".join(map(without.feed, pieces)) + without.rest()
    assert passed == b"".join(pieces)


def test_usage_beside_choices_and_azures_first_chunk_stay():
    beside = {"choices": [{"delta": {}}], "usage": {"prompt_tokens": 1}}
    first = {"choices": [], "prompt_filter_results": [], "usage": None}
    data = b"".join(events([first, beside]))
    assert WithoutUsageChunk().feed(data) == data


def test_a_last_chunk_without_an_end_is_taken_out_too():
    without = WithoutUsageChunk()
    assert without.feed(events(chat_chunks(usage=True))[-1].rstrip()) == b""
    assert without.rest() == b""


raw_deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("", b"hello" * 100),
        ("identity", b"hello" * 100),
        ("gzip", gzip.compress(b"hello" * 100, mtime=0)),
        ("deflate", zlib.compress(b"hello" * 100)),
        ("deflate", raw_deflate.compress(b"hello" * 100) + raw_deflate.flush()),
    ],
)
def test_content_is_unpacked_as_it_passes(encoding, packed):
    unpacking = Unpacking(encoding)
    half = len(packed) // 2
    assert unpacking.feed(packed[:half]) + unpacking.feed(packed[half:]) == b"hello" * 100


def test_what_is_no_gzip_raises():
    unpacking = Unpacking("gzip")
    with pytest.raises(zlib.error):
        unpacking.feed(b"no gzip, and no deflate either")


def test_only_encodings_that_can_be_read_are_accepted():
    assert encodings_readable("gzip, deflate, br, zstd") == "gzip, deflate"
    assert encodings_readable("br;q=1.0") == "identity"
    assert encodings_readable("") == "identity"
