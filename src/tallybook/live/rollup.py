"""The rollup: a month added up, moved forward by what came since somebody last looked.

Two lots of buckets: what is sealed, up to a version of the manifest, and what waits in the inbox,
up to a batch. New files are added to the first, new batches to the second. When a seal takes
batches from the inbox, the second begins again with those that are left. What changes the past
(corrections, netted rows, other prices or owners) makes the first begin again too. So after a seal
the total is that of a run, to the unit.

Work happens outside of the lock: a write compares the step that the work stood on, and whoever
comes second begins again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tallybook.clock import Clock, Period
from tallybook.errors import StoreError
from tallybook.live.bucket import Buckets, Figures, Shelf, merged
from tallybook.live.ground import Ground, read_ground
from tallybook.live.model import HOUR_US, SLOT_US
from tallybook.live.rate import Rater, sealed_buckets
from tallybook.live.state import State, is_current, next_lot, read_state, sweep, write_state
from tallybook.live.take import Taken, names_of, take
from tallybook.live.trace import Trace, trace_of
from tallybook.post.basis import latest_books
from tallybook.store import Store, Tx
from tallybook.store.calls import aliased
from tallybook.store.growth import files_since
from tallybook.store.lake import BILLING, CORRECTING, Snapshot
from tallybook.store.seal import SealedFile, manifest_version_in
from tallybook.store.stream import Waiting, waiting_since, waiting_span

MICRO_ROWS: Final = 20_000
"""How many rows of the inbox are taken in at once."""
SLOTS_KEPT_US: Final = HOUR_US + SLOT_US
TRACE_KEPT_US: Final = 1_800_000_000
"""A trace is recent for half an hour after something of it came."""
DEAR_KEPT: Final = 100
"""How many traces are listed as dear."""
_TRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """A rollup that has taken in everything, as it was at one moment."""

    ground: Ground
    state: State
    now_us: int


@dataclass(frozen=True, slots=True)
class _Growth:
    """What there is to take in; ``files`` is None where the past changed."""

    state: State | None
    manifest: int
    first: int
    last: int
    files: tuple[SealedFile, ...] | None
    corrections: Snapshot
    batches: Sequence[Waiting]


class Rollup:
    """The rollup of the current month of a set of books, for one thread at a time.

    Args:
        store: open books.
        clock: says which month it is, and which five minutes.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.shelf = Shelf()
        self._rater = Rater(store)
        self._ground: Ground | None = None
        self._facts: tuple[object, ...] = ()
        self._step: tuple[str, int] = ("", -1)
        self.touched: dict[str, Trace] = {}

    def close(self) -> None:
        """Release the engine."""
        self._rater.close()

    def caught_up(self) -> Standing:
        """Take in what came until now.

        Returns:
            where the rollup stands; `touched` holds the traces that something came of.

        Raises:
            BooksError: no policy files were applied.
            StoreError: others kept changing what this stands on.
            CorruptedError: a sealed file or a batch is not what was written.
        """
        self.touched = {}
        goal = -1
        for _ in range(_TRIES):
            now_us = self.clock.now_us()
            ground = self._current_ground(now_us)
            growth = self._growth(ground)
            state = growth.state
            if goal < 0:
                goal = growth.last  # what comes meanwhile is for the next who asks
            if state is None or state.ground != ground.digest or growth.files is None:
                self._begin_again(ground, growth, now_us)
            elif growth.manifest != state.manifest or _was_sealed(state, growth):
                self._take_sealed(ground, growth, state, now_us)
            elif growth.batches and state.last_batch < goal:
                self._take_waiting(ground, growth.batches, state, now_us)
            else:
                return Standing(ground, state, now_us)
        raise StoreError("other commands kept changing what this stands on", next_step="ask again")

    def _current_ground(self, now_us: int) -> Ground:
        with self.store.read() as tx:
            versions = tx.rows("SELECT kind, MAX(version) AS version FROM document GROUP BY kind")
            documents = tuple((str(row.kind), int(row.version)) for row in versions)
            held = self._ground
            calendar = (
                held.basis.books.calendar
                if held is not None and self._facts[:1] == (documents,)
                else latest_books(tx)[0].calendar
            )
            period = calendar.period_of(now_us)
            published = tx.scalar(
                "SELECT COUNT(*) FROM publication WHERE period = :period", period=str(period)
            )
        facts = (documents, period, published)
        if held is None or facts != self._facts:
            held = self._ground = read_ground(self.store, period)
            self._facts = facts
        return held

    def _growth(self, ground: Ground) -> _Growth:
        period = str(ground.basis.period)
        with self.store.read() as tx:
            state = read_state(tx, period)
            self._remember(state)
            manifest = manifest_version_in(tx)
            first, last = waiting_span(tx)
            files: tuple[SealedFile, ...] | None = ()
            corrections = Snapshot(manifest, ())
            if state is None or state.manifest != manifest or state.ground != ground.digest:
                corrections = self._corrections(tx, manifest)
                files = self._came(tx, period, state, manifest) if state else None
            since = state.last_batch if state else 0
            batches = waiting_since(tx, since, MICRO_ROWS) if files == () else ()
            return _Growth(state, manifest, first, last, files, corrections, batches)

    def _remember(self, state: State | None) -> None:
        """Forget what is in memory if somebody else moved the rollup."""
        step = (state.period, state.step) if state else ("", -1)
        if step != self._step:
            self.shelf.forget()
            self._step = step

    def _corrections(self, tx: Tx, manifest: int) -> Snapshot:
        every = self.store.lake.snapshot_in(tx, "", manifest, CORRECTING)
        return Snapshot(manifest, tuple(file for file in every.files if file.supersedes))

    def _came(
        self, tx: Tx, period: str, state: State, manifest: int
    ) -> tuple[SealedFile, ...] | None:
        """The files that only add to what is sealed; None if something takes off."""
        came = files_since(tx, period, state.manifest, manifest, BILLING)
        anywhere = files_since(tx, "", state.manifest, manifest, CORRECTING)
        if came is None or anywhere is None or any(file.supersedes for file in anywhere):
            return None
        return came

    def _begin_again(self, ground: Ground, growth: _Growth, now_us: int) -> None:
        """Add up the whole month."""
        period = str(ground.basis.period)
        snapshot = self.store.lake.snapshot(period, growth.manifest)
        buckets, sources = sealed_buckets(
            self.store, ground, snapshot.files, growth.corrections, _slots_from(now_us)
        )
        old = growth.state
        with self.store.write() as tx:
            lot = next_lot(tx)
            state = State(
                period=period,
                step=old.step + 1 if old else 1,
                ground=ground.digest,
                manifest=growth.manifest,
                sealed_lot=lot,
                waiting_lot=lot + 1,
                first_batch=1,
                last_batch=0,
                noted=_noted(sources, old.last_batch if old else 0, old.floor if old else 0),
            )
            self._write(tx, old, _emptied(state, growth), [(lot, buckets)])

    def _take_sealed(self, ground: Ground, growth: _Growth, state: State, now_us: int) -> None:
        """Add new files; what waited and was sealed is counted with them from now on."""
        assert growth.files is not None, "looked at before"
        buckets, sources = sealed_buckets(
            self.store, ground, growth.files, growth.corrections, _slots_from(now_us)
        )
        new = replace(state, step=state.step + 1, manifest=growth.manifest)
        with self.store.write() as tx:
            if _was_sealed(state, growth):
                noted = _noted({*state.sources, *sources}, state.last_batch, state.floor)
                new = _emptied(replace(new, waiting_lot=next_lot(tx), noted=noted), growth)
            self._write(tx, state, new, [(new.sealed_lot, buckets)])

    def _take_waiting(
        self, ground: Ground, batches: Sequence[Waiting], state: State, now_us: int
    ) -> None:
        rows = list(self._rater.rated(ground, batches))
        sources = {*state.sources, *(row.source for row in rows if row.role == "call")}
        if len(sources) > 1 >= len(state.sources) and state.has_waiting:
            self._name_waiting(state, sources)
            return
        names = names_of(rows) if len(sources) > 1 else {}
        with self.store.read() as tx:
            traces = _traces(tx, {row.trace_id for row in rows} - {""})
            known = _known(tx, {name for told in names.values() for name in told})
        first = state.first_batch if state.has_waiting else batches[0].batch
        taken = take(
            ground, rows, traces, names, known,
            first_batch=first, again_upto=state.again_upto, slots_us=_slots_from(now_us),
        )  # fmt: skip
        counts = {
            name: state.count(name) + getattr(taken, name)
            for name in ("joined", "corrections", "elsewhere")
        }
        new = replace(
            state,
            step=state.step + 1,
            first_batch=first,
            last_batch=batches[-1].batch,
            noted={**state.noted, **counts, "sources": sorted(sources)},
        )
        with self.store.write() as tx:
            self._write(tx, state, new, [(state.waiting_lot, taken.buckets)], taken, now_us)

    def _name_waiting(self, state: State, sources: Iterable[str]) -> None:
        """A second source tells of calls: look at all that waits again, by name."""
        with self.store.write() as tx:
            noted = _noted(sources, state.last_batch, state.floor)
            new = replace(state, step=state.step + 1, waiting_lot=next_lot(tx), noted=noted)
            new = replace(new, last_batch=state.first_batch - 1)
            self._write(tx, state, new, [])

    def _write(
        self,
        tx: Tx,
        old: State | None,
        new: State,
        gained: Sequence[tuple[int, Buckets]],
        taken: Taken | None = None,
        now_us: int = 0,
    ) -> None:
        """Write a step, unless somebody else did meanwhile."""
        if not is_current(tx, old, new.period):
            return
        self._step = ("", -1)  # until it is committed, nothing is known
        if taken is not None:
            new = _put_traces(tx, new, taken.traces, now_us)
        write_state(tx, new)
        for lot, buckets in gained:
            for key, figures in buckets.items():
                self.shelf.write(tx, lot, key, figures)
        if old is None or (old.sealed_lot, old.waiting_lot) != (new.sealed_lot, new.waiting_lot):
            sweep(tx)
            tx.run("DELETE FROM live_told")
        if taken is not None:
            told = sorted(taken.told.items())
            tx.run_tuples("INSERT OR IGNORE INTO live_told (key, batch) VALUES (?, ?)", told)
            self.touched |= taken.traces
            tx.run(
                "DELETE FROM live_bucket WHERE span = 'slot' AND from_us < :upto",
                upto=_slots_from(now_us),
            )
        self._step = (new.period, new.step)

    def month(self, standing: Standing) -> tuple[Figures, Figures]:
        """The month to date by subject: what is sealed, and what waits."""
        state = standing.state
        with self.store.read() as tx:
            return (
                self.shelf.read(tx, state.sealed_lot, ("month", 0)),
                self.shelf.read(tx, state.waiting_lot, ("month", 0)),
            )

    def slots(self, standing: Standing, low_us: int, high_us: int) -> Figures:
        """The slots that begin from one instant to before another, by subject."""
        return self._stretches(standing.state, "slot", low_us, high_us)

    def hours(self, standing: Standing, wanted: Iterable[int]) -> dict[int, Figures]:
        """The hours that begin at some instants, by feature."""
        found: dict[int, Figures] = {}
        basis = standing.ground.basis
        with self.store.read() as tx:
            before = read_state(tx, str(basis.period.previous()))
            for at in wanted:
                state = standing.state if at >= basis.start_us else before
                lots = (state.sealed_lot, state.waiting_lot) if state else ()
                found[at] = {}
                for lot in lots:
                    merged(found[at], self.shelf.read(tx, lot, ("hour", at)))
        return found

    def first_hour_us(self, standing: Standing) -> int | None:
        """The first hour that is kept, of this month or the one before; None if none is."""
        with self.store.read() as tx:
            before = read_state(tx, str(standing.ground.basis.period.previous()))
            states = [state for state in (before, standing.state) if state]
            lots = [lot for state in states for lot in (state.sealed_lot, state.waiting_lot)]
            firsts = [
                tx.scalar(
                    "SELECT MIN(from_us) FROM live_bucket WHERE lot = :lot AND span = 'hour'",
                    lot=lot,
                )
                for lot in lots
            ]
        return min((int(at) for at in firsts if at is not None), default=None)

    def _stretches(self, state: State, span: Any, low_us: int, high_us: int) -> Figures:
        figures: Figures = {}
        with self.store.read() as tx:
            for lot in (state.sealed_lot, state.waiting_lot):
                for at in self.shelf.keys(tx, lot, span, low_us, high_us):
                    figures = merged(figures, self.shelf.read(tx, lot, (span, at)))
        return figures

    def hours_since(self, standing: Standing, low_us: int, high_us: int) -> Figures:
        """The hours that begin from one instant to before another, added up by feature."""
        return self._stretches(standing.state, "hour", low_us, high_us)


