"""What bills: a pure function of what sources told, whatever the order in which they did.

Observations are joined by the names that they share; inside a trace a span that lies alone in a
span of the same model is the same call. What is one call bills once, by the row of the only source
that told of it or by a row made of all. A span that adds up others bills only what it states above
them, as an estimate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.meter.model import NOBODY
from tallybook.meter.resolve.merge import MERGED, TRACE, merged
from tallybook.meter.resolve.observation import Observation, sums
from tallybook.meter.resolve.tree import Node, contains, residual, tree_of

OF_MANY: Final = {"context_tokens": 0}
"""A row of many requests: none is known to be long, so no long-context price applies."""
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
PLACE: Final = (*TRACE, "service")
"""Where a call stands in its trace, and whose it is there."""
_UNTOLD: Final = ("key", "record", "source", "event_id", "supersedes")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what was told of it, and the columns that bill.

    ``subject`` names it: the least key of what was told. ``columns`` is None where the only
    observation bills by its own row; ``taken`` says, where several told, who told each column.
    """

    subject: bytes
    told: tuple[Observation, ...]
    columns: Mapping[str, Any] | None
    taken: Mapping[str, Observation] | None = None

    def teller(self, column: str) -> Observation | None:
        """Who told what a column says, if anybody."""
        if self.taken is not None:
            return self.taken.get(column)
        return self.told[0] if self.told else None

    @property
    def tokens(self) -> dict[str, int]:
        """The classes that are known and not zero."""
        if self.columns is None:
            return self.told[0].tokens
        return {name: self.columns[name] for name in TOKEN_CLASSES if self.columns[name]}

    @property
    def source(self) -> str:
        """The source of the row that bills."""
        return MERGED if len(self.told) > 1 else self.told[0].source


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything in scope: the calls, and the rests that outer spans state above them.

    ``group`` holds, for each observation of a call, the name of all that it was joined with: what
    bills, and outer spans and superseded ones whose names lead to it.
    """

    calls: tuple[Call, ...]
    rests: tuple[Call, ...]
    outer: frozenset[bytes]
    group: Mapping[bytes, bytes]


def settle(
    observations: Iterable[Observation],
    superseded: Mapping[bytes, bytes],
    same: Iterable[frozenset[bytes]],
) -> Settlement:
    """Settle observations that have to do with each other.

    Args:
        observations: calls, agents and spans: whole traces and whole calls.
        superseded: the key of an observation to the key of the one that took its place; the names
            of the old one stay names of the call.
        same: keys that a person declared to be one call.
    """
    every = sorted(observations, key=lambda one: one.key)
    told = [one for one in every if one.key not in superseded]
    placed = _in_place(told, every, superseded)
    calls = {one.key: placed.get(one.key, one) for one in every if one.role == "call"}
    groups = _Groups(calls)
    _join_by_name(calls.values(), groups)
    for old, new in sorted(superseded.items()):
        groups.join([key for key in (old, new) if key in calls])
    for keys in same:
        groups.join([key for key in sorted(keys) if key in calls])
    nodes = _trees(list(placed.values()))
    outer = _nest(nodes, groups)
    depth = {node.told.key: node.depth for node in nodes}
    settled = {
        subject: _call(subject, [calls[key] for key in members], depth)
        for subject, members in groups.members(outer | superseded.keys()).items()
    }
    rests = _rests(nodes, settled, outer)
    group = {key: groups.of(key) for key in calls}
    return Settlement(tuple(settled.values()), tuple(rests), frozenset(outer), group)


def content(columns: Mapping[str, Any]) -> bytes:
    """The digest of the columns that bill."""
    told = {name: value for name, value in columns.items() if name not in _UNTOLD}
    return blake2b(_ENCODER.encode(told), digest_size=16).digest()


class _Groups:
    """Keys that are joined, by the least key of each group."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._parent = {key: key for key in keys}

    def of(self, key: bytes) -> bytes:
        """The name of a key's group."""
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key

    def join(self, keys: Sequence[bytes]) -> None:
        """Make the groups of some keys one."""
        names = sorted({self.of(key) for key in keys})
        for name in names[1:]:
            self._parent[name] = names[0]

    def members(self, without: Collection[bytes]) -> dict[bytes, list[bytes]]:
        """The keys of each group, by the least of them, without some."""
        groups: dict[bytes, list[bytes]] = defaultdict(list)
        for key in sorted(self._parent.keys() - set(without)):
            groups[self.of(key)].append(key)
        return {keys[0]: keys for keys in groups.values()}


def _join_by_name(calls: Iterable[Observation], groups: _Groups) -> None:
    named: dict[bytes, list[bytes]] = defaultdict(list)
    for one in calls:
        for alias in one.aliases:
            named[alias].append(one.key)
    for keys in named.values():
        groups.join(keys)


