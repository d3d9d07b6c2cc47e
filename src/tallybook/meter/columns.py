"""Events as columns: what the inbox stores, in the names of the sealed schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE, TOKEN_CLASSES_INPUT
from tallybook.meter.measure import context_tokens, state, total_tokens
from tallybook.meter.model import TEXT, UsageEvent

_CLASSES = (*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE)
_AS_TOLD = ("started_us", "ended_us", "output_delivered", "attempt", "latency_ms", "ttft_ms")
_NOTHING: Mapping[str, int | None] = {}


def columns(
    events: Sequence[UsageEvent], keys: Sequence[bytes], records: Sequence[bytes]
) -> dict[str, list[object]]:
    """One list per column of `tallybook.store.events.EVENT_SCHEMA`.

    A class that the source did not carry is 0 where usage is known and null where it is not. User
    and customer stand as the source gave them; ingest replaces both columns.
    """
    states = [state(event) for event in events]
    tables: dict[str, list[object]] = {"key": [*keys], "record": [*records], "state": [*states]}
    for name in _AS_TOLD:
        tables[name] = list(map(attrgetter(name), events))
    for name in (*TEXT, "purpose"):
        told = list(map(attrgetter(name), events))
        absent = told.count(None)
        if absent == len(told):
            tables[name] = [""] * absent
        else:
            tables[name] = [value or "" for value in told] if absent else told
    tables["status"] = [event.status or "ok" for event in events]
    tables["usage"] = [
        "unknown" if known == "unknown" else event.usage or "reported"
        for event, known in zip(events, states, strict=True)
    ]
    tables["units"] = _pairs(event.units for event in events)
    tables["labels"] = _pairs(event.labels for event in events)
    costs = [event.reported_cost for event in events]
    tables["reported_cost"] = [cost.amount if cost else "" for cost in costs]
    tables["reported_currency"] = [cost.currency if cost else "" for cost in costs]
    return tables | _token_columns(events, states)


def _pairs(maps: Iterable[Mapping[str, int | None] | Mapping[str, str] | None]) -> list[object]:
    """Maps as tuples of pairs; equal ones are one object, or the collector walks them all."""
    known: dict[tuple[object, ...], tuple[object, ...]] = {}
    maps = list(maps)
    if maps.count(None) == len(maps):
        return [()] * len(maps)
    pairs = (tuple(each.items()) if each else () for each in maps)
    return [known.setdefault(pair, pair) for pair in pairs]


def _token_columns(events: Sequence[UsageEvent], states: Sequence[str]) -> dict[str, list[object]]:
    tokens = [event.tokens or _NOTHING for event in events]
    if {"unknown", "partial"}.isdisjoint(states):
        return _known_columns(tokens)
    absent = [None if known == "unknown" else 0 for known in states]
    counted: dict[str, list[object]] = {
        name: [counts.get(name, none) for counts, none in zip(tokens, absent, strict=True)]
        for name in _CLASSES
    }
    counted["context_tokens"] = [*map(context_tokens, events)]
    counted["total_tokens"] = [*map(total_tokens, events)]
    return counted


def _known_columns(tokens: Sequence[Mapping[str, int | None]]) -> dict[str, list[object]]:
    """The same when every figure is known, the plain case: sums go column by column."""
    used = frozenset[str]().union(*tokens)
    zeros = [0] * len(tokens)
    counted: dict[str, list[Any]] = {
        name: [counts.get(name, 0) for counts in tokens] if name in used else zeros
        for name in _CLASSES
    }
    for name, classes in (("context_tokens", TOKEN_CLASSES_INPUT), ("total_tokens", TOKEN_CLASSES)):
        parts = [counted[part] for part in classes if part in used]
        counted[name] = [*map(sum, zip(*parts, strict=True))] if parts else zeros
    return counted
