"""What has to be looked at together: new observations and all that they touch, whole.

From the arrivals that share a name, a trace or a correction with anything, the scope grows by the
calls that they belong to, the traces of these, and what superseded them, until nothing is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from tallybook.clock import Calendar, Period
from tallybook.meter.identity import superseded_key_of
from tallybook.meter.resolve.observation import (
    ALIASED,
    ANY_CORRECTED,
    ANY_TRACE,
    Observation,
    aliases_of,
    corrected_alias,
    trace_alias,
)
from tallybook.meter.resolve.rank import standpoint_of
from tallybook.store import Store, inbox
from tallybook.store.arrivals import Arrivals
from tallybook.store.calls import Member, aliased, declared_same, members_in, members_of
from tallybook.store.observations import Observations

_COLUMNS: Final = (
    *("key", "role", "started_us", "supersedes"),
    *("source", "provider", "trace_id"),
)
"""What is held of all arrivals at once; most of it is the same text again and again."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of arrivals.

    ``of`` holds those of each position; ``traced`` the traces that a tracer told of, with the
    positions of what it told.
    """

    of: Sequence[tuple[bytes, ...]]
    traced: Mapping[str, Sequence[int]]
    columns: Mapping[str, Sequence[Any]]


@dataclass(slots=True)
class Scope:
    """Observations that have to do with each other, by key.

    ``position`` is where an arrival stands; what is sealed already has none. ``superseded`` maps a
    key to the key of the observation that took its place.
    """

    told: dict[bytes, Observation] = field(default_factory=dict)
    position: dict[bytes, int] = field(default_factory=dict)
    member: dict[bytes, Member] = field(default_factory=dict)
    superseded: dict[bytes, bytes] = field(default_factory=dict)
    same: tuple[frozenset[bytes], ...] = ()


def names_of(arrivals: Arrivals) -> Names:
    """The names of each arrival that is a call, column by column."""
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    named: list[tuple[bytes, ...]] = []
    for batch in arrivals.batches:
        told = {name: batch.column(name) for name in {*_COLUMNS, *ALIASED}}
        for name in _COLUMNS:
            columns[name] += told[name]
        every = zip(*(told[name] for name in ALIASED), batch.label("call_id"), strict=True)
        named += [
            aliases_of(*of_one) if role == "call" else ()
            for role, of_one in zip(told["role"], every, strict=True)
        ]
    traced: dict[str, list[int]] = defaultdict(list)
    for at, (role, source, trace) in enumerate(
        zip(columns["role"], columns["source"], columns["trace_id"], strict=True)
    ):
        if trace and (role in ("agent", "span") or standpoint_of(source) == "trace"):
            traced[trace].append(at)
    return Names(named, traced, columns)


def scope_of(
    store: Store,
    calendar: Calendar,
    arrivals: Arrivals,
    names: Names,
    seeds: Iterable[Mapping[str, Any]] = (),
    verdicts: Mapping[frozenset[bytes], str] = MappingProxyType({}),
) -> Scope:
    """The scope of arrivals, and of some sealed observations (``seeds``, rows).

    ``verdicts`` are of pairs of keys, about to be written.
    """
    grow = _Growth(store, calendar, arrivals, names, verdicts)
    positions, known = grow.touched()
    grow.take(positions)
    grow.add(seeds)
    grow.load(known, known.values())
    grow.to_its_end()
    return grow.scope


class _Growth:
    """A scope while it grows."""

    def __init__(
        self,
        store: Store,
        calendar: Calendar,
        arrivals: Arrivals,
        names: Names,
        verdicts: Mapping[frozenset[bytes], str],
    ) -> None:
        self._verdicts = verdicts
        self._store = store
        self._period = period_finder(calendar)
        self._arrivals = arrivals
        self._names = names
        self._traces_done: set[str] = set()
        self.scope = Scope()

    @cached_property
    def _at(self) -> Mapping[bytes, int]:
        """Where each arrival stands, by key: few lots ask."""
        return {key: at for at, key in enumerate(self._names.columns["key"])}

    def touched(self) -> tuple[set[int], dict[bytes, str]]:
        """The arrivals that share something with others, and the sealed that they share it with.

        The sealed come as keys with their periods.
        """
        bearer: dict[bytes, int] = {}
        shared: dict[bytes, set[int]] = {}
        for at, names in enumerate(self._names.of):
            for name in names:
                first = bearer.setdefault(name, at)
                if first != at:
                    shared.setdefault(name, {first}).add(at)
        positions = {at for held in shared.values() for at in held}
        with self._store.read() as tx:
            known = aliased(tx, bearer)
            positions |= {at for name in known for at in shared.get(name, {bearer[name]})}
            positions |= self._in_known_traces(tx) | self._awaited(tx)
        positions |= self._correcting()
        for held in self._names.traced.values():
            positions.update(held)
        return positions, dict(known.values())

    def _in_known_traces(self, tx: Any) -> set[int]:
        """Calls on the way that lie in a trace which a tracer told of."""
        known = aliased(tx, [ANY_TRACE])
        if not known and not self._names.traced:
            return set()
        waiting: dict[str, list[int]] = defaultdict(list)
        for at, trace in enumerate(self._names.columns["trace_id"]):
            if trace:
                waiting[trace].append(at)
        here = {at for trace in self._names.traced for at in waiting.get(trace, ())}
        if not known:
            return here
        names = {trace_alias(trace): trace for trace in waiting}
        return here | {at for name in aliased(tx, names) for at in waiting[names[name]]}

    def _awaited(self, tx: Any) -> set[int]:
        """Arrivals that a correction was there before, which states no trace of its own."""
        if not aliased(tx, [ANY_CORRECTED]):
            return set()
        names = {corrected_alias(key): at for key, at in self._at.items()}
        return {names[name] for name in aliased(tx, names)}

    def _correcting(self) -> set[int]:
        """Arrivals that supersede a member of a call that several told of, or part of a trace.

        And those that state no trace and take the place of what they supersede.
        """
        correcting = [at for at, old in enumerate(self._names.columns["supersedes"]) if old]
        if not correcting:
            return set()
        rows = self._arrivals.rows(correcting)
        found = (Observation(row, row["role"], own=False).superseded_key for row in rows)
        old_of = {at: old for at, old in zip(correcting, found, strict=True) if old}
        traces = self._names.columns["trace_id"]
        bare = {old for at, old in old_of.items() if not traces[at]}
        with self._store.read() as tx:
            touched = set(members_of(tx, old_of.values()))
            is_traced = bool(aliased(tx, [ANY_TRACE]))
        olds: list[Mapping[str, Any]] = []
        if bare:
            olds += Observations(self._store).with_keys(bare - self._at.keys())
            touched |= {row["key"] for row in olds if row["trace_id"] or row["service"]}
            touched |= bare & self._at.keys()
        if is_traced:
            periods = {self._period(row["started_us"]) for row in rows}
            rest = set(old_of.values()) - bare
            olds += Observations(self._store, _near(periods)).with_keys(rest)
            trace_of = {row["key"]: trace_alias(row["trace_id"]) for row in olds if row["trace_id"]}
            with self._store.read() as tx:
                known = aliased(tx, trace_of.values())
            touched |= {key for key, trace in trace_of.items() if trace in known}
        return {at for at, old in old_of.items() if old in touched}

    def take(self, positions: Iterable[int]) -> None:
        """Bring arrivals into the scope."""
        wanted = [
            at for at in sorted(positions) if self._names.columns["key"][at] not in self.scope.told
        ]
        for at, row in zip(wanted, self._arrivals.rows(wanted), strict=True):
            one = Observation(row, row["role"], own=row["role"] == "call")
            if one.role == "bucket":
                continue
            self.scope.told[one.key] = one
            self.scope.position[one.key] = at

    def load(self, keys: Iterable[bytes], periods: Iterable[str]) -> None:
        """Bring sealed observations, or arrivals, into the scope by key."""
        missing = {key for key in keys if key not in self.scope.told}
        if not missing:
            return
        self.take([self._at[key] for key in missing if key in self._at])
        sealed = [key for key in missing if key not in self._at]
        if sealed:
            self.add(Observations(self._store, _near(periods)).with_keys(sealed))

    def to_its_end(self) -> None:
        """Grow until nothing is missing."""
        size = -1
        while size != len(self.scope.told):
            size = len(self.scope.told)
            self._whole_calls()
            self._whole_traces()
            self._corrections()

    def _whole_calls(self) -> None:
        keys = list(self.scope.told)
        with self._store.read() as tx:
            self.scope.same = tuple(declared_same(tx, keys, self._verdicts))
            known = aliased(tx, [name for one in self.scope.told.values() for name in one.aliases])
            declared = {key for pair in self.scope.same for key in pair}
            held = members_of(tx, {*keys, *declared, *(key for key, _ in known.values())})
            members = members_in(tx, {member.call for member in held.values()})
        self.scope.member |= {member.observation: member for member in members}
        periods = {member.period for member in members} | {period for _, period in known.values()}
        periods |= self._periods()
        wanted = {member.observation for member in members} | declared
        self.load(wanted | {key for key, _ in known.values()}, periods)

    def _whole_traces(self) -> None:
        traces = self._traced_now() - self._traces_done
        if not traces:
            return
        self._traces_done |= traces
        column = self._names.columns["trace_id"]
        self.take([at for at, trace in enumerate(column) if trace in traces])
        periods = self._periods()
        self.add(Observations(self._store, _near(periods)).in_traces(traces))

    def _traced_now(self) -> set[str]:
        """The traces in scope that a tracer told of, now or before."""
        traces = {
            one.row["trace_id"]
            for one in self.scope.told.values()
            if one.row["trace_id"] and (one.traced or one.role != "call")
        }
        others = {one.row["trace_id"] for one in self.scope.told.values()} - traces - {""}
        with self._store.read() as tx:
            if not aliased(tx, [ANY_TRACE]):
                return traces
            names = {trace_alias(trace): trace for trace in others}
            return traces | {names[name] for name in aliased(tx, names)}

    def _corrections(self) -> None:
        """What takes the place of what is in scope, and what that takes the place of."""
        found = {
            old: key
            for key, one in self.scope.told.items()
            if (old := one.superseded_key) is not None
        }
        marks = {superseded_key_of(key): key for key in self.scope.told}
        with self._store.read() as tx:
            held = inbox.holders(tx, list(marks))
            found |= {marks[mark]: key for mark, (key, _) in held.items()}
            members = members_of(tx, {*found, *found.values()})
        self.load({*found, *found.values()}, self._periods() | {m.period for m in members.values()})
        far = [new for new in found.values() if new not in self.scope.told]
        far += [
            old for old, new in found.items() if self._is_bare(new) and old not in self.scope.told
        ]
        if far:
            self.add(Observations(self._store).with_keys(far))
        # What is not there even now waits in the inbox.
        self.scope.superseded = {old: new for old, new in found.items() if new in self.scope.told}

    def _is_bare(self, key: bytes) -> bool:
        """Whether it is in scope and states no trace: it takes the place of what it corrects."""
        one = self.scope.told.get(key)
        return one is not None and not one.row["trace_id"]

    def _periods(self) -> set[str]:
        """The periods of what is in scope."""
        return {self._period(one.started_us) for one in self.scope.told.values()}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Bring sealed observations into the scope."""
        fresh = [row for row in rows if row["key"] not in self.scope.told]
        with self._store.read() as tx:
            member = members_of(tx, [row["key"] for row in fresh])
        self.scope.member |= member
        for row in fresh:
            known = member.get(row["key"])
            own = row["kind"] == "events" and (known is None or known.bills)
            self.scope.told[row["key"]] = Observation(row, row["role"], own)


def _near(periods: Iterable[str]) -> set[str]:
    """Periods and their neighbours: clocks differ, and so did the company's zone once."""
    parsed = [Period.parse(text) for text in set(periods)]
    return {str(near) for one in parsed for near in (one.previous(), one, one.next())}


def period_finder(calendar: Calendar) -> Callable[[int], str]:
    """The period of an instant; arrivals come in runs, so the last answer is tried first."""
    low, high, text = 0, 0, ""

    def find(started_us: int) -> str:
        nonlocal low, high, text
        if not low <= started_us < high:
            period = calendar.period_of(started_us)
            low, high = calendar.bounds_us(period)
            text = str(period)
        return text

    return find
