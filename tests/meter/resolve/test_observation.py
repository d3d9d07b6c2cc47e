"""The names of a call, and the name that two sources would give a model."""

from __future__ import annotations

import pytest

from tallybook.meter.resolve.observation import (
    Observation,
    aliases_of,
    base_model,
    same_model,
    sums,
    trace_alias,
)

NONE = {"provider": "openai", "response_id": "", "request_id": "", "attempt": None,
        "trace_id": "", "span_id": "", "call_id": "", "event_id": "e"}  # fmt: skip
LONG = "chatcmpl-1234567890abcdef"


def named(source: str, **fields: object) -> tuple[bytes, ...]:
    return aliases_of(**({"source": source} | NONE | fields))


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("openai/gpt-4o", "gpt-4o"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("gemini-2.0-flash", "gemini-2.0-flash"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("2024-08-06", "2024-08-06"),
        ("none", "none"),
    ],
)
def test_a_model_by_its_base(model, base):
    assert base_model(model) == base


def test_a_model_that_nobody_told_may_be_any():
    assert same_model("none", "gpt-4o")
    assert not same_model("gpt-4o-mini", "gpt-4o")


def test_a_long_response_id_names_a_call_whoever_is_said_to_serve():
    assert named("gateway", response_id=LONG) == named("otel", response_id=LONG, provider="azure")


def test_a_short_response_id_names_it_only_with_its_provider():
    short = {"response_id": "resp-1"}
    assert named("gateway", **short) == named("otel", **short)
    assert named("gateway", **short) != named("gateway", **short, provider="azure")


def test_request_ids_count_for_known_products_and_by_attempt():
    ours = {"request_id": "r"}
    assert named("our-log", **ours) == ()
    assert named("litellm", **ours) == named("otel", call_id="r")
    assert named("litellm", **ours) != named("litellm", **ours, attempt=2)


def test_a_further_part_keeps_only_its_own_name():
    part = {"event_id": "m/1", "response_id": f"{LONG}/1", "request_id": "r"}
    assert named("litellm", **part) == named("our-log", **part)


def test_spans_name_calls_of_tracers_alone():
    span = {"trace_id": "t", "span_id": "s"}
    assert named("otel", **span) == named("langfuse", **span) != ()
    assert named("gateway", **span) == ()


def test_only_calls_have_names():
    assert Observation({"labels": None}, "agent", own=False).aliases == ()


def test_a_trace_has_a_name_of_its_own_kind():
    assert trace_alias("t") not in named("otel", trace_id="t", span_id="s", request_id="t")


def test_sums_are_of_input_and_output():
    assert sums({"input_uncached": 1, "cache_read": 2, "output": 4, "audio_output": 8}) == (3, 12)
