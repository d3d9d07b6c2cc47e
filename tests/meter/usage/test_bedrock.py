"""AWS Bedrock."""

from __future__ import annotations

import pytest

from tallybook.meter.usage.read import read_body

HEADERS = {
    "X-Amzn-Bedrock-Input-Token-Count": "5",
    "X-Amzn-Bedrock-Output-Token-Count": "7",
    "X-Amzn-Bedrock-Cache-Read-Input-Token-Count": "11",
    "X-Amzn-Requestid": "req-1",
    "X-Amzn-Bedrock-Service-Tier": "flex",
}
CLAUDE = {
    "type": "message",
    "model": "claude-haiku",
    "usage": {"input_tokens": 3, "output_tokens": 44},
}


def invoke(body, model="vendor.model", headers=None):
    return read_body(
        body, provider="bedrock", endpoint="InvokeModel", headers=headers or {}, model=model
    )


def converse(**body):
    return read_body(body, provider="bedrock", endpoint="Converse", model="us.amazon.nova")


USAGE = {
    "inputTokens": 3,
    "outputTokens": 121,
    "cacheReadInputTokens": 1712,
    "cacheReadInputTokenCount": 1712,
    "cacheWriteInputTokens": 236,
    "cacheWriteInputTokenCount": 236,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 200}, {"ttl": "1h", "inputTokens": 30}],
}


def test_converse_repeats_counts_and_excludes_the_cache():
    reading = converse(usage=USAGE, serviceTier={"type": "priority"})
    assert reading.parts[0].tokens == {
        "input_uncached": 3,
        "cache_read": 1712,
        "cache_write_5m": 200,
        "cache_write_1h": 30,
        "cache_write": 6,
        "output": 121,
    }
    assert (reading.tier, reading.parts[0].model) == ("priority", "us.amazon.nova")


def test_guardrails_are_units_of_their_own_on_both_ways():
    units = {"invocationMetrics": {"usage": {"topicPolicyUnits": 1, "contentPolicyUnits": 2}}}
    guard = {"inputAssessment": {"g": units}, "outputAssessments": {"g": [units, units]}}
    reading = converse(usage={"inputTokens": 1, "outputTokens": 1}, trace={"guardrail": guard})
    assert reading.parts[0].units == {"guardrail_topic_unit": 3, "guardrail_content_unit": 6}


def test_applying_a_guardrail_is_a_call_too():
    reading = read_body({"usage": {"topicPolicyUnits": 1, "wordPolicyUnits": 0}}, provider="aws")
    assert (reading.parts[0].tokens, reading.parts[0].units) == (None, {"guardrail_topic_unit": 1})


def test_a_prompt_router_says_who_served():
    trace = {"promptRouter": {"invokedModelId": "anthropic.claude-haiku"}}
    reading = converse(usage={"inputTokens": 1, "outputTokens": 1}, trace=trace)
    assert reading.parts[0].model == "anthropic.claude-haiku"


def test_low_latency_is_a_tier_of_its_own():
    reading = converse(
        usage={"inputTokens": 1, "outputTokens": 1}, performanceConfig={"latency": "optimized"}
    )
    assert reading.tier == "latency-optimized"


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (CLAUDE, {"input_uncached": 3, "output": 44}),
        ({"usage": {"inputTokens": 2, "outputTokens": 3}}, {"input_uncached": 2, "output": 3}),
        (
            {"usage": {"prompt_tokens": 2, "completion_tokens": 3}},
            {"input_uncached": 2, "output": 3},
        ),
        (
            {"prompt_token_count": 25, "generation_token_count": 9},
            {"input_uncached": 25, "output": 9},
        ),
        (
            {"inputTextTokenCount": 4, "results": [{"tokenCount": 6}, {"tokenCount": 1}]},
            {"input_uncached": 4, "output": 7},
        ),
        ({"inputTextTokenCount": 4, "embedding": [0]}, {"input_uncached": 4, "output": 0}),
        ({"inputTextTokenCount": 4}, {"input_uncached": 4, "output": None}),
        ({"outputs": [{"text": "a"}]}, {"input_uncached": 5, "cache_read": 11, "output": 7}),
    ],
)
def test_a_body_in_the_vendors_words_or_else_the_headers(body, tokens):
    reading = invoke(body, headers=HEADERS)
    assert reading.parts[0].tokens == tokens
    assert (reading.request_id, reading.tier) == ("req-1", "flex")


def test_neither_body_nor_headers_is_unknown():
    assert invoke({"text": "a"}).usage == "unknown"
    assert (
        invoke({"text": "a"}, headers={"x-amzn-bedrock-input-token-count": "-5"}).usage == "unknown"
    )


def test_the_path_names_what_is_billed_unless_it_is_a_profile():
    assert invoke(CLAUDE, "eu.anthropic.claude-haiku").parts[0].model == "eu.anthropic.claude-haiku"
    profile = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc"
    reading = invoke(CLAUDE, profile)
    assert reading.parts[0].model == "claude-haiku"
    assert "its model is not told" in reading.notes[0]


def test_a_batch_record():
    reading = read_body({"recordId": "1", "modelOutput": CLAUDE}, provider="aws", model="m")
    assert (reading.tier, reading.parts[0].tokens["output"]) == ("batch", 44)
