"""Usage rated where it lies: what waits row by row, what is sealed added up in the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from tallybook.attribute.lines import decide_all
from tallybook.attribute.path import Decision
from tallybook.books.meters import TOKEN_CLASSES
from tallybook.live.agents import AGENTS, find_agents
from tallybook.live.bucket import Buckets
from tallybook.live.ground import Ground
from tallybook.live.model import Subject
from tallybook.post.compute import placed_in
from tallybook.rate.rating import (
    PRICE_JOIN,
    beside_sql,
    carried_sql,
    event_amount_sql,
    netting_sql,
    open_prices,
    unpriced_sql,
)
from tallybook.store import Store, sql_text
from tallybook.store.lake import Snapshot
from tallybook.store.seal import SealedFile
from tallybook.store.session import ColumnType, Session
from tallybook.store.stream import Stream, Waiting


class Row(NamedTuple):
    """A waiting row, rated: what it carried by `Ground.carried`, and the rest by name.

    The last five name a call; they are empty where one source tells of all calls.
    """

    values: tuple[str, ...]
    epoch: int
    batch: int
    place: int
    role: str
    source: str
    started_us: int
    tokens: int
    state: str
    unpriced: bool
    card_pico: int
    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    operation: str
    operation_id: str
    attempt: int
    supersedes: str
    event_id: str = ""
    provider: str = ""
    response_id: str = ""
    request_id: str = ""
    call_id: str = ""

    @property
    def figures(self) -> tuple[int, ...]:
        """Those of a `Tally`."""
        cost = 0 if self.unpriced else self.card_pico
        estimated = self.state == "estimated"
        unknown = self.state in ("unknown", "partial")
        return (
            1, self.tokens, cost, int(unknown), int(estimated), cost if estimated else 0,
            int(self.unpriced),
        )  # fmt: skip


class Rated(NamedTuple):
    """What waits of a month.

    ``elsewhere`` are the calls of other months, which are left out; ``sources`` told of calls;
    ``is_named`` says whether the rows hold the names of calls.
    """

    rows: Sequence[Row]
    elsewhere: int
    sources: frozenset[str]
    is_named: bool


class Rater:
    """Rates what waits; holds its engine open, with the prices in it.

    Args:
        store: open books.
    """

    def __init__(self, store: Store) -> None:
        self._stream = Stream(store)
        self._ground: Ground | None = None
        self._used: set[str] = set()
        self._statements: Sequence[str] = ()

    def rated(
        self, ground: Ground, batches: Sequence[Waiting], sources: Iterable[str] = ()
    ) -> Rated:
        """The rows of some batches, each once, in order.

        Args:
            ground: prices and owners.
            batches: which.
            sources: who told of calls before. Where several do, the rows name their calls.
        """
        basis = ground.basis
        elsewhere = self._stream.load(batches, basis.start_us, basis.end_us)
        told = self._stream.distinct("role", "source")
        found = frozenset(sources) | {source for role, source in told if role == "call"}
        session, is_named = self._stream.session, len(found) > 1
        self._open(session, ground)
        width, statement = len(ground.carried), self._statements[is_named]
        rows = [Row(values[:width], *values[width:]) for values in session.rows(statement)]
        return Rated(rows, elsewhere, found, is_named)

    def close(self) -> None:
        """Release the engine."""
        self._stream.close()

    def _open(self, session: Session, ground: Ground) -> None:
        """Have the prices of what waits in the engine, and the statements that rate it."""
        found = self._stream.distinct("role", "provider", "model", "tier", "region")
        keys = [
            (provider, model, tier, region)
            for role, provider, model, tier, region in found
            if role == "call"
        ]
        used = self._used | self._stream.used(TOKEN_CLASSES)
        if not ground.price(keys) and ground is self._ground and used == self._used:
            return
        self._ground, self._used = ground, used
        metering = ground.metering(used, has_corrections=False)
        meters = open_prices(session, metering, ground.rows)
        parts = {
            "carried": carried_sql(metering),
            "unpriced": unpriced_sql(meters, ground.rows),
            "amount": event_amount_sql("card", meters),
            "price_join": PRICE_JOIN,
        }
        text = sql_text(__package__, "waiting")
        self._statements = [text.format(**parts, names=names) for names in ("", _NAMES)]


_NAMES: Final = """,
  e.event_id, e.provider, e.response_id, e.request_id, COALESCE(e.labels['call_id'], '')"""


@dataclass(slots=True)
class Sealed:
    """Sealed events added up; ``fan_out`` counts traces by owner and by how many calls they had."""

    buckets: Buckets = field(default_factory=Buckets)
    sources: set[str] = field(default_factory=set)
    fan_out: dict[tuple[str, str], dict[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opened:
    """An engine on sealed events, with prices and owners beside them.

    ``parts`` are what statements are made of; ``subjects`` are the owners by number, ``bounds`` the
    month.
    """

    session: Session
    subjects: Sequence[Subject]
    parts: Mapping[str, str]
    bounds: Mapping[str, object]

    def text(self, name: str, **more: str) -> str:
        """A statement of this room."""
        return sql_text(__package__, name).format(**self.parts, **more)


@dataclass(frozen=True, slots=True)
class Part:
    """Sealed events that are looked at.

    ``corrections`` are the files, of any period, whose events supersede others; ``beside`` are
    those that tell of the same traces, None where every call stands alone. ``traces`` are the only
    ones whose calls are looked at, '' that of calls that name none; None means all.
    """

    files: Sequence[SealedFile]
    corrections: Snapshot
    beside: Snapshot | None = None
    traces: Sequence[str] | None = None


@contextmanager
def opened(store: Store, ground: Ground, part: Part) -> Iterator[Opened]:
    """Open some sealed events, less those that corrections supersede, their traces walked."""
    files, corrections = part.files, part.corrections
    ground.price({key for file in files for key in file.price_keys})
    meters = {meter for file in files for meter in file.meters}
    plain = ground.metering(meters, has_corrections=bool(corrections.files))
    bounds = {"start_us": plain.start_us, "end_us": plain.end_us}
    snapshot = Snapshot(corrections.version, tuple(files))
    basis = replace(ground.basis, snapshot=snapshot, corrections=corrections, beside=part.beside)
    with store.lake.session(snapshot, corrections, beside=basis.beside) as session:
        if part.traces is not None:
            plain = replace(plain, only_touched=True)
            session.table("touched", {"trace_id": "text"}, [(one,) for one in part.traces])
        metering, paths, _ = placed_in(session, basis, plain)
        priced = open_prices(session, metering, ground.rows)
        carried, columns = carried_sql(metering), ", ".join(metering.columns)
        joined = beside_sql(metering)
        if metering.carries:
            combos = sql_text(__package__, "combos")
            session.run(combos.format(columns=columns, carried=carried, joined=joined), bounds)
        else:
            session.run(sql_text(__package__, "places"))
        found = session.rows(f"SELECT combo, epoch, {columns} FROM live_combo")
        decisions, numbered = decide_all(metering, paths, found)
        subjects = _own(session, decisions, numbered)
        expressions = [part.rpartition(" AS ") for part in carried.split(",\n  ")]
        agents = part.beside is not None and find_agents(
            session, only_touched=plain.only_touched, netted=netting_sql(metering)
        )
        same = " AND ".join(f"{made} = k.{name}" for made, _, name in expressions)
        unpriced, amount = unpriced_sql(priced, ground.rows), event_amount_sql("card", priced)
        parts = {
            "unpriced": unpriced,
            "unknown": "e.state IN ('unknown', 'partial')",
            "cost": f"CASE WHEN {unpriced} THEN 0 ELSE {amount} END",
            "price_join": PRICE_JOIN,
            "netted": netting_sql(metering),
            "owned": f"{joined}\n  JOIN live_owned k ON {same}",
            "agent": "COALESCE(n.agent, e.service)" if agents else "e.service",
            "agents": AGENTS if agents else "",
        }
        yield Opened(session, subjects, parts, bounds)


def _subject(decision: Decision) -> Subject:
    team, feature = decision.owner.started_by
    return Subject(team, feature, "", not decision.owner.is_fallback)


def add_up(
    store: Store, ground: Ground, part: Part, *, slots_us: int, traces_upto_us: int = 0
) -> Sealed:
    """Add up sealed events.

    Args:
        store: open books.
        ground: prices and owners.
        part: which events.
        slots_us: events before it have no slot of five minutes.
        traces_upto_us: traces are counted by their calls before it; 0 counts none.
    """
    sealed = Sealed()
    if not part.files:
        return sealed
    with opened(store, ground, part) as on:
        on.session.run(on.text("sealed"), {**on.bounds, "slots_us": slots_us})
        _put(on.session, sealed.buckets, on.subjects)
        told = on.session.rows("SELECT DISTINCT source FROM events")
        sealed.sources = {str(one) for (one,) in told} - {"merged"}
        if traces_upto_us:
            upto = {"start_us": on.bounds["start_us"], "upto_us": traces_upto_us}
            for owner, calls, traces in on.session.rows(on.text("fan_out"), upto):
                one = on.subjects[int(owner)]
                held = sealed.fan_out.setdefault((one.team, one.feature), {})
                held[int(calls)] = held.get(int(calls), 0) + int(traces)
    return sealed


def _own(
    session: Session, decisions: Sequence[Decision], numbered: Sequence[tuple[int, int]]
) -> Sequence[Subject]:
    """Put the owner of each combination beside it, as the table ``live_owned``.

    ``owner`` is its subject, ``feature`` the first subject of the same team and feature.

    Returns:
        the subjects in order: a decision on who pays makes no subject of its own.
    """
    found = [_subject(one) for one in decisions]
    subjects = sorted(set(found))
    number = {subject: at for at, subject in enumerate(subjects)}
    first = {one[:2]: at for at, one in reversed(list(enumerate(subjects)))}
    rows = [(combo, number[found[at]], first[found[at][:2]]) for combo, at in numbered]
    columns: Mapping[str, ColumnType] = dict.fromkeys(("combo", "owner", "feature"), "whole")
    session.table("live_owner", columns, rows)
    session.run(
        "CREATE OR REPLACE TABLE live_owned AS SELECT c.*, o.owner, o.feature FROM live_combo c"
        " JOIN live_owner o ON c.combo = o.combo"
    )
    return subjects


_SUMS = (
    "SUM(calls), SUM(tokens), SUM(card_pico), SUM(unknown), SUM(estimated), SUM(estimated_pico),"
    " SUM(unpriced)"
)


def _put(session: Session, buckets: Buckets, subjects: Sequence[Subject]) -> None:
    def of(owner: Any, agent: str) -> Subject:
        one = subjects[int(owner)]
        return Subject(one.team, one.feature, agent, one.allocated)

    month = f"SELECT owner, agent, {_SUMS} FROM live_sum GROUP BY owner, agent"
    for owner, agent, *sums in session.rows(month):
        buckets.put(("month", 0), of(owner, agent), _whole(sums))
    slots = (
        f"SELECT slot_us, owner, agent, {_SUMS} FROM live_sum WHERE slot_us >= 0"
        " GROUP BY slot_us, owner, agent"
    )
    for slot_us, owner, agent, *sums in session.rows(slots):
        buckets.put(("slot", int(slot_us)), of(owner, agent), _whole(sums))
    names: dict[int, Subject] = defaultdict()
    for hour_us, owner, *sums in session.rows(
        f"SELECT hour_us, owner, {_SUMS} FROM live_sum GROUP BY hour_us, owner"
    ):
        subject = names.get(owner) or names.setdefault(owner, of(owner, ""))
        buckets.put(("hour", int(hour_us)), subject, _whole(sums))


def _whole(sums: Sequence[Any]) -> tuple[int, ...]:
    return tuple(int(one or 0) for one in sums)
