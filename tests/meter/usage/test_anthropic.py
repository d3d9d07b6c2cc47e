"""Anthropic Messages."""

from __future__ import annotations

import pytest

from tallybook.meter.usage.read import read_body

CACHE = {
    "input_tokens": 3,
    "output_tokens": 33,
    "cache_read_input_tokens": 1111,
    "cache_creation_input_tokens": 418,
    "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 18},
}


def message(usage, **more):
    body = {"id": "msg_1", "type": "message", "model": "claude-sonnet-5", "usage": usage} | more
    return read_body(body, provider="anthropic", endpoint="/v1/messages")


def test_cache_stands_beside_the_input_by_time_to_live():
    reading = message(CACHE)
    assert reading.parts[0].tokens == {
        "input_uncached": 3,
        "cache_read": 1111,
        "cache_write_5m": 400,
        "cache_write_1h": 18,
        "output": 33,
    }


def test_without_a_split_the_time_to_live_is_not_stated():
    usage = {key: value for key, value in CACHE.items() if key != "cache_creation"}
    assert message(usage).parts[0].tokens["cache_write"] == 418


@pytest.mark.parametrize(
    ("told", "tier", "region"),
    [
        ({"service_tier": "priority", "inference_geo": "us"}, "priority", "us"),
        ({"service_tier": "standard", "speed": "fast"}, "fast", ""),
        ({"service_tier": "batch", "inference_geo": "not_available"}, "batch", ""),
    ],
)
def test_conditions_of_the_price(told, tier, region):
    reading = message(CACHE | told)
    assert (reading.tier, reading.region) == (tier, region)


def iteration(kind, read, wrote, **more):
    return {"type": kind, "input_tokens": read, "output_tokens": wrote, **more}


def test_compaction_is_billed_though_the_figures_above_leave_it_out():
    usage = iteration("", 220, 8) | {
        "iterations": [iteration("compaction", 55196, 125), iteration("message", 220, 8)]
    }
    reading = message(usage)
    assert [(part.operation, part.tokens["input_uncached"]) for part in reading.parts] == [
        ("compaction", 55196),
        ("", 220),
    ]


def test_an_advisor_is_billed_at_its_own_model():
    usage = iteration("", 2390, 121, output_tokens_details={"thinking_tokens": 28}) | {
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "iterations": [
            iteration("message", 1128, 110),
            iteration("advisor_message", 2518, 22, model="claude-opus-4-8"),
            iteration("message", 1262, 11),
        ],
    }
    reading = message(usage)
    assert [part.model for part in reading.parts] == [
        "claude-sonnet-5",
        "claude-opus-4-8",
        "claude-sonnet-5",
    ]
    assert sum(part.tokens["output"] for part in reading.parts) == 143
    assert [part.units for part in reading.parts] == [{"web_search": 2}, None, None]
    assert reading.extras == {"web_search_requests": 2, "reasoning_tokens": 28}


def test_one_plain_iteration_is_the_message_itself():
    usage = iteration("", 5, 4, output_tokens_details={"thinking_tokens": 2})
    reading = message(usage | {"iterations": [iteration("message", 5, 4)]})
    assert reading.parts[0].tokens == {"input_uncached": 5, "output": 4, "reasoning": 2}


def test_a_redeemed_credit_is_told():
    reading = message(CACHE | {"fallback_credit": {"status": "redeemed"}})
    assert "fallback credit" in reading.notes[0]


def test_a_message_on_vertex_is_read_by_its_path():
    body = {"id": "msg_1", "type": "message", "model": "claude", "usage": CACHE}
    endpoint = "/v1/projects/p/locations/europe-west1/publishers/anthropic/models/claude:rawPredict"
    reading = read_body(body, provider="vertex_ai", endpoint=endpoint)
    assert (reading.parts[0].tokens["cache_read"], reading.region) == (1111, "europe-west1")
