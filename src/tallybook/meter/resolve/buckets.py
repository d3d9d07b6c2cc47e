"""Aggregates of a provider: they fill gaps, and are never added to calls of the same key and time.

A bucket adds up a key and a window. Where any call of the same key, model and window is in the
books, the bucket serves reconciliation only. Where two exports of a provider may count the same
calls, the better one fills the gap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from tallybook.meter.resolve.observation import Observation, base_model, same_model

_BETTER: Final = ("openai-usage", "anthropic-usage")
"""Exports that tell all that a key used; others tell the calls of one tool."""

Seen = tuple[str, str]
"""The model and the key of calls."""


def window_of(bucket: Observation) -> tuple[str, int, int]:
    """Provider, start and end of a bucket; one without an end is a moment."""
    ended_us = bucket.ended_us or bucket.started_us
    return str(bucket.row["provider"]), bucket.started_us, max(ended_us, bucket.started_us + 1)


def fills_gap(
    bucket: Observation, seen: Iterable[Seen], others: Iterable[Observation], keys: Collection[str]
) -> bool:
    """Whether a bucket bills.

    Args:
        bucket: which; nothing supersedes it.
        seen: models and keys of the calls of its provider in its window.
        others: the buckets that nothing supersedes.
        keys: the keys that buckets name. Only such a key is surely not the bucket's own: a gateway
            has names of its own for keys.
    """
    covered = any(_covers(model, key, bucket, keys) for model, key in seen)
    return not covered and not any(_told_better(bucket, other) for other in others)


def _covers(model: str, key: str, bucket: Observation, keys: Collection[str]) -> bool:
    ours = str(bucket.row["key_id"])
    other_key = bool(ours) and key != ours and key in keys
    return not other_key and same_model(base_model(model), bucket.model)


def _told_better(bucket: Observation, other: Observation) -> bool:
    """Whether another export counts what a bucket counts, and is believed first."""
    if _export(other) >= _export(bucket):
        return False
    (provider, from_us, to_us), (theirs, start_us, end_us) = window_of(bucket), window_of(other)
    stated = {str(one.row["key_id"]) for one in (bucket, other)} - {""}
    same = provider == theirs and same_model(bucket.model, other.model) and len(stated) <= 1
    return same and from_us < end_us and start_us < to_us


def _export(bucket: Observation) -> tuple[bool, str]:
    return bucket.source not in _BETTER, bucket.source
