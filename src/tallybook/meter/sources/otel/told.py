"""A span as canonical records, with what each is an event of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from tallybook.clock import format_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.model import NOBODY
from tallybook.meter.sources.foreign import Told
from tallybook.meter.sources.otel.counts import Counts, counts_of
from tallybook.meter.sources.otel.dialects import LONG as TEXT_MAX
from tallybook.meter.sources.otel.dialects import Found
from tallybook.meter.sources.otel.frame import Frame, frame_of
from tallybook.meter.sources.otel.model import Span
from tallybook.meter.sources.otel.role import Kind
from tallybook.meter.sources.otel.words import words_of
from tallybook.meter.sources.tags import cost_fields, money, parsed, text
from tallybook.meter.usage.conventions import tier_of
from tallybook.meter.usage.model import UsageReading

SOURCE: Final = "otel"
UNKNOWN: Final = "unknown"
_US_PER_S, _NS_PER_US = 1_000_000, 1000
_NOT_WRITTEN: Final = frozenset({"embeddings", "rerank", "moderation"})
_READ_ALWAYS: Final = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
_ADDS_PLACEHOLDER: Final = frozenset({"opentelemetry.instrumentation.anthropic"})
"""Instrumentations that add the first and the last output count of a stream (seen in 0.62.4)."""


def told_of(span: Span) -> Iterator[Told]:
    """What one span tells: a call, a statement over others, or a step.

    Raises:
        EventError: its figures contradict each other; a call is never cut to fit.
    """
    found = Found(span.attributes)
    frame = frame_of(span, found)
    kind, provider, model = frame.kind, frame.provider, frame.model
    base = _base(span, found, frame)
    if kind.role == "span":
        yield Told(base | {"provider": NOBODY, "model": NOBODY}, "span")
        return
    words = words_of(found, provider, model)
    _call_fields(base, found, words)
    served = (words.model if words else "") or model
    base["provider"], base["model"] = provider or UNKNOWN, served or UNKNOWN
    if (
        words
        and words.usage != "unknown"
        and any(part.tokens or part.units for part in words.parts)
    ):
        yield from _by_words(base, words, kind)
        return
    try:
        counts = counts_of(found, provider, output=kind.operation not in _NOT_WRITTEN)
    except EventError:
        if kind.role == "call":
            raise
        labels = base["labels"] | {"usage_refused": "its figures contradict each other"}
        yield Told(base | {"provider": NOBODY, "model": NOBODY, "labels": labels}, "span")
        return
    yield Told(_with_counts(base, counts, found, kind), kind.role)


def _with_counts(base: dict[str, Any], counts: Counts, found: Found, kind: Kind) -> dict[str, Any]:
    tokens, labels = counts.tokens, base["labels"]
    labels |= counts.labels
    if _is(found, "cache_hit"):
        # The gateway answered from its own cache: the provider saw nothing and bills nothing.
        base |= {"tokens": {"input_uncached": 0, "output": 0}, "usage": "reported"}
        labels["cache_hit"] = "true"
        if "response_id" in base:  # of the call that filled the cache
            labels["cached_response_id"] = base.pop("response_id")
    elif tokens is not None and _is_nothing(tokens) and kind.operation in _READ_ALWAYS:
        if base.get("status") != "error":
            labels["zero_told"] = "a call that succeeded read something: unknown"
    elif tokens is not None:
        base["tokens"] = tokens
        if base["labels"].get("instrumentation") in _ADDS_PLACEHOLDER and _is(found, "streaming"):
            base["usage"] = "estimated"
            labels["note"] = "output counts the placeholder of the stream's first event too"
    if counts.units:
        base["units"] = counts.units
    return base


def _is_nothing(tokens: dict[str, int | None]) -> bool:
    return not any(tokens.values()) and None not in tokens.values()


def _is(found: Found, row: str) -> bool:
    told = found.told.get(row)
    return told is True or (isinstance(told, str) and told.lower() == "true")


def _by_words(base: dict[str, Any], words: UsageReading, kind: Kind) -> Iterator[Told]:
    """The parts of the provider's response, each an event with an id of its own."""
    base["labels"] |= {"usage_from": "the provider's response"}
    if words.notes:
        base["labels"]["note"] = "; ".join(words.notes)[:TEXT_MAX]
    if words.usage == "estimated":
        base["usage"] = "estimated"
    for at, part in enumerate(words.parts):
        one = dict(base)
        if at:
            one["event_id"] = f"{base['event_id']}/{at}"
            one.pop("reported_cost", None)
            if "response_id" in one:
                one["response_id"] = f"{base['response_id']}/{at}"
        one["model"] = part.model or base["model"]
        one |= {"tokens": dict(part.tokens)} if part.tokens else {}
        one |= {"units": dict(part.units)} if part.units else {}
        yield Told(one, kind.role)


def _base(span: Span, found: Found, frame: Frame) -> dict[str, Any]:
    """What every span tells: which, when, whose."""
    labels = dict(frame.labels)
    start_us, end_us = span.start_ns // _NS_PER_US, span.end_ns // _NS_PER_US
    if not start_us:
        raise EventError("startTimeUnixNano is 0; a call belongs to a moment")
    base: dict[str, Any] = {
        **frame.fields,
        "event_id": f"{span.trace_id}:{span.span_id}",
        "source": SOURCE,
        "started_at": _instant(start_us),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "status": "error" if span.failed else "ok",
        "labels": labels,
    }
    if end_us >= start_us:
        base["ended_at"] = _instant(end_us)
    elif end_us:
        labels["ended_before_started"] = f"{start_us - end_us} microseconds"
    if span.parent_id:
        base["parent_span_id"] = span.parent_id
    told = found.told
    for row in _OF_PEOPLE:
        if row in told and row not in base:
            base[row] = text(told[row])
    return base


_OF_PEOPLE: Final = ("user", "customer", "session")


def _call_fields(base: dict[str, Any], found: Found, words: UsageReading | None) -> None:
    told, labels = found.told, base["labels"]
    for field in _IDS:
        said = text(told[field]) if field in told else ""
        said = said or (getattr(words, field, "") if words else "")
        if said:
            base[field] = said
    call_id = text(told["call_id"]) if "call_id" in told else ""
    if call_id and "request_id" not in base:
        base["request_id"] = call_id
    elif call_id and call_id != base["request_id"]:
        labels["call_id"] = call_id
    tier = tier_of(told["tier"]) if "tier" in told else ""
    tier = tier or (words.tier if words else "")
    if tier:
        base["tier"] = tier
    if words and words.region:
        base["region"] = words.region
    if "cost" in told or "cost_details" in told:
        cost = cost_fields(money(_cost(told)))
        labels |= cost.pop("labels", {})
        base |= cost


_IDS: Final = ("response_id", "request_id", "key_id")


def _cost(told: dict[str, Any]) -> object:
    details = told.get("cost_details")
    if "cost" in told or details is None:
        return told.get("cost")
    details = parsed(details) if isinstance(details, str) else details
    return details.get("total") if isinstance(details, dict) else None


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return format_instant(second * _US_PER_S)[:-5]


def _instant(us: int) -> str:
    """As `format_instant`; spans come in runs, so each second is written once."""
    try:
        return f"{_second(us // _US_PER_S)}.{us % _US_PER_S:06}Z"
    except ClockError as error:
        raise EventError(f"a span's time is {us} microseconds since 1970: {error.what}") from error
