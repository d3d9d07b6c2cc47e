"""An observation as a canonical record.

Langfuse counts tokens itself where an instrumentation told none. Such figures are estimates: on
real traces they miss by a factor of two and more. The figures are taken, in this order, from what
the caller provided; from the span's own attributes, which Langfuse keeps in the metadata; from
``usageDetails``, as an estimate if the attributes are there and tell none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tallybook.errors import EventError
from tallybook.meter.model import NOBODY, Role
from tallybook.meter.providers import provider_of, provider_of_model
from tallybook.meter.sources.foreign import Told
from tallybook.meter.sources.langfuse.buckets import classes_of
from tallybook.meter.sources.langfuse.observation import Observation, opened
from tallybook.meter.sources.otel.counts import counts_of
from tallybook.meter.sources.otel.dialects import Found
from tallybook.meter.sources.otel.role import operation_of_type, outer_operation
from tallybook.meter.sources.otel.words import words_of
from tallybook.meter.sources.tags import cost_fields, fields_of, instant, money, pairs_of, text
from tallybook.meter.usage.conventions import tier_of

SOURCE: Final = "langfuse"
UNKNOWN: Final = "unknown"
_TOKEN_ROWS: Final = ("input", "output", "total", "uncached", "usage_details")
_TAGS: Final = frozenset(
    {
        *("team", "feature", "purpose", "customer", "cohort", "plan", "session", "user"),
        *("environment", "prompt_version", "evaluation_run"),
    }
)
_JUDGED: Final = "langfuse-"
_NAMELESS: Final = "unknown_service"


class Usage(NamedTuple):
    """What an observation used, and by whose word."""

    tokens: dict[str, int | None] | None
    units: dict[str, int | None] | None
    labels: dict[str, str]
    estimated: bool = False


def told_of(one: Observation, trace: Mapping[str, Any]) -> Told:
    """What an observation tells.

    Args:
        one: the observation.
        trace: its trace, for tags and people; {} if it is not at hand.

    Raises:
        EventError: its figures contradict each other, or an instant is none.
    """
    found = Found(one.attributes)
    kind = text(one.get("type")).upper() or "SPAN"
    model = text(one.get("model")) or text(found.told.get("model"))
    provider = _provider(one, found, model)
    words = words_of(found, provider, model)
    usage = _usage(one, found, provider)
    used = usage.tokens is not None or usage.units is not None
    role, operation = _role(kind, found, used=used)
    record = _base(one, trace, found, usage.labels, operation, role)
    if role == "span":
        return Told(record | {"provider": NOBODY, "model": NOBODY}, role)
    record |= {"provider": provider or UNKNOWN, "model": model or UNKNOWN}
    response_id = text(found.told.get("response_id")) or (words.response_id if words else "")
    tier = tier_of(found.told.get("tier")) or (words.tier if words else "")
    record |= {"response_id": response_id} if response_id else {}
    record |= {"tier": tier} if tier else {}
    tokens = usage.tokens
    if tokens and operation == "embeddings" and tokens.get("output") is None:
        tokens.pop("output", None)
    record |= {"tokens": tokens} if tokens is not None else {}
    record |= {"units": usage.units} if usage.units else {}
    record |= {"usage": "estimated"} if usage.estimated and used else {}
    cost = cost_fields(_cost(one))
    record["labels"] |= cost.pop("labels", {})
    return Told(record | cost, role)


def _usage(one: Observation, found: Found, provider: str) -> Usage:
    provided = classes_of(one.map("providedUsageDetails"))
    if provided.tokens is not None or provided.units is not None:
        return Usage(provided.tokens, provided.units, {**provided.labels, "usage_from": "provided"})
    if any(row in found.told for row in _TOKEN_ROWS):
        counts = counts_of(found, provider)
        return Usage(
            counts.tokens, counts.units, {**counts.labels, "usage_from": "the span's attributes"}
        )
    counted = classes_of(one.map("usageDetails"))
    labels = dict(counted.labels)
    estimated = bool(one.attributes) and counted.tokens is not None
    if estimated:
        labels["usage_from"] = "Langfuse's tokenizer: the instrumentation told none"
    return Usage(counted.tokens, counted.units, labels, estimated=estimated)


def _role(kind: str, found: Found, *, used: bool) -> tuple[Role, str]:
    operation, is_call = operation_of_type(kind.lower())
    outer = outer_operation(found)
    if is_call and not outer:
        return "call", operation
    return ("agent" if used else "span"), outer or operation


def _base(
    one: Observation,
    trace: Mapping[str, Any],
    found: Found,
    labels: dict[str, str],
    operation: str,
    role: Role,
) -> dict[str, Any]:
    fields, more = _tags(one, trace, found)
    started, ended = (
        instant(one.get("startTime"), "startTime"),
        instant(one.get("endTime"), "endTime"),
    )
    if started is None:
        raise EventError(
            "startTime is absent; a call belongs to a moment",
            next_step="export the field group time",
        )
    base: dict[str, Any] = {
        **fields,
        "event_id": text(one.get("id")),
        "source": SOURCE,
        "started_at": started,
        "operation": operation,
        "trace_id": text(one.get("traceId")),
        "span_id": text(one.get("id")),
        "status": "error" if one.get("level") == "ERROR" else "ok",
        "labels": more | labels,
    }
    if ended is not None:
        base["ended_at"] = ended
    parent = text(one.get("parentObservationId"))
    if parent:
        base["parent_span_id"] = parent
    name = text(one.resource.get("service.name"))
    name = "" if name.startswith(_NAMELESS) else name
    own = text(found.told.get("agent")) or text(one.get("name"))
    service = name if role == "call" else own or name
    return base | ({"service": service} if service else {})


def _tags(
    one: Observation, trace: Mapping[str, Any], found: Found
) -> tuple[dict[str, Any], dict[str, str]]:
    """Owner and purpose: the span's baggage, the observation, its trace."""
    fields, labels = fields_of(tuple((name, text(value)) for name, value in found.baggage))
    fields, labels = dict(fields), dict(labels)
    given = [
        *((name, text(value)) for name, value in found.properties),
        *pairs_of(dict(one.metadata)),
        *pairs_of(one.get("tags")),
        *pairs_of(dict(opened(trace.get("metadata")))),
        *pairs_of(trace.get("tags")),
    ]
    said, others = fields_of(tuple(given))
    for name, value in said.items():
        if name in _TAGS:
            fields.setdefault(name, value)
    if "tags" in others:
        labels.setdefault("tags", others["tags"])
    beside = Observation(trace, {}, {}, {})
    for field, name in (("user", "userId"), ("session", "sessionId")):
        value = text(one.get(name)) or text(beside.get(name))
        if value:
            fields.setdefault(field, value)
    environment = text(one.get("environment")) or text(beside.get("environment"))
    if environment and environment != "default":  # what Langfuse writes when nobody said
        fields.setdefault("environment", environment)
    if environment.startswith(_JUDGED):
        fields["purpose"] = "evaluation"
    version = text(one.get("promptVersion"))
    if version:
        fields.setdefault("prompt_version", version)
    return fields, labels


def _provider(one: Observation, found: Found, model: str) -> str:
    said = text(found.told.get("provider")) or text(one.metadata.get("ls_provider"))
    return provider_of(said) or provider_of_model(model)


def _cost(one: Observation) -> str | None:
    """What Langfuse says it cost: its total, else what was provided, else the sum it made.

    A zero without any detail says that nothing was computed.
    """
    total, details = money(one.get("totalCost")), one.map("costDetails")
    if total is not None and (details or total.strip("0.")):
        return total
    provided = money(one.map("providedCostDetails").get("total"))
    return provided if provided is not None else money(details.get("total"))
