"""Buckets among arrivals, and buckets that arrivals cover: which of them fill a gap."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallybook.meter.resolve.buckets import (
    Lying,
    Seen,
    called_in,
    fills_gap,
    window_of,
)
from tallybook.meter.resolve.observation import Observation
from tallybook.meter.resolve.settle import OF_MANY, Call, plain_columns
from tallybook.store import Store
from tallybook.store.arrivals import Arrivals
from tallybook.store.observations import Observations, Window


@dataclass(frozen=True, slots=True)
class Gaps:
    """The buckets that were looked at, and those of them that bill."""

    looked_at: tuple[Observation, ...] = ()
    filling: tuple[Call, ...] = ()


def gaps_of(store: Store, arrivals: Arrivals, columns: Mapping[str, Sequence[Any]]) -> Gaps:
    """Judge the buckets that arrive, and the sealed ones that the arrivals may cover."""
    new = [at for at, role in enumerate(columns["role"]) if role == "bucket"]
    here = [Observation(row, "bucket", own=False) for row in arrivals.rows(new)]
    sealed = [Observation(row, "bucket", own=False) for row in Observations(store).buckets()]
    if not here and not sealed:
        return Gaps()
    every = [*here, *sealed]
    arrived = {one.key for one in here}
    gone = {one.superseded_key for one in every}
    arriving = _starts(columns, arrivals.column("model"), arrivals.column("key_id"))
    windows = {one.key: window_of(one) for one in every}
    seen = {window: _seen_here(window, arriving) for window in set(windows.values())}
    new_ones = Lying(here)
    looked_at = [
        one
        for one in every
        if one.key in arrived or seen[windows[one.key]] or new_ones.looks_otherwise(one)
    ]
    found = {one.key for one in looked_at}
    looked_at += [one for one in sealed if one.key in gone and one.key not in found]
    live = [one for one in every if one.key not in gone]
    keys = _keys(live)
    before = {one.superseded_key for one in sealed}
    if keys != _keys(one for one in sealed if one.key not in before):
        looked_at = every  # whether a key is surely another one may have changed anywhere
    asked = {windows[one.key] for one in looked_at}
    for provider, from_us, to_us, model, key in Observations(store).seen_in(asked):
        seen[provider, from_us, to_us].add((model, key))
    called, others = called_in(seen, keys), Lying(live)
    filling = [
        one
        for one in looked_at
        if one.key not in gone and fills_gap(one, called[windows[one.key]], others)
    ]
    calls = (Call(one.key, (one,), plain_columns(one) | OF_MANY) for one in filling)
    return Gaps(tuple(looked_at), tuple(calls))


def _keys(buckets: Iterable[Observation]) -> set[str]:
    """The keys that buckets name."""
    return {str(one.row["key_id"]) for one in buckets} - {""}


_Starts = Mapping[str, tuple[list[int], list[Seen]]]


def _starts(
    columns: Mapping[str, Sequence[Any]], models: Sequence[str], keys: Sequence[str]
) -> _Starts:
    """The arriving calls of each provider in order of start: when, and of which model and key."""
    calls: dict[str, list[tuple[int, Seen]]] = defaultdict(list)
    every = zip(
        columns["role"], columns["provider"], columns["started_us"], models, keys, strict=True
    )
    for role, provider, started_us, model, key in every:
        if role == "call":
            calls[provider].append((started_us, (model, key)))
    ordered = {provider: sorted(held) for provider, held in calls.items()}
    return {p: ([at for at, _ in held], [s for _, s in held]) for p, held in ordered.items()}


def _seen_here(window: Window, arriving: _Starts) -> set[Seen]:
    provider, from_us, to_us = window
    starts, told = arriving.get(provider, ([], []))
    return set(told[bisect_left(starts, from_us) : bisect_left(starts, to_us)])
