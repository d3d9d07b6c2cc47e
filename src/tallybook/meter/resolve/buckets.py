"""Aggregates of a provider: they fill gaps, and are never added to calls of the same key and time.

A bucket adds up a key and a window. Where any call of the same key, model and window is in the
books, the bucket serves reconciliation only. Where two exports of a provider may count the same
calls, the better one fills the gap; of one export in two widths or groupings, the wider or the
finer one. What is free or paid by a seat never bills.

A month by the hour has hundreds of thousands of buckets: none is held against every other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import product
from typing import Final, NamedTuple

from tallybook.meter.model import NOBODY
from tallybook.meter.resolve.observation import Observation, base_model
from tallybook.meter.sources.buckets import GROUPED_BY, NOT_BILLED
from tallybook.store.observations import Window

_BETTER: Final = ("openai-usage", "anthropic-usage")
"""Exports that tell all that a key used; others tell the calls of one tool."""

Seen = tuple[str, str]
"""The model and the key of calls."""


def window_of(bucket: Observation) -> Window:
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


class Kind(NamedTuple):
    """What the buckets of one export, endpoint and view share; their windows are equally wide."""

    provider: str
    source: str
    operation: str
    view: View
    is_billed: bool

    def is_better(self, other: Kind) -> bool:
        """Whether of two that count the same this one is believed first."""
        if self.provider != other.provider:
            return False
        if self.source == other.source:
            return self.operation == other.operation and self.view > other.view
        return self.is_billed and self._rank < other._rank

    def is_other_view(self, other: Kind) -> bool:
        """Whether this is another look at the calls of a provider."""
        own, theirs = (self.source, self.view), (other.source, other.view)
        return self.provider == other.provider and own != theirs

    @property
    def _rank(self) -> tuple[bool, str]:
        return self.source not in _BETTER, self.source


def kind_of(bucket: Observation) -> Kind:
    """The kind of a bucket."""
    labels = dict(bucket.row["labels"] or ())
    grouped_by = labels.get(GROUPED_BY, "")
    provider, from_us, to_us = window_of(bucket)
    groups = len(grouped_by.split(",")) if grouped_by else 0
    return Kind(
        provider,
        bucket.source,
        str(bucket.row["operation"]),
        View(to_us - from_us, groups, grouped_by),
        NOT_BILLED not in labels,
    )


_Named = tuple[str | None, str | None]
"""A key and a model; None stands for whichever."""


class Lying:
    """Where buckets lie in time, by kind: asked whether one overlaps, at the cost of few looks."""

    def __init__(self, buckets: Iterable[Observation]) -> None:
        self._starts: dict[Kind, dict[_Named, list[int]]] = {}
        for one in buckets:
            held = self._starts.setdefault(kind_of(one), defaultdict(list))
            for named in product((_key(one), None), (one.model, None)):
                held[named].append(one.started_us)
        for held in self._starts.values():
            for starts in held.values():
                starts.sort()
        self._better, self._other_views = cache(self._kinds_better), cache(self._kinds_beside)

    def tells_better(self, bucket: Observation) -> bool:
        """Whether another export counts what a bucket counts, and is believed first."""
        key, model = _key(bucket), bucket.model
        # Where a key or a model is not told, it may be any.
        keys = (key, "") if key else (None,)
        models = (model, NOBODY) if model != NOBODY else (None,)
        named = list(product(keys, models))
        return any(
            self._overlaps(kind, name, bucket)
            for kind in self._better(kind_of(bucket))
            for name in named
        )

    def looks_otherwise(self, bucket: Observation) -> bool:
        """Whether a bucket of another export, or of another view of it, lies in the same time."""
        kinds = self._other_views(kind_of(bucket))
        return any(self._overlaps(kind, (None, None), bucket) for kind in kinds)

    def _overlaps(self, kind: Kind, named: _Named, bucket: Observation) -> bool:
        starts = self._starts[kind].get(named)
        if not starts:
            return False
        _, from_us, to_us = window_of(bucket)
        first = bisect_left(starts, from_us - kind.view.width_us + 1)
        return first < len(starts) and starts[first] < to_us

    def _kinds_better(self, own: Kind) -> list[Kind]:
        return [kind for kind in self._starts if kind.is_better(own)]

    def _kinds_beside(self, own: Kind) -> list[Kind]:
        return [kind for kind in self._starts if kind.is_other_view(own)]


class Called:
    """Which models and keys the calls of a window have.

    Args:
        seen: models and keys of its calls.
        keys: the keys that buckets name. Only such a key is surely not another bucket's own: a
            gateway has names of its own for keys.
    """

    def __init__(self, seen: Iterable[Seen], keys: Collection[str]) -> None:
        self._keys: dict[str, set[str]] = defaultdict(set)
        for model, key in seen:
            self._keys[base_model(model)].add(key)
        self._own_names = {
            model for model, held in self._keys.items() if any(key not in keys for key in held)
        }

    def covers(self, bucket: Observation) -> bool:
        """Whether a call that a bucket may count is in the books."""
        key, model = _key(bucket), bucket.model
        models = self._keys if model == NOBODY else (model, NOBODY)
        return any(
            not key or one in self._own_names or key in self._keys[one]
            for one in models
            if one in self._keys
        )


def fills_gap(bucket: Observation, called: Called, others: Lying) -> bool:
    """Whether a bucket bills.

    Args:
        bucket: which; nothing supersedes it.
        called: the calls of its provider in its window.
        others: the buckets that nothing supersedes.
    """
    is_billed = kind_of(bucket).is_billed
    return is_billed and not called.covers(bucket) and not others.tells_better(bucket)


def called_in(seen: Mapping[Window, Iterable[Seen]], keys: Collection[str]) -> dict[Window, Called]:
    """The calls of each window, see `Called`."""
    return {window: Called(told, keys) for window, told in seen.items()}


def _key(bucket: Observation) -> str:
    return str(bucket.row["key_id"])
