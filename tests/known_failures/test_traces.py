"""Documented failures of others in reading traces, by their exhibit numbers."""

from __future__ import annotations

import json

import pytest

from otlp import CHAT, as_json, as_protobuf, request, span
from tallybook.meter.sources.otel.json_spans import spans_of as in_json
from tallybook.meter.sources.otel.proto_spans import spans_of as in_protobuf
from tallybook.meter.sources.otel.readings import readings_of

WIRES = {
    "protobuf": lambda told: in_protobuf(as_protobuf(told)),
    "JSON": lambda told: in_json(json.loads(as_json(told))),
}
ROUTES = {
    "chat": {"gen_ai.operation.name": "chat"},
    "responses": {"llm.request.type": "chat", "gen_ai.openai.api_base": "https://api.openai.com"},
    "embeddings": {"gen_ai.operation.name": "embeddings"},
    "pass-through": {"gen_ai.operation.name": "litellm.passthrough"},
    "stream": {"ai.operationId": "ai.streamText.doStream"},
    "OpenInference": {"openinference.span.kind": "LLM", "llm.model_name": "gpt-5"},
    "Langfuse": {"langfuse.observation.type": "generation"},
}
TAG_SOURCES = {
    "baggage": lambda team: {"chargeback.team": team},
    "association properties": lambda team: {"traceloop.association.properties.team": team},
    "metadata": lambda team: {"metadata": json.dumps({"team": team})},
    "the gateway's team": lambda team: {"litellm.team.alias": team},
}


def events_of(told, wire="JSON"):
    return [(one.role, one.event) for one in readings_of("t", WIRES[wire](told))]


def test_a03_langfuse_input_that_counts_the_cache_in_is_not_added_to_it() -> None:
    """Langfuse #12306: 130,213 tokens of input, 130,208 of them from the cache, shown as 260,421.

    Here the instrumentation's convention is carried to the classes: they add up to 130,213.
    """
    figures = {
        "gen_ai.usage.input_tokens": 130_213,
        "gen_ai.usage.cache_read.input_tokens": 130_208,
        "gen_ai.usage.output_tokens": 7,
    }
    for provider in ("openai", "anthropic"):
        told = CHAT | figures | {"gen_ai.provider.name": provider}
        ((_, event),) = events_of(request(span(attributes=told)))
        assert event.tokens == {"input_uncached": 5, "cache_read": 130_208, "output": 7}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("source", TAG_SOURCES)
def test_a13_tags_arrive_by_every_route_and_are_nobody_elses(wire, source) -> None:
    """LiteLLM #31584, #29079, #16585, #7237: tags were lost by route; #31441: `end_user` of the
    first request on a key stood on all that followed.

    Here each of seven routes carries its tags, by either wire, and two callers on one key stay two.
    """
    callers = [(f"team-{n}", f"customer-{n}") for n in (1, 2, 1)]
    spans = [
        span(
            f"{route:04x}{caller:012x}",
            attributes={
                **{name: value for name, value in CHAT.items() if name != "gen_ai.operation.name"},
                **marks,
                **TAG_SOURCES[source](team),
                "litellm.api_key.hash": "one-key",
                "litellm.end_user.id": customer,
            },
        )
        for route, marks in enumerate(ROUTES.values(), 1)
        for caller, (team, customer) in enumerate(callers, 1)
    ]
    found = [event for _, event in events_of(request(*spans), wire)]
    assert [(one.team, one.customer) for one in found] == callers * len(ROUTES)
    assert {one.key_id for one in found} == {"one-key"}


def test_a20_what_an_agent_adds_up_is_not_counted_beside_its_calls() -> None:
    """Langfuse #14338: an agent's span that adds up its calls was counted like one more call.

    Here it is a statement about them: the calls alone are billed, 1,000 and 500 tokens.
    """
    leaf = CHAT | {"gen_ai.usage.input_tokens": 500}
    whole = {
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 1500,
        "gen_ai.usage.output_tokens": 100,
    }
    agents = [
        {"gen_ai.operation.name": "invoke_agent"},
        {"openinference.span.kind": "AGENT"},
        {"traceloop.span.kind": "workflow"},
        {"ai.operationId": "ai.generateText"},
        {"langfuse.observation.type": "agent"},
    ]
    for marks in agents:
        told = request(
            span("a" * 16, attributes=whole | marks),
            span("b" * 16, parent="a" * 16),
            span("c" * 16, parent="a" * 16, attributes=leaf),
        )
        found = events_of(told)
        assert [role for role, _ in found] == ["agent", "call", "call"]
        billed = [event.tokens for role, event in found if role == "call"]
        assert sum(tokens["input_uncached"] for tokens in billed) == 1500
