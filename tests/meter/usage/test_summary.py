"""Totals of a reading; what is not told stays untold."""

from __future__ import annotations

from tallybook.meter.usage.model import Part, UsageReading
from tallybook.meter.usage.summary import summary


def test_parts_are_added_up_and_classes_grouped():
    parts = (
        Part(
            "a",
            {
                "input_uncached": 5,
                "audio_input": 2,
                "cache_read": 3,
                "cache_write_5m": 4,
                "output": 1,
            },
        ),
        Part("b", {"input_uncached": 1, "cache_read_audio": 1, "image_output": 7, "reasoning": 0}),
    )
    told = summary(UsageReading("p", "a", "reported", parts, reported_cost=("0.5", "USD")))
    assert told == {
        "usage_found": True,
        "input_tokens": 16,
        "uncached_input_tokens": 8,
        "cache_read_tokens": 4,
        "cache_write_tokens": 4,
        "cache_write_5m_tokens": 4,
        "cache_write_1h_tokens": None,
        "output_tokens": 8,
        "reasoning_tokens": 0,
        "extras": {"provider_cost_usd": "0.5"},
    }


def test_one_unknown_class_makes_its_totals_unknown():
    part = Part("a", {"input_uncached": None, "cache_read": 3, "output": 2})
    told = summary(UsageReading("p", "a", "reported", (part,)))
    assert (told["input_tokens"], told["cache_read_tokens"], told["output_tokens"]) == (None, 3, 2)


def test_no_figure_is_no_usage():
    told = summary(UsageReading("p", "a", "unknown", (Part("a"),)))
    assert told["usage_found"] is False
    assert set(told.values()) == {False, None}
