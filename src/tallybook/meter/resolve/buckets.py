"""Aggregates of a provider: they fill gaps, and are never added to calls of the same key and time.

A bucket adds up a key and a window. Where any call of the same key, model and window is in the
books, the bucket serves reconciliation only. Where two exports of a provider may count the same
calls, the better one fills the gap; of one export in two widths or groupings, the wider or the
finer one. What is free or paid by a seat never bills.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from tallybook.meter.resolve.observation import Observation, base_model, same_model
from tallybook.meter.sources.buckets import GROUPED_BY, NOT_BILLED

_BETTER: Final = ("openai-usage", "anthropic-usage")
"""Exports that tell all that a key used; others tell the calls of one tool."""

Seen = tuple[str, str]
"""The model and the key of calls."""


def window_of(bucket: Observation) -> tuple[str, int, int]:
    """Provider, start and end of a bucket; one without an end is a moment."""
    ended_us = bucket.ended_us or bucket.started_us
    return str(bucket.row["provider"]), bucket.started_us, max(ended_us, bucket.started_us + 1)


class View(NamedTuple):
    """How an export looks at calls; of two that count the same, the later in order is taken.

    The wider window first, since narrow ones may be there for a part of it only; then the one that
    is grouped by more. ``groups`` is 0 where it is not known what it is grouped by.
    """

    width_us: int
    groups: int
    grouped_by: str


def view_of(bucket: Observation) -> View:
    """The view of the export that a bucket is from."""
    grouped_by = _labels(bucket).get(GROUPED_BY, "")
    _, from_us, to_us = window_of(bucket)
    groups = len(grouped_by.split(",")) if grouped_by else 0
    return View(to_us - from_us, groups, grouped_by)


def _labels(bucket: Observation) -> dict[str, str]:
    return dict(bucket.row["labels"] or ())


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
    if NOT_BILLED in _labels(bucket):
        return False
    covered = any(_covers(model, key, bucket, keys) for model, key in seen)
    return not covered and not any(_told_better(bucket, other) for other in others)


def _covers(model: str, key: str, bucket: Observation, keys: Collection[str]) -> bool:
    ours = str(bucket.row["key_id"])
    other_key = bool(ours) and key != ours and key in keys
    return not other_key and same_model(base_model(model), bucket.model)


def _told_better(bucket: Observation, other: Observation) -> bool:
    """Whether another export counts what a bucket counts, and is believed first."""
    if other.source == bucket.source:
        endpoint = bucket.row["operation"] == other.row["operation"]
        if not endpoint or view_of(other) <= view_of(bucket):
            return False
    elif NOT_BILLED in _labels(other) or _export(other) >= _export(bucket):
        return False
    (provider, from_us, to_us), (theirs, start_us, end_us) = window_of(bucket), window_of(other)
    stated = {str(one.row["key_id"]) for one in (bucket, other)} - {""}
    same = provider == theirs and same_model(bucket.model, other.model) and len(stated) <= 1
    return same and from_us < end_us and start_us < to_us


def _export(bucket: Observation) -> tuple[bool, str]:
    return bucket.source not in _BETTER, bucket.source
