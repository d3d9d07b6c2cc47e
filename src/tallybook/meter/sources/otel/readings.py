"""Spans as readings: what is kept of a span, and what it tells or why it tells nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from tallybook.errors import EventError
from tallybook.meter.read import read_event
from tallybook.meter.sources.otel.dialects import LONG, plan_of
from tallybook.meter.sources.otel.model import Attributes, Broken, Span
from tallybook.meter.sources.otel.told import told_of
from tallybook.meter.sources.source import Reading


def readings_of(place: str, spans: Iterable[Span | Broken]) -> Iterator[Reading]:
    """The readings of spans; each span is taken whole or refused whole.

    Args:
        place: of the request that holds them; the ordinal of each is added.
        spans: as one of the wires gave them.
    """
    resource, kept = None, {}
    for number, span in enumerate(spans, 1):
        where = f"{place}:{number}"
        if isinstance(span, Broken):
            yield Reading(where, span.record, span.fault)
            continue
        if span.resource is not resource:
            resource = span.resource
            kept = kept_of(resource.attributes)
        record = record_of(span, kept)
        try:
            told = [(read_event(each.canonical), each.role) for each in told_of(span)]
        except EventError as error:
            yield Reading(where, record, error)
            continue
        for event, role in told:
            yield Reading(where, record, event, role)


def record_of(span: Span, resource: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a span, the same from either wire: no content, nobody's name.

    Args:
        span: the span.
        resource: what is kept of its resource.
    """
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "startTimeUnixNano": span.start_ns,
        "endTimeUnixNano": span.end_ns,
        "kind": span.kind,
        "error": span.failed,
        "scope": span.scope,
        "attributes": kept_of(span.attributes),
        "resource": resource,
    }


def kept_of(attributes: Attributes) -> dict[str, Any]:
    """Attributes without content, people and long texts."""
    kept = {}
    for name in plan_of(tuple(attributes)).kept:
        value = attributes[name]
        form = type(value)
        if (len(value) <= LONG) if form is str else (form is int or _is_plain(value)):
            kept[name] = value
    return kept


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(
            len(each) <= LONG if isinstance(each, str) else isinstance(each, int | Decimal)
            for each in value
        )
    return value is None or isinstance(value, int | Decimal)
