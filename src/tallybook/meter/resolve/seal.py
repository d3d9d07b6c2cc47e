"""Sealing usage: what waits becomes files, and of each call one row bills.

`settle` says what bills, as a pure function of what was told. Here its answer is compared with what
stands: rows that bill no more are netted, rows made of several observations are added. Nothing is
ever changed in place, and a run of the past reads what it read then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallybook.clock import Calendar
from tallybook.meter.identity import key_of
from tallybook.meter.resolve.gaps import Gaps, gaps_of
from tallybook.meter.resolve.observation import (
    ANY_CORRECTED,
    ANY_TRACE,
    Observation,
    corrected_alias,
    trace_alias,
)
from tallybook.meter.resolve.scope import Names, Scope, names_of, period_finder, scope_of
from tallybook.meter.resolve.settle import Call, Settlement, content, settle
from tallybook.meter.resolve.suspects import Suspects, suspects_of
from tallybook.store import Store, Tx
from tallybook.store.arrivals import Arrivals
from tallybook.store.calls import (
    Member,
    Standing,
    add_aliases,
    add_suspects,
    members_of,
    put_members,
    put_standings,
    standings,
)
from tallybook.store.seal import DERIVED, Netted, Settled, settle_anew
from tallybook.store.seal import seal as seal_files


def seal_usage(
    store: Store, calendar: Calendar, on_rows: Callable[[int], None] | None = None
) -> int:
    """Seal everything in the inbox; of each call one row bills, whoever told of it.

    Returns:
        the number of observations sealed.

    Raises:
        StoreError: the disk refuses; the inbox still holds every observation.
        CorruptedError: a sealed file that has to be looked at is not what was written.
    """
    return seal_files(store, calendar, _Settling(store, calendar), on_rows)


def settle_again(
    store: Store,
    calendar: Calendar,
    rows: Iterable[Mapping[str, Any]],
    verdicts: Mapping[frozenset[bytes], str],
    also: Callable[[Tx], None],
) -> None:
    """Settle some sealed observations anew, because a person decided about them.

    Args:
        store: open books.
        calendar: the company's.
        rows: the observations.
        verdicts: of pairs of keys: what the person said.
        also: writes the verdicts, in the transaction that lists what comes of them.
    """
    settle_anew(store, calendar, _Settling(store, calendar, tuple(rows), verdicts, also))


@dataclass(frozen=True, slots=True)
class _Settling:
    """The settlement of a lot of arrivals."""

    store: Store
    calendar: Calendar
    seeds: tuple[Mapping[str, Any], ...] = ()
    verdicts: Mapping[frozenset[bytes], str] = field(default_factory=dict)
    also: Callable[[Tx], None] = lambda _tx: None

    def __call__(self, arrivals: Arrivals) -> Settled:
        names = names_of(arrivals)
        scope = scope_of(self.store, self.calendar, arrivals, names, self.seeds, self.verdicts)
        settlement = settle(scope.told.values(), scope.superseded, scope.same)
        gaps = gaps_of(self.store, arrivals, names.columns)
        change = _Change(scope, settlement, gaps)
        with self.store.read() as tx:
            stood = standings(tx, change.subjects)
        change.compare(stood)
        suspects = suspects_of(self.store, self.calendar, arrivals, names.columns, change.several)
        roles = names.columns["role"]
        beside = {at for at, role in enumerate(roles) if role != "call"} | change.beside
        # What is written is made here: the scope is gone before the files are.
        aliases = _aliases(names, self.calendar) + _awaiting(scope, names, self.calendar)
        members, standing = self._members(change), change.standing

        def write(tx: Tx) -> None:
            add_aliases(tx, aliases)
            put_members(tx, members)
            put_standings(tx, standing)
            add_suspects(tx, _still_apart(tx, suspects))
            self.also(tx)

        return Settled(frozenset(beside), change.derived, change.netted, write)

    def _members(self, change: _Change) -> list[Member]:
        period = period_finder(self.calendar)
        return [
            Member(one.key, call, period(one.started_us), bills)
            for one, call, bills in change.members
        ]


def _aliases(names: Names, calendar: Calendar) -> list[tuple[bytes, bytes, str]]:
    """The names to keep: of calls, and of the traces that a tracer told of."""
    keys, starts = names.columns["key"], names.columns["started_us"]
    period = period_finder(calendar)
    kept = [
        (name, keys[at], period(starts[at])) for at, held in enumerate(names.of) for name in held
    ]
    firsts = [(trace_alias(trace), held[0]) for trace, held in names.traced.items()]
    firsts += [(ANY_TRACE, at) for _, at in firsts[:1]]
    return kept + [(name, keys[at], period(starts[at])) for name, at in firsts]


def _awaiting(scope: Scope, names: Names, calendar: Calendar) -> list[tuple[bytes, bytes, str]]:
    """The names under which corrections that state no trace wait for what they correct."""
    period, columns = period_finder(calendar), names.columns
    kept = [
        (corrected_alias(old), key, period(started_us))
        for source, key, started_us, trace, event_id in zip(
            columns["source"], columns["key"], columns["started_us"], columns["trace_id"],
            columns["supersedes"], strict=True,
        )
        if event_id and not trace and (old := key_of(source, event_id)) not in scope.told
    ]  # fmt: skip
    return kept + [(ANY_CORRECTED, key, at) for _, key, at in kept[:1]]


def _still_apart(tx: Tx, suspects: Suspects) -> Suspects:
    """Pairs that are not one call already."""
    known = members_of(tx, {key for pair in suspects for key in pair})

    def call(key: bytes) -> bytes:
        return known[key].call if key in known else key

    return {pair: told for pair, told in suspects.items() if call(pair[0]) != call(pair[1])}


@dataclass(slots=True)
class _Change:
    """What a settlement changes about what stands."""

    scope: Scope
    settlement: Settlement
    gaps: Gaps
    derived: list[Mapping[str, Any]] = field(default_factory=list)
    netted: list[Netted] = field(default_factory=list)
    standing: list[Standing] = field(default_factory=list)
    members: list[tuple[Observation, bytes, bool]] = field(default_factory=list)
    beside: set[int] = field(default_factory=set)

    @property
    def subjects(self) -> set[bytes]:
        """All that a row made of observations may bill for, now or until now."""
        scope = self.scope
        return {
            *scope.told,
            *(member.call for member in scope.member.values()),
            *(bucket.key for bucket in self.gaps.looked_at),
        }

    @property
    def several(self) -> set[bytes]:
        """The keys of calls that more than one source told of."""
        return {x.key for call in self.settlement.calls if len(call.told) > 1 for x in call.told}

    def compare(self, stood: Mapping[bytes, Standing]) -> None:
        """Work out what to net and what to add."""
        wanted = {
            call.subject: call
            for call in (*self.settlement.calls, *self.settlement.rests, *self.gaps.filling)
            if call.columns is not None
        }
        for subject in sorted(wanted.keys() | stood.keys()):
            self._one(subject, wanted.get(subject), stood.get(subject))
        self._rows()

    def _one(self, subject: bytes, call: Call | None, held: Standing | None) -> None:
        digest = content(call.columns) if call and call.columns is not None else b""
        if held is not None and held.content == digest:
            return
        if held is not None and held.event_id:
            self.netted.append(Netted(held.source, held.event_id, held.started_us))
        revision = held.revision + 1 if held else 1
        if call is None or call.columns is None:
            if held is not None:
                self.standing.append(Standing(subject, held.source, "", 0, b"", revision))
            return
        source, event_id = call.source, f"{_called(call)}~{revision}"
        row = {**call.columns, "source": source, "event_id": event_id, "supersedes": ""}
        self.derived.append(row | {"key": key_of(source, event_id), "record": DERIVED})
        started_us = call.columns["started_us"]
        self.standing.append(Standing(subject, source, event_id, started_us, digest, revision))

    def _rows(self) -> None:
        """Which observations bill by their own row."""
        own = {call.subject for call in self.settlement.calls if call.columns is None}
        joined = Counter(self.settlement.group.values())
        for key, one in self.scope.told.items():
            if one.role != "call":
                continue
            at = self.scope.position.get(key)
            if at is not None and key not in own:
                self.beside.add(at)
        for key, one in self.scope.told.items():
            if one.role == "call":
                self._row(one, key in own, joined)
                self._net_unseen(one)

    def _net_unseen(self, one: Observation) -> None:
        """Take out what a correction supersedes that has not come, or lies in a month far away.

        A correction that bills by its own row does so by itself.
        """
        old = one.superseded_key
        if old is None or old in self.scope.told:
            return
        if self.scope.position.get(one.key) in self.beside:
            self.netted.append(Netted(one.source, one.row["supersedes"], one.started_us))

    def _row(self, one: Observation, own: bool, joined: Mapping[bytes, int]) -> None:  # noqa: FBT001
        key, group = one.key, self.settlement.group[one.key]
        sealed = key not in self.scope.position
        if sealed and one.own and not own and not self._out_already(key):
            self.netted.append(Netted(one.source, one.event_id, one.started_us))
        if not own or joined[group] > 1 or key in self.scope.member:
            self.members.append((one, group, own))

    def _out_already(self, key: bytes) -> bool:
        """Whether the row that superseded an observation takes it out by itself."""
        new = self.scope.superseded.get(key)
        if new is None:
            return False
        at = self.scope.position.get(new)
        if at is not None:
            return at not in self.beside
        return True  # sealed earlier: by its own row, or the old one was netted then


def _called(call: Call) -> str:
    """The name of a row that was made of observations."""
    told = call.told
    return told[0].event_id if len(told) == 1 else call.subject.hex()
