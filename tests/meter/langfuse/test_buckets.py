"""Buckets do not overlap, and their total is never an addend."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.langfuse.buckets import classes_of


def test_disjoint_buckets():
    found = classes_of(
        {
            "input": 30,
            "input_cached_tokens": 60,
            "input_cache_creation_5m": 7,
            "input_cache_creation_1h": 3,
            "output": 15,
            "output_reasoning_tokens": 5,
            "total": 120,
        }
    )
    assert found.tokens == {
        "input_uncached": 30,
        "cache_read": 60,
        "cache_write_5m": 7,
        "cache_write_1h": 3,
        "output": 20,
        "reasoning": 5,
    }
    assert sum(found.tokens.values()) - found.tokens["reasoning"] == 120


def test_the_total_tells_of_buckets_that_overlap():
    found = classes_of({"input": 100, "prompt_details.cache_read": 60, "output": 20, "total": 120})
    assert found.tokens == {"input_uncached": 40, "cache_read": 60, "output": 20}
    assert "buckets_overlap" in found.labels


def test_details_that_do_not_fit_are_refused():
    with pytest.raises(EventError, match="the buckets inside it add up to 60"):
        classes_of({"input": 10, "input_cached_tokens": 60, "output": 5, "total": 15})


def test_what_is_absent_is_unknown():
    assert classes_of({}).tokens is None
    assert classes_of({"input": None}).tokens is None
    assert classes_of({"input": 1988, "total": 1988}).tokens == {
        "input_uncached": 1988,
        "output": None,
    }
    alone = classes_of({"total": 7})
    assert alone.tokens == {"input_uncached": None, "output": None}
    assert alone.labels == {"total_tokens": "7"}


def test_a_bucket_that_nobody_knows_waits_for_a_price():
    found = classes_of({"input": 5, "output": 1, "web_pages": 3, "nothing": 0})
    assert found.units == {"web_pages": 3}


@pytest.mark.parametrize("count", [-1, "x", True, Decimal("1.5"), 2**64, [], "9" * 30])
def test_a_bucket_that_is_no_count_is_refused(count):
    with pytest.raises(EventError, match=r"usageDetails\.input is"):
        classes_of({"input": count})


@given(
    st.fixed_dictionaries(
        {
            name: st.integers(0, 10**9)
            for name in ("input", "input_cached_tokens", "output", "output_reasoning_tokens")
        }
    )
)
def test_classes_add_up_to_the_total(buckets):
    total = sum(buckets.values())
    tokens = classes_of({**buckets, "total": total}).tokens
    assert sum(count for name, count in tokens.items() if name != "reasoning") == total
