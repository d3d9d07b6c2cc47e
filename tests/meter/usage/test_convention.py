"""The arithmetic: disjoint classes, or a refusal; never a figure cut to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.usage.convention import Convention, counted
from tallybook.meter.usage.conventions import ANTHROPIC, CHAT, GEMINI, RESPONSES

COUNTS = st.integers(0, 10_000)


def chat(prompt, completion, **details):
    return {"prompt_tokens": prompt, "completion_tokens": completion, **details}


def test_what_is_inside_is_taken_out():
    usage = chat(
        100,
        20,
        prompt_tokens_details={"cached_tokens": 30, "cache_write_tokens": 20, "audio_tokens": 10},
        completion_tokens_details={"reasoning_tokens": 5, "audio_tokens": 4},
    )
    assert counted(usage, CHAT).tokens == {
        "input_uncached": 40,
        "cache_read": 30,
        "cache_write": 20,
        "audio_input": 10,
        "output": 16,
        "audio_output": 4,
        "reasoning": 5,
    }


def test_writes_are_split_by_time_to_live_and_the_rest_has_none():
    details = {
        "cache_write_tokens": 50,
        "cache_write_tokens_details": {"ttl_30m_tokens": 30, "ttl_12h_tokens": 5},
    }
    made = counted(chat(60, 1, prompt_tokens_details=details), CHAT)
    assert made.tokens == {
        "cache_write_30m": 30,
        "cache_write_12h": 5,
        "cache_write": 15,
        "input_uncached": 10,
        "output": 1,
    }


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (chat(10, 1, prompt_tokens_details={"cached_tokens": 11}), "11, more than"),
        (
            chat(10, 1, prompt_tokens_details={"cached_tokens": 6, "cache_write_tokens": 5}),
            "5, more than what is left",
        ),
        (chat(10, 1, prompt_tokens_details={"audio_tokens": 11}), "11, more than"),
        (chat(10, 1, completion_tokens_details={"audio_tokens": 2}), "2, more than"),
        (chat(10, -1), "completion_tokens is -1"),
        ({"prompt_tokens": 10, "total_tokens": 9}, "10, more than the total, 9"),
    ],
)
def test_a_part_above_its_whole_is_refused_and_never_cut(usage, words):
    with pytest.raises(EventError, match=words):
        counted(usage, CHAT)


def test_a_split_above_its_write_is_refused():
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "cache_creation_input_tokens": 5,
        "cache_creation": {"ephemeral_5m_input_tokens": 6},
    }
    with pytest.raises(EventError, match="6, more than the cache writes, 5"):
        counted(usage, ANTHROPIC)


def test_cached_audio_is_its_own_class():
    usage = {
        "input_tokens": 100,
        "output_tokens": 1,
        "input_token_details": {
            "audio_tokens": 60,
            "text_tokens": 40,
            "cached_tokens": 50,
            "cached_tokens_details": {"audio_tokens": 20, "text_tokens": 30},
        },
    }
    assert counted(usage, RESPONSES).tokens == {
        "cache_read": 30,
        "cache_read_audio": 20,
        "audio_input": 40,
        "input_uncached": 10,
        "output": 1,
    }


def test_an_overlap_that_is_not_told_makes_the_split_a_bound():
    usage = chat(100, 1, prompt_tokens_details={"cached_tokens": 90, "image_tokens": 60})
    made = counted(usage, CHAT)
    assert made.tokens == {"cache_read": 90, "input_uncached": 10, "output": 1}
    assert made.estimated
    assert "overlap" in made.notes[0]
    assert made.extras == {"input_image_tokens": 60}


def test_the_total_settles_an_absent_figure():
    assert counted({"prompt_tokens": 8, "total_tokens": 8}, CHAT).tokens["output"] == 0
    assert counted({"completion_tokens": 3, "total_tokens": 8}, CHAT).tokens["input_uncached"] == 5
    assert counted({"prompt_tokens": 8}, CHAT).tokens == {"input_uncached": 8, "output": None}
    assert counted({"total_tokens": None}, CHAT) is None


def test_reasoning_above_the_output_is_told_beside_it():
    made = counted(chat(1, 2, completion_tokens_details={"reasoning_tokens": 9}), CHAT)
    assert made.tokens == {"input_uncached": 1, "output": 2}
    assert made.extras == {"reasoning_tokens": 9}


def test_a_surplus_that_is_the_reasoning_stands_beside():
    made = counted(
        chat(12, 2, total_tokens=354, completion_tokens_details={"reasoning_tokens": 340}), CHAT
    )
    assert made.tokens == {"input_uncached": 12, "output": 342, "reasoning": 340}


def test_a_surplus_that_nobody_explains_is_noted_and_not_billed():
    made = counted(chat(12, 2, total_tokens=20), CHAT)
    assert made.tokens["output"] == 2
    assert "6 above input and output" in made.notes[0]


@given(
    st.dictionaries(
        st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens"]), COUNTS
    ),
    st.dictionaries(
        st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens"]),
        COUNTS,
    ),
    st.sampled_from([CHAT, RESPONSES, GEMINI, ANTHROPIC]),
)
def test_disjoint_classes_add_up_to_the_whole(figures, details, how: Convention):
    """Whatever is told: the classes of input make up the input, and none is below zero."""
    names = {"prompt_tokens": how.input[0][0], "completion_tokens": how.output[0][0]}
    usage = {names.get(key, key): number for key, number in figures.items()}
    usage |= {"prompt_tokens_details": details, "input_tokens_details": details}
    try:
        made = counted(usage, how)
    except EventError:
        return
    if made is None:
        return
    tokens = made.tokens
    assert all(number is None or number >= 0 for number in tokens.values())
    whole = usage.get(how.input[0][0])
    output = {"output", "audio_output", "image_output", "reasoning"}
    told = [number for name, number in tokens.items() if name not in output]
    if whole is not None and how.cache == "inside" and None not in told:
        assert sum(told) == whole