def _in_place(
    told: Iterable[Observation], every: Iterable[Observation], superseded: Mapping[bytes, bytes]
) -> dict[bytes, Observation]:
    """What was told, by key: a correction that states no trace in the place of what it corrects.

    It takes over trace, spans and service, the service only if it states none itself. Its own row
    does not say so and cannot bill any more.
    """
    by_key = {one.key: one for one in every}
    corrected = {new: by_key[old] for old, new in superseded.items() if old in by_key}
    placed = {}
    for one in told:
        place = {name: one.row[name] for name in PLACE}
        older = corrected.get(one.key)
        while older is not None and not place["trace_id"]:
            place |= {name: older.row[name] for name in TRACE}
            place["service"] = place["service"] or older.row["service"]
            older = corrected.get(older.key)
        same = all(one.row[name] == value for name, value in place.items())
        placed[one.key] = one if same else Observation({**one.row, **place}, one.role, own=False)
    return placed


def _trees(told: Sequence[Observation]) -> list[Node]:
    """The nodes of every trace that a tracer told of, the deepest first."""
    traces: dict[str, list[Observation]] = defaultdict(list)
    for one in told:
        if one.row["trace_id"]:
            traces[one.row["trace_id"]].append(one)
    traced = [t for t in traces.values() if any(x.traced or x.role != "call" for x in t)]
    nodes = [node for trace in traced for node in tree_of(trace)]
    return sorted(nodes, key=lambda node: (-node.depth, node.told.key))


def _nest(nodes: Sequence[Node], groups: _Groups) -> set[bytes]:
    """Join spans that repeat the one call inside them; the keys of those that add up several."""
    outer = {node.told.key for node in nodes if node.told.role == "agent"}
    for node in nodes:
        if node.told.role != "call" or not node.told.traced:
            continue
        inside = {groups.of(x.told.key) for x in node.below if x.told.role == "call"}
        adds_up = any(x.told.key in outer for x in node.below)
        alone = len(inside) == 1 and not adds_up
        if alone and inside == {groups.of(node.told.key)}:
            continue  # a name says so already
        if alone and all(contains(node.told, x.told) for x in node.below):
            groups.join([node.told.key, *inside])
        elif inside or adds_up:
            outer.add(node.told.key)
    return outer


def _call(subject: bytes, told: Sequence[Observation], depth: Mapping[bytes, int]) -> Call:
    if len(told) == 1:
        one = told[0]
        columns = None if one.own else plain_columns(one)
        return Call(subject, (one,), columns)
    columns, taken = merged(told, depth)
    return Call(subject, tuple(told), columns, taken)


def plain_columns(one: Observation) -> dict[str, Any]:
    """The columns of an observation that has to bill by a row of its own after all."""
    columns = {name: value for name, value in one.row.items() if name not in _UNTOLD}
    for name in ("role", "kind"):
        columns.pop(name, None)
    for name in ("units", "labels"):
        columns[name] = sorted(dict(one.row[name] or ()).items())
    return columns


def _rests(
    nodes: Sequence[Node],
    settled: Mapping[bytes, Call],
    outer: Collection[bytes],
) -> list[Call]:
    """What outer spans state above what lies in them, the innermost first."""
    call_of = {one.key: call for call in settled.values() for one in call.told}
    sum_of: dict[bytes, dict[str, int]] = {}
    rests = []
    for node in nodes:
        one = node.told
        if one.key not in outer:
            continue
        beneath: dict[bytes, Mapping[str, int]] = {}
        for x in node.below:
            if x.told.key in outer:
                beneath[x.told.key] = sum_of.get(x.told.key, {})
            elif call := call_of.get(x.told.key):
                beneath[call.subject] = call.tokens
        rest = residual(one.tokens, list(beneath.values()))
        sum_of[one.key] = _plus([*beneath.values(), rest])
        if rest:
            columns = _estimate(one, rest, [x.told for x in node.below])
            rests.append(Call(one.key, (one,), columns))
    return rests


def _plus(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for part in parts:
        for name, count in part.items():
            total[name] += count
    return dict(total)


def _estimate(
    one: Observation, rest: Mapping[str, int], below: Sequence[Observation]
) -> dict[str, Any]:
    """The columns of a rest; a span without a model takes that of its calls, if they have one."""
    columns = plain_columns(one) | dict.fromkeys(TOKEN_CLASSES, 0) | dict(rest)
    columns |= dict.fromkeys(TOKEN_CLASSES_INFORMATIVE, 0)
    served = {(x.row["provider"], x.row["model"]) for x in below if x.model != NOBODY}
    if one.model == NOBODY and len(served) == 1:
        columns["provider"], columns["model"] = served.pop()
    estimated = {"usage": "estimated", "state": "estimated", "units": []}
    return columns | estimated | OF_MANY | {"total_tokens": sum(sums(rest))}
