"""Flattened usage comes apart into classes that do not overlap, or is refused with its figures."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.sources.flattened import CONVENTIONS, count, tokens_of

LITELLM = CONVENTIONS["litellm"]
counts = st.integers(min_value=0, max_value=10**9)


@given(counts, counts, counts, counts)
def test_an_inclusive_input_is_the_sum_of_its_classes(uncached, read, written, output):
    usage = {
        "prompt_tokens": uncached + read + written,
        "completion_tokens": output,
        "prompt_tokens_details": {"cached_tokens": read, "cache_creation_tokens": written},
    }
    tokens = tokens_of(usage, LITELLM)
    assert tokens["input_uncached"] == uncached
    assert sum(tokens.values()) == uncached + read + written + output


@given(counts, st.integers(min_value=1, max_value=10**9), counts)
def test_the_total_of_the_record_decides_whether_the_cache_is_inside(uncached, read, output):
    beside = {
        "prompt_tokens": uncached,
        "completion_tokens": output,
        "total_tokens": uncached + read + output,
        "prompt_tokens_details": {"cached_tokens": read},
    }
    inside = beside | {"prompt_tokens": uncached + read}
    assert tokens_of(beside, LITELLM) == tokens_of(inside, LITELLM)


def test_reasoning_beside_the_output_is_added_to_it():
    """xAI's chat: 12 + 2 + 340 = 354."""
    details = {"completion_tokens_details": {"reasoning_tokens": 340}}
    usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354} | details
    assert tokens_of(usage, LITELLM) == {"reasoning": 340, "input_uncached": 12, "output": 342}


def test_audio_and_images_are_classes_of_their_own():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"audio_tokens": 30, "image_tokens": 20},
        "completion_tokens_details": {"audio_tokens": 40, "reasoning_tokens": 4},
    }
    assert tokens_of(usage, LITELLM) == {
        "audio_input": 30,
        "image_input": 20,
        "reasoning": 4,
        "input_uncached": 50,
        "output": 10,
        "audio_output": 40,
    }


def test_a_time_to_live_that_is_not_stated_stays_without_one():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {
            "cached_write_tokens": 9,
            "cached_write_token_details": {"cached_write_tokens_1h": 2},
        },
    }
    tokens = tokens_of(usage, CONVENTIONS["bifrost"])
    assert tokens == {"cache_write_1h": 2, "cache_write": 7, "input_uncached": 1, "output": 1}


def test_figures_that_are_not_there_are_unknown():
    assert tokens_of({}, LITELLM) is None
    assert tokens_of({"completion_tokens": 5}, LITELLM) == {"input_uncached": None, "output": 5}


@pytest.mark.parametrize(
    ("usage", "what"),
    [
        ({"cache_read_input_tokens": 11}, "cache_read is 11, more than all input, 10"),
        ({"completion_tokens_details": {"audio_tokens": 6}}, "audio_output is 6, more than all"),
        (
            {"prompt_tokens_details": {"cache_creation_tokens": 1,
                                       "cache_creation_token_details":
                                           {"ephemeral_5m_input_tokens": 2}}},
            "cache_write_5m is 2, more than all cache writes, 1",
        ),
        ({"prompt_tokens": -1}, "prompt_tokens is -1"),
        ({"prompt_tokens": 1.5}, "prompt_tokens is 1.5"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_with_their_figures(usage, what):
    with pytest.raises(EventError, match=what):
        tokens_of({"prompt_tokens": 10, "completion_tokens": 5} | usage, LITELLM)


@pytest.mark.parametrize("told", [150, "150", Decimal("150.0")])
def test_a_count_may_be_written_as_a_decimal(told):
    assert count(told, ("req_units",)) == 150


@pytest.mark.parametrize("told", [True, "", "1e3", Decimal("1E+400"), Decimal("NaN"), 2**63, []])
def test_what_is_no_count_is_refused(told):
    with pytest.raises(EventError, match="req_units"):
        count(told, ("req_units",))