def _was_sealed(state: State, growth: _Growth) -> bool:
    """Whether a batch of the waiting lot has left the inbox."""
    return state.has_waiting and (growth.first == 0 or growth.first > state.first_batch)


def _emptied(state: State, growth: _Growth) -> State:
    """The waiting lot without any batch, before the first that is in the inbox."""
    before = growth.first - 1 if growth.first else growth.last
    before = max(before, 0)
    return replace(state, first_batch=before + 1, last_batch=before)


def _noted(sources: Iterable[str], again_upto: int, floor: int) -> Mapping[str, Any]:
    return {"sources": sorted(sources), "again_upto": again_upto, "floor": floor}


def _slots_from(now_us: int) -> int:
    low = now_us - SLOTS_KEPT_US
    return low - low % SLOT_US


def _traces(tx: Tx, wanted: Iterable[str]) -> dict[str, Trace]:
    """The recent traces of some names."""
    found: dict[str, Trace] = {}
    names = sorted(wanted)
    for start in range(0, len(names), 500):
        part = {f"t{i}": name for i, name in enumerate(names[start : start + 500])}
        binds = ", ".join(f":{name}" for name in part)
        statement = f"SELECT trace, body FROM live_trace WHERE trace IN ({binds})"
        for name, body in tx.plain_rows(statement, **part) or ():
            found[name] = trace_of(name, body)
    return found


