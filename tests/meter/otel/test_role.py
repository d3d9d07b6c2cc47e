"""A span is a call, a statement over others, or a step."""

from __future__ import annotations

import pytest

from otlp import reading


def role(attributes, **fields):
    (one,) = reading(attributes, **fields)
    return one.role, one.event.operation


ROLES = [
    ({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5}, "agent", "invoke_agent"),
    ({"gen_ai.operation.name": "invoke_agent"}, "span", "invoke_agent"),
    ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}, "span", "execute_tool"),
    ({"openinference.span.kind": "LLM", "llm.model_name": "m"}, "call", "chat"),
    ({"openinference.span.kind": "EMBEDDING"}, "call", "embeddings"),
    ({"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 5}, "agent", "chain"),
    ({"openinference.span.kind": "RETRIEVER"}, "span", "retrieval"),
    ({"traceloop.span.kind": "workflow"}, "span", "invoke_workflow"),
    ({"llm.request.type": "chat", "gen_ai.request.model": "m"}, "call", "chat"),
    ({"ai.operationId": "ai.generateText", "ai.usage.promptTokens": 14}, "agent", "ai.generateText"),
    ({"ai.operationId": "ai.streamText.doStream"}, "call", "chat"),
    ({"ai.operationId": "ai.embed.doEmbed"}, "call", "embeddings"),
    ({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "t"}, "span", "execute_tool"),
    ({"langfuse.observation.type": "generation"}, "call", "chat"),
    (
        {"langfuse.observation.type": "agent", "langfuse.observation.usage_details": '{"input": 5}'},
        "agent",
        "invoke_agent",
    ),
    ({"gen_ai.usage.input_tokens": 5, "gen_ai.request.model": "m"}, "call", "chat"),
    ({"http.request.method": "GET"}, "span", "client"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "expected", "operation"), ROLES)
def test_roles(attributes, expected, operation):
    assert role(attributes) == (expected, operation)


def test_counting_tokens_is_no_call():
    counting = {"openinference.span.kind": "LLM", "llm.provider": "anthropic"}
    assert role(counting, name="messages.count_tokens") == ("span", "count_tokens")
