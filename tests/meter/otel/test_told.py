"""What a span tells: whose model, whose call, when, and what stays out."""

from __future__ import annotations

import json

import pytest

from otlp import CHAT, event, reading
from tallybook.errors import EventError

MODEL = {"gen_ai.request.model": "m", "gen_ai.operation.name": "chat"}


def test_the_conventions_themselves():
    found = event(CHAT)
    assert (found.source, found.provider, found.model) == ("otel", "openai", "gpt-5-2025-08-07")
    assert (found.model_requested, found.operation) == ("gpt-5", "chat")
    assert found.tokens == {"input_uncached": 1000, "output": 50}
    assert (found.response_id, found.service, found.status) == ("chatcmpl-1", "refunds", "ok")
    assert found.event_id == "5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174"
    assert found.ended_us - found.started_us == 2_000_000


UNKNOWN = {
    "nothing told": {},
    "only zeros": {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0},
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_usage_that_is_not_told_is_unknown(case):
    found = event(MODEL | {"gen_ai.provider.name": "openai"} | UNKNOWN[case])
    assert (found.tokens, found.units) == (None, None)


def test_a_step_belongs_to_nobody_and_keeps_its_name():
    found = event(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
        parent="00f067aa0ba902b7",
    )
    assert (found.provider, found.model, found.service) == ("none", "none", "search")
    assert (found.parent_span_id, found.labels["service"]) == ("00f067aa0ba902b7", "refunds")


def test_a_statement_that_contradicts_itself_stays_in_the_tree():
    found = reading(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 6,
        }
    )
    assert [(one.role, one.event.tokens) for one in found] == [("span", None)]
    assert "usage_refused" in found[0].event.labels


PROVIDERS = [
    ({"gen_ai.system": "openai", "server.address": "acme.openai.azure.com"}, "azure"),
    (
        {"gen_ai.system": "openai", "gen_ai.openai.api_base": "https://api.deepseek.com/v1"},
        "deepseek",
    ),
    ({"gen_ai.system": "openai", "server.address": "127.0.0.1"}, "openai"),
    ({"gen_ai.system": "langchain", "gen_ai.request.model": "claude-sonnet-4-6"}, "anthropic"),
    ({"llm.provider": "google"}, "google"),
    ({"ai.model.provider": "google.generative-ai"}, "google"),
    ({"gen_ai.provider.name": "aws.bedrock"}, "aws"),
    ({}, "unknown"),
]


@pytest.mark.parametrize(("attributes", "provider"), PROVIDERS)
def test_who_served(attributes, provider):
    given = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"} | attributes
    assert event(given).provider == provider


def test_tags_by_precedence():
    given = CHAT | {
        "chargeback.team": "sales",
        "chargeback.feature": "refund-bot",
        "chargeback.cost_center": "4711",
        "traceloop.association.properties.team": "support",
        "traceloop.association.properties.customer": "c-9",
        "traceloop.association.properties.note": "free text",
        "litellm.team.alias": "platform",
        "user.id": "bob",
        "session.id": "s-1",
    }
    process = {
        "service.name": "refunds",
        "chargeback.team": "nobody",
        "chargeback.plan": "gold",
        "deployment.environment.name": "prod",
    }
    found = event(given, resource=process)
    assert (found.team, found.feature, found.plan) == ("sales", "refund-bot", "gold")
    assert (found.customer, found.user, found.session) == ("c-9", "bob", "s-1")
    assert found.environment == "prod"
    assert found.labels["cost_center"] == "4711"
    assert "note" not in found.labels


def test_tags_in_a_map_and_in_a_list():
    given = CHAT | {
        "metadata": json.dumps({"team": "sales", "user_id": "bob"}),
        "tag.tags": ["feature:search", "beta"],
    }
    found = event(given)
    assert (found.team, found.user, found.feature) == ("sales", "bob", "search")
    assert found.labels["tags"] == "beta"


def test_a_purpose_that_is_none_does_not_lose_the_call():
    found = event(CHAT | {"chargeback.purpose": "fun"})
    assert (found.purpose, found.labels["purpose"]) == (None, "fun")
    assert event(CHAT | {"chargeback.purpose": "evaluation"}).purpose == "evaluation"
    assert event(CHAT | {"langfuse.environment": "langfuse-llm-as-a-judge"}).purpose == "evaluation"


def test_litellm_names():
    found = event(
        CHAT
        | {
            "litellm.call_id": "call-7",
            "litellm.api_key.hash": "88dc",
            "litellm.team.id": "t-1",
            "litellm.end_user.id": "c-1",
            "litellm.cost.total": 0.00123,
            "litellm.provider.model": "openai/gpt-5",
        }
    )
    assert (found.request_id, found.key_id, found.team) == ("call-7", "88dc", "t-1")
    assert (found.customer, found.model) == ("c-1", "gpt-5-2025-08-07")
    assert (found.reported_cost.amount, found.reported_cost.currency) == ("0.00123", "USD")


def test_a_hit_of_the_gateways_cache_used_nothing():
    found = event(CHAT | {"litellm.cache_hit": True, "litellm.call_id": "call-8"})
    assert (found.tokens, found.usage) == ({"input_uncached": 0, "output": 0}, "reported")
    assert found.response_id is None
    assert found.labels["cached_response_id"] == "chatcmpl-1"


def test_times():
    (one,) = reading(CHAT, startTimeUnixNano="0")
    assert "startTimeUnixNano is 0" in one.event.what
    running = event(CHAT, endTimeUnixNano="0")
    assert running.ended_us is None
    skewed = event(CHAT, endTimeUnixNano="1790900000000000000")
    assert skewed.ended_us is None
    assert "ended_before_started" in skewed.labels
    (far,) = reading(CHAT, startTimeUnixNano=str(2**64 - 1), endTimeUnixNano=str(2**64 - 1))
    assert isinstance(far.event, EventError) or far.event.started_us == (2**64 - 1) // 1000


def test_a_failed_call_is_an_error():
    found = event(MODEL | {"gen_ai.provider.name": "openai"}, status={"code": 2})
    assert (found.status, found.tokens) == ("error", None)


def test_a_service_without_a_name_has_none():
    assert event(CHAT, resource={"service.name": "unknown_service:python"}).service is None
