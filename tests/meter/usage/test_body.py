"""A parsed body, a bare usage object, and the draft between."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from tallybook.errors import EventError
from tallybook.meter.usage.body import drafted, take
from tallybook.meter.usage.draft import Draft, units_of
from tallybook.meter.usage.model import Part
from tallybook.meter.usage.read import read_body, read_parts, read_usage

ITERATIONS = {
    "input_tokens": 1,
    "output_tokens": 1,
    "iterations": [
        {"type": "compaction", "input_tokens": 9, "output_tokens": 1},
        {"type": "message", "input_tokens": 1, "output_tokens": 1},
    ],
}


def test_a_shape_that_nobody_knows_is_unknown_with_a_note():
    reading = read_body({"hello": 1}, provider="somebody")
    assert (reading.usage, reading.parts) == ("unknown", (Part(""),))
    assert "nobody knows the shape" in reading.notes[0]


def test_the_model_that_served_beats_the_one_that_was_asked_for():
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    assert (
        read_body({"model": "a-2026", "usage": usage}, provider="x", model="a").parts[0].model
        == "a-2026"
    )
    reading = read_body({"usage": usage}, provider="x", model="a")
    assert (reading.model, reading.parts[0].model) == ("", "a")


def test_several_operations_are_parts_and_no_single_one():
    parts = read_parts(ITERATIONS, provider="anthropic", model="claude")
    assert [part.operation for part in parts] == ["compaction", ""]
    with pytest.raises(EventError, match="2 operations"):
        read_usage(ITERATIONS, provider="anthropic")


def test_a_bare_usage_without_figures_is_a_part_without_tokens():
    assert read_usage({}, provider="openai", model="m") == Part("m")
    assert read_usage({"beans": 3}, provider="openai", model="m") == Part("m")


@pytest.mark.parametrize(
    ("usage", "provider", "tokens"),
    [
        (
            {"promptTokenCount": 5, "totalTokenCount": 5},
            "google",
            {"input_uncached": 5, "output": 0},
        ),
        ({"inputTokens": 5, "outputTokens": 2}, "aws", {"input_uncached": 5, "output": 2}),
        ({"inputTokenCount": 5, "outputTokenCount": 2}, "aws", {"input_uncached": 5, "output": 2}),
        ({"prompt_eval_count": 5, "eval_count": 2}, "ollama", {"input_uncached": 5, "output": 2}),
    ],
)
def test_a_bare_usage_in_the_providers_own_words(usage, provider, tokens):
    assert read_usage(usage, provider=provider).tokens == tokens


def test_a_contradiction_leaves_no_part_of_a_response_standing():
    draft = drafted("anthropic", "", {}, "claude")
    usage = {
        **ITERATIONS,
        "iterations": [*ITERATIONS["iterations"], {"type": "x", "input_tokens": -1}],
    }
    take({"usage": usage}, draft)
    assert draft.parts == []
    assert "input_tokens is -1" in draft.reading().notes[0]


def test_units_leave_out_zeros_and_strangers():
    assert units_of({"web_search_requests": 2, "code_execution_requests": 0, "beans": 3}) == {
        "web_search": 2
    }
    assert units_of([1]) == {}


def test_a_draft_without_figures_is_unknown_whatever_else_it_knows():
    draft = Draft("openai", asked="m", estimated=True)
    draft.add({})
    assert (draft.reading().usage, draft.reading().parts) == ("unknown", (Part("m"),))
    draft.add({"output": None})
    assert draft.reading().usage == "unknown"


def test_any_mapping_is_a_body():
    usage = MappingProxyType({"prompt_tokens": 1, "completion_tokens": 2})
    assert read_usage(usage, provider="openai").tokens == {"input_uncached": 1, "output": 2}
    body = MappingProxyType({"id": "c", "usage": dict(usage)})
    assert read_body(body, provider="openai").response_id == "c"
