"""Calls that may be one call, though no name says so: for a person to decide, never dropped.

Two sources told of the same model with the same counts of tokens within two seconds, under the same
key as far as told. Until somebody decides, both bill, and both stand on the list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from tallybook.clock import Calendar, format_instant
from tallybook.meter.resolve.observation import base_model, same_model
from tallybook.store import Store
from tallybook.store.arrivals import Arrivals
from tallybook.store.calls import suspects_among
from tallybook.store.observations import COUNTS, LIKENESS, Observations

SLACK_US: Final = 2_000_000

Suspects = Mapping[tuple[bytes, bytes], tuple[str, int]]
"""Pairs of keys, the lesser first, with what was told, as JSON, and when they started."""

_NAMES: Final = (*LIKENESS, "model", "key_id", "event_id")
_SOURCES_MAX: Final = 8
_LOOKED_AT: Final = 200
"""Calls with one count of tokens at one moment are paired for so many sources, and among so many
that differ in model or key; beyond, the list would grow with the square of a burst."""


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
    others = sealed.like({name: [told[name][at] for at in alone] for name in LIKENESS}, SLACK_US)
    like = {(row["context_tokens"], row["total_tokens"]) for row in others}
    counts = list(zip(told["context_tokens"], told["total_tokens"], strict=True))
    wanted = sorted({*_repeated(told, alone), *(at for at in alone if counts[at] in like)})
    if not wanted:
        return {}
    told |= {name: columns.get(name) or arrivals.column(name) for name in _NAMES}
    rows = [{name: told[name][at] for name in _NAMES} for at in wanted]
    with store.read() as tx:
        listed = suspects_among(tx, [row["key"] for row in others])
    pairs = _pairs([*rows, *others], _listed(listed))
    return {_pair(one, other): _told(one, other) for one, other in pairs}


class _Listed(NamedTuple):
    """What the list says of calls.

    ``paired`` are, of a call that may be another, its key and the source of the other; ``apart``
    are the keys of calls that a person called different, the lesser first.
    """

    paired: Collection[tuple[bytes, str]] = ()
    apart: Collection[tuple[bytes, bytes]] = ()


def _listed(rows: Iterable[Any]) -> _Listed:
    paired, apart = set(), set()
    for row in rows:
        keys = bytes(row.low), bytes(row.high)
        if row.verdict == "different":
            apart.add(keys)
        else:
            low, high = msgspec.json.decode(row.told)
            paired |= {(keys[0], high["source"]), (keys[1], low["source"])}
    return _Listed(paired, apart)


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


def _pairs(
    rows: Iterable[Mapping[str, Any]], listed: _Listed
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Pairs of calls of two sources with the same counts.

    A call is in one pair with each other source. Ten calls of one source that are like ten of
    another are ten pairs: so many may be told of twice, and to call all of them the same must not
    make one call of twenty.
    """
    groups: dict[tuple[int, int], dict[str, list[Mapping[str, Any]]]] = {}
    for row in sorted(rows, key=lambda row: (row["started_us"], row["key"])):
        sources = groups.setdefault((row["context_tokens"], row["total_tokens"]), {})
        sources.setdefault(row["source"], []).append(row)
    for sources in groups.values():
        for one, other in combinations(sorted(sources)[:_SOURCES_MAX], 2):
            yield from _matched(
                [row for row in sources[one] if (row["key"], other) not in listed.paired],
                [row for row in sources[other] if (row["key"], one) not in listed.paired],
                listed.apart,
            )


def _matched(
    ones: Iterable[Mapping[str, Any]],
    others: Iterable[Mapping[str, Any]],
    apart: Collection[tuple[bytes, bytes]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Calls of two sources, both in the order of starts, each in one pair at most."""
    waiting = deque(others)
    for one in ones:
        while waiting and waiting[0]["started_us"] < one["started_us"] - SLACK_US:
            waiting.popleft()
        for at, other in enumerate(islice(waiting, _LOOKED_AT)):
            if other["started_us"] > one["started_us"] + SLACK_US:
                break
            if _alike(one, other) and _pair(one, other) not in apart:
                del waiting[at]
                yield one, other
                break


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
