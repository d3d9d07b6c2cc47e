"""What a span is: one billable operation, a statement over others, or a step that used nothing.

It is told by the span alone: its children may come later, or in another export. Of two operations
one inside the other, such as a framework's span around its client's, both are calls here;
`tallybook.meter.resolve` keeps the inner one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tallybook.meter.model import Role
from tallybook.meter.sources.otel.dialects import Found
from tallybook.meter.sources.otel.model import Span

_CALLS: Final = {
    "chat": "chat",
    "completion": "text_completion",
    "text_completion": "text_completion",
    "generate_content": "generate_content",
    "embeddings": "embeddings",
    "embedding": "embeddings",
    "generation": "chat",
    "llm": "chat",
    "rerank": "rerank",
    "reranker": "rerank",
    "responses": "chat",
    "messages": "chat",
    "image_generation": "image_generation",
    "speech": "speech",
    "transcription": "transcription",
    "litellm.passthrough": "passthrough",
    "litellm.moderation": "moderation",
}
_STEPS: Final = {
    "agent": "invoke_agent",
    "chain": "chain",
    "workflow": "invoke_workflow",
    "task": "task",
    "tool": "execute_tool",
    "retriever": "retrieval",
    "guardrail": "guardrail",
    "evaluator": "evaluation",
    "prompt": "prompt",
    "event": "event",
    "span": "span",
    "unknown": "span",
    "invoke_agent": "invoke_agent",
    "create_agent": "create_agent",
    "invoke_workflow": "invoke_workflow",
    "execute_tool": "execute_tool",
    "execute_event_loop_cycle": "event_loop",
    "agent_step": "agent_step",
    "retrieval": "retrieval",
}
_KNOWN: Final = frozenset((*_CALLS, *_STEPS, "chain"))
_INNER: Final = (".doGenerate", ".doStream", ".doEmbed", ".doRerank")
_COUNTING: Final = ("count_tokens", "CountTokens", "countTokens")
_USED: Final = frozenset({"input", "output", "total", "usage_details", "uncached"})


class Kind(NamedTuple):
    """The role of a span and the name of what it did."""

    role: Role
    operation: str


def kind_of(found: Found, span_kind: str, *, used: bool, counting: bool) -> Kind:
    """What a span is.

    The marks are asked in this order: the operation of the Vercel AI SDK, Langfuse's type, the
    operation of OpenTelemetry, OpenInference's kind, OpenLLMetry's entity and request. A span
    without any that states both usage and a model is a call.

    Args:
        found: the attributes by meaning.
        span_kind: the kind of the span itself, such as ``client``.
        used: it states usage; see `states_usage`.
        counting: it counts tokens and generates none; see `is_counting`.
    """
    told = found.told
    if counting:
        return Kind("span", "count_tokens")  # nothing is billed
    if "operation_id" in told and "type_langfuse" not in told:
        return _vercel(str(told["operation_id"]), used=used)
    for row in ("type_langfuse", "operation", "kind", "entity_kind", "request_type"):
        mark = str(told.get(row, "")).lower()
        if mark and mark != "unknown" and (row != "operation" or mark in _KNOWN):
            return _named(mark, used=used)
    operation = str(told.get("operation", ""))
    if used and ("model" in told or "model_requested" in told):
        return Kind("call", operation or "chat")
    return Kind("agent" if used else "span", operation or span_kind)


def states_usage(found: Found) -> bool:
    """Whether a span says how much was used."""
    return not found.told.keys().isdisjoint(_USED)


def is_counting(span: Span) -> bool:
    """Whether a span counted tokens beforehand, which some mark as a call."""
    return span.name.endswith(_COUNTING)


def _named(name: str, *, used: bool) -> Kind:
    if name in _CALLS:
        return Kind("call", _CALLS[name])
    return Kind("agent" if used else "span", _STEPS.get(name, "span"))


def _vercel(operation: str, *, used: bool) -> Kind:
    """The outer spans of the Vercel AI SDK repeat what their inner ``.do`` spans used."""
    if operation.endswith(_INNER):
        embeds = operation.endswith(".doEmbed")
        return Kind(
            "call", "embeddings" if embeds else "rerank" if "rerank" in operation else "chat"
        )
    if operation == "ai.toolCall":
        return Kind("span", "execute_tool")
    return Kind("agent" if used else "span", operation)


def operation_of_type(told: str) -> tuple[str, bool]:
    """The operation of a type of observation or entity in lower case, and whether it is a call."""
    return (_CALLS[told], True) if told in _CALLS else (_STEPS.get(told, "span"), False)


def outer_operation(found: Found) -> str:
    """The operation of a span that says itself that it is no leaf; '' of all others."""
    operation_id = str(found.told.get("operation_id", ""))
    if operation_id and _vercel(operation_id, used=True).role != "call":
        return operation_id
    operation = str(found.told.get("operation", "")).lower()
    return _STEPS.get(operation, "")