def _known(tx: Tx, names: Iterable[bytes]) -> set[bytes]:
    """The names under which a call was told of, sealed or waiting."""
    wanted = sorted(names)
    if not wanted:
        return set()
    found = set(aliased(tx, wanted))
    for start in range(0, len(wanted), 500):
        part = {f"k{i}": name for i, name in enumerate(wanted[start : start + 500])}
        binds = ", ".join(f":{name}" for name in part)
        rows = tx.rows(f"SELECT key FROM live_told WHERE key IN ({binds})", **part)
        found |= {bytes(row.key) for row in rows}
    return found


_RANK_MAX: Final = 2**63 - 1


def _put_traces(tx: Tx, state: State, traces: Mapping[str, Trace], now_us: int) -> State:
    """Keep traces; forget those of which nothing came for long. Which are dear may change."""
    floor = state.floor
    rows = []
    for name, trace in sorted(traces.items()):
        rank = min(trace.figures[2], _RANK_MAX)
        rows.append((name, now_us, rank, int(rank > 0 and rank >= floor), trace.body))
    tx.run_tuples(
        "INSERT INTO live_trace (trace, seen_us, cost_rank, dear, body) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (trace) DO UPDATE SET seen_us = excluded.seen_us,"
        " cost_rank = excluded.cost_rank, dear = excluded.dear, body = excluded.body",
        rows,
    )
    gone = tx.run("DELETE FROM live_trace WHERE seen_us < :upto", upto=now_us - TRACE_KEPT_US)
    ranks = [
        int(row.cost_rank)
        for row in tx.rows(
            "SELECT cost_rank FROM live_trace WHERE dear = 1 ORDER BY cost_rank DESC LIMIT :most",
            most=3 * DEAR_KEPT,
        )
    ]
    if len(ranks) >= 3 * DEAR_KEPT:
        floor = ranks[DEAR_KEPT - 1]
        tx.run("UPDATE live_trace SET dear = 0 WHERE dear = 1 AND cost_rank < :floor", floor=floor)
    elif gone and floor and len(ranks) < DEAR_KEPT:
        floor = 0
        tx.run("UPDATE live_trace SET dear = 1 WHERE dear = 0 AND cost_rank > 0")
    return replace(state, noted={**state.noted, "floor": floor})


def period_of(standing: Standing) -> Period:
    """The month of a rollup."""
    return standing.ground.basis.period
