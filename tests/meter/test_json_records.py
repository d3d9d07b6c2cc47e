"""JSON as programs in JavaScript write it: half a character where a text was cut."""

from __future__ import annotations

import json
import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.sources.json_records import decoded

HALVES = st.text(st.sampled_from('a\\"u\ud83d\ude00\u00e9'), max_size=8)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb'"cut \ud83d"', "cut \ufffd"),
        (rb'"\ude00 first"', "\ufffd first"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"no half: \\ud83d, one: \uD83D"', "no half: \\ud83d, one: \ufffd"),
    ],
)
def test_half_a_character_is_read_as_protobuf_has_it(written, read):
    assert decoded(written) == read


@given(HALVES)
def test_any_text_is_read_as_utf_16_has_it(text):
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert decoded(json.dumps(text).encode()) == whole


@pytest.mark.parametrize("broken", [b"", b'{"a": \\ud83d}', b'"\\ud83', b"[1,", rb'"\x"'])
def test_what_is_no_json_stays_none(broken):
    with pytest.raises(msgspec.DecodeError):
        decoded(broken)


def test_a_text_full_of_escapes_is_mended_in_place():
    """Taken apart at each, 60 megabytes of them took four gigabytes."""
    text = rb'["\ud83d", "' + rb"\n" * 50_000 + b'"]'
    decoded(text)
    tracemalloc.start()
    try:
        decoded(text)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 5 * len(text)
