"""AWS Bedrock: Converse, and InvokeModel whose body is in the words of the model's vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.meter.usage.anthropic import read_messages
from tallybook.meter.usage.convention import Convention
from tallybook.meter.usage.conventions import (
    CHAT,
    CONVERSE,
    INVOCATION_METRICS,
    LLAMA,
    TITAN,
    TITAN_EMBEDDING,
    tier_of,
)
from tallybook.meter.usage.draft import Draft, units_of
from tallybook.meter.usage.figures import at, count, items, text

METRICS: Final = "amazon-bedrock-invocationMetrics"
_COUNT_HEADERS: Final = {
    "x-amzn-bedrock-input-token-count": "inputTokenCount",
    "x-amzn-bedrock-output-token-count": "outputTokenCount",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
_PROFILE: Final = "application-inference-profile"


def read_converse(body: Mapping[str, Any], draft: Draft) -> None:
    """Converse, the last event of ConverseStream, and ApplyGuardrail."""
    _conditions(body, draft)
    routed = text(at(body, ("trace", "promptRouter", "invokedModelId")))
    if routed:
        draft.model = routed
    usage = body.get("usage")
    units = _guardrail(body)
    if isinstance(usage, dict):
        units |= units_of(usage)
        draft.add(draft.tokens(_by_ttl(usage), CONVERSE), units)
    else:
        draft.add(None, units)


def read_invoke(body: Mapping[str, Any], draft: Draft) -> None:
    """InvokeModel: the body where the vendor counts, else the metrics of a stream or the headers.

    They state the same tokens; exactly one of them is taken.
    """
    _conditions(body, draft)
    _model(draft)
    usage = body.get("usage")
    if isinstance(usage, dict) and "input_tokens" in usage:
        read_messages(body, draft)
        return
    tokens = None
    for told, how in _vendors(body):
        tokens = tokens or draft.tokens(told, how)
    if tokens is None:
        metrics = body.get(METRICS) or _of_headers(draft.headers)
        tokens = draft.tokens(metrics, INVOCATION_METRICS) if isinstance(metrics, dict) else None
    draft.add(tokens)


def _vendors(body: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Convention]]:
    usage = body.get("usage")
    told: list[tuple[Mapping[str, Any], Convention]] = []
    if isinstance(usage, dict):
        told += [(_by_ttl(usage), CONVERSE), (usage, CHAT)]
    if "prompt_token_count" in body or "generation_token_count" in body:
        told.append((body, LLAMA))
    if "inputTextTokenCount" in body:
        told.append(_titan(body))
    return told


def _titan(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Convention]:
    if "embedding" in body or "embeddingsByType" in body:
        return body, TITAN_EMBEDDING
    written = [
        count(one.get("tokenCount"), "results.tokenCount") for one in items(body.get("results"))
    ]
    streamed = body.get("totalOutputTextTokenCount")
    known = sum(one or 0 for one in written) if written and None not in written else streamed
    return {"inputTextTokenCount": body["inputTextTokenCount"], "outputTokenCount": known}, TITAN


def _by_ttl(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Cache writes by time to live as an object; a list of rows on the wire."""
    rows = usage.get("cacheDetails")
    if not isinstance(rows, list):
        return usage
    split: dict[str, int] = {}
    for row in items(rows):
        ttl = text(row.get("ttl"))
        split[ttl] = split.get(ttl, 0) + (count(row.get("inputTokens"), "cacheDetails") or 0)
    return {**usage, "cacheDetails": split}


def _of_headers(headers: Mapping[str, str]) -> dict[str, int]:
    """The counts that Bedrock puts into the headers of a response."""
    return {
        name: int(headers[header])
        for header, name in _COUNT_HEADERS.items()
        if headers.get(header, "").isdecimal()
    }


def _conditions(body: Mapping[str, Any], draft: Draft) -> None:
    tier = body.get("serviceTier")
    told = tier.get("type") if isinstance(tier, dict) else tier
    draft.tier = draft.tier or tier_of(told)
    draft.tier = draft.tier or tier_of(draft.headers.get("x-amzn-bedrock-service-tier"))
    fast = at(body, ("performanceConfig", "latency")) == "optimized"
    if fast and draft.tier in {"", "standard"}:
        draft.tier = "latency-optimized"


def _model(draft: Draft) -> None:
    """The model in the path is what Bedrock bills; the body names it as its vendor does."""
    if _PROFILE in draft.asked:
        draft.notes.append(f"{draft.asked} is an inference profile: its model is not told")
    elif draft.asked:
        draft.model = draft.asked


def _guardrail(body: Mapping[str, Any]) -> dict[str, int | None]:
    """Policy units of the guardrail, on the way in and on the way out."""
    units: dict[str, int | None] = {}
    guard = at(body, ("trace", "guardrail"))
    if not isinstance(guard, dict):
        return units
    found: list[Any] = []
    for side in ("inputAssessment", "outputAssessments", "outputAssessment"):
        held = guard.get(side)
        for each in held.values() if isinstance(held, dict) else ():
            found += each if isinstance(each, list) else [each]
    for each in found:
        for name, number in units_of(at(each, ("invocationMetrics", "usage"))).items():
            units[name] = (units.get(name) or 0) + (number or 0)
    return units
