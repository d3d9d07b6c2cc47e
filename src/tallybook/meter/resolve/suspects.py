"""Calls that may be one call, though no name says so: for a person to decide, never dropped.

Two sources told of the same model with the same counts of tokens within two seconds, under the same
key as far as told. Until somebody decides, both bill, and both stand on the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tallybook.clock import Calendar, format_instant
from tallybook.meter.resolve.observation import base_model, same_model
from tallybook.store import Store
from tallybook.store.arrivals import Arrivals
from tallybook.store.observations import COUNTS, LIKENESS, Observations

SLACK_US: Final = 2_000_000

Suspects = Mapping[tuple[bytes, bytes], tuple[str, int]]
"""Pairs of keys, the lesser first, with what was told, as JSON, and when they started."""

_NAMES: Final = (*LIKENESS, "model", "key_id", "event_id")


def suspects_of(
    store: Store,
    calendar: Calendar,
    arrivals: Arrivals,
    columns: Mapping[str, Sequence[Any]],
    several: Collection[bytes],
) -> Suspects:
    """Pairs of an arriving call and another call that is like it.

    Args:
        store: open books.
        calendar: the company's.
        arrivals: what is about to be sealed.
        columns: columns of it that were read already.
        several: keys of calls that have been found to be told of by several sources.
    """
    calls = [at for at, role in enumerate(columns["role"]) if role == "call"]
    if not calls:
        return {}
    sources = {columns["source"][at] for at in calls}
    starts = [columns["started_us"][at] for at in calls]
    low, high = min(starts) - SLACK_US, max(starts) + SLACK_US
    periods = {str(calendar.period_of(at_us)) for at_us in (max(low, 0), high)}
    sealed = Observations(store, periods)
    if len(sources | sealed.sources(low, high)) < 2:  # noqa: PLR2004 - two make a pair
        return {}
    told = {name: columns.get(name) or arrivals.column(name) for name in LIKENESS}
    alone = [at for at in calls if told["total_tokens"][at] and told["key"][at] not in several]
    far = sealed.like({name: [told[name][at] for at in alone] for name in LIKENESS}, SLACK_US)
    near = _repeated(told, alone)
    if not far and not near:
        return {}
    told |= {name: columns.get(name) or arrivals.column(name) for name in _NAMES}
    joined = {key for key, _ in far}
    rows = {
        at: {name: told[name][at] for name in _NAMES}
        for at in {*near, *(at for at in alone if told["key"][at] in joined)}
    }
    pairs = [*_among([rows[at] for at in near])]
    by_key = {row["key"]: row for row in rows.values()}
    pairs += [(by_key[key], other) for key, other in far]
    return {_pair(one, other): _told(one, other) for one, other in pairs if _alike(one, other)}


def _repeated(told: Mapping[str, Sequence[Any]], calls: Sequence[int]) -> list[int]:
    """Those of some calls whose counts another of them has too: few, for counts differ."""
    at = np.array(calls, np.int64)
    context, total = (np.array(told[name], np.int64)[at] for name in COUNTS)
    order = np.lexsort((context, total))
    same = np.zeros(len(order) + 1, bool)
    same[1:-1] = np.diff(context[order]) == 0
    same[1:-1] &= np.diff(total[order]) == 0
    repeated: list[int] = at[order[same[:-1] | same[1:]]].tolist()
    return repeated


def _among(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], ...]]:
    """Pairs of arrivals of two sources with the same counts, started about the same time."""
    groups: dict[tuple[int, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["started_us"], row["key"])):
        like = groups[row["context_tokens"], row["total_tokens"]]
        for other in reversed(like):
            if row["started_us"] - other["started_us"] > SLACK_US:
                break
            if other["source"] != row["source"]:
                yield row, other
        like.append(row)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    keys = {one["key_id"], other["key_id"]} - {""}
    return same_model(base_model(one["model"]), base_model(other["model"])) and len(keys) <= 1


def _pair(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[bytes, bytes]:
    low, high = sorted((one["key"], other["key"]))
    return low, high


def _told(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, int]:
    calls = [
        {
            "source": row["source"],
            "event_id": row["event_id"],
            "started_at": format_instant(row["started_us"]),
            "model": row["model"],
            "tokens": row["total_tokens"],
            "key_id": row["key_id"],
        }
        for row in sorted((one, other), key=lambda row: bytes(row["key"]))
    ]
    return msgspec.json.encode(calls).decode(), min(one["started_us"], other["started_us"])
