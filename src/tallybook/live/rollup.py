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
from tallybook.live.bucket import Buckets, Figures, merged
from tallybook.live.cut import Cut
from tallybook.live.detect import TRACES_LEAST, Usuals
from tallybook.live.ground import Ground, read_ground
from tallybook.live.keep import (
    Recent,
    TraceRow,
    forget_names,
    keep_names,
    keep_traces,
    keep_usuals,
    known_names,
    trace_rows,
    usuals_of,
)
from tallybook.live.linked import moved_by
from tallybook.live.model import HOUR_US, SLOT_US
from tallybook.live.rate import Part, Rater, Sealed, add_up
from tallybook.live.shelf import Shelf
from tallybook.live.state import State, is_current, next_lot, read_state, sweep, write_state
from tallybook.live.take import Taken, names_of, take
from tallybook.live.trace import Trace
from tallybook.live.usual import DAY_US
from tallybook.post.basis import beside_of, latest_books
from tallybook.post.increment import told_since
from tallybook.store import Store, Tx
from tallybook.store.growth import files_since
from tallybook.store.lake import BILLING, CORRECTING, OBSERVED, Snapshot
from tallybook.store.seal import SealedFile, manifest_version_in
from tallybook.store.stream import Waiting, waiting_since, waiting_span

MICRO_ROWS: Final = 20_000
"""How many rows of the inbox are taken in at once."""
SLOTS_KEPT_US: Final = HOUR_US + SLOT_US
_TRIES: Final = 100
_NO_STEP: Final = ("", -1)
"""Where a month stands that nobody asked for yet."""
_UNKNOWN: Final = ("", -2)
"""Where memory stands while a step is written: it is forgotten unless the step comes true."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A rollup that has taken in everything, as it was at one moment."""

    ground: Ground
    state: State
    now_us: int


@dataclass(frozen=True, slots=True)
class _Growth:
    """What there is to take in; ``files`` is None where the past changed.

    ``links`` says that rows of the files may move calls that were sealed before.
    """

    state: State | None
    manifest: int
    first: int
    last: int
    files: tuple[SealedFile, ...] | None
    links: bool
    corrections: Snapshot
    batches: Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class _Step:
    """What one write brings: a new state, what a lot gains, and what is kept beside."""

    old: State | None
    new: State
    lot: int
    buckets: Buckets
    taken: Taken | None = None
    traced: Sequence[TraceRow] = ()
    now_us: int = 0
    fan_out: Mapping[tuple[str, str], Mapping[int, int]] | None = None


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
        self._step: tuple[str, int] = _NO_STEP
        self._recent = Recent()
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
            links = False
            corrections = Snapshot(manifest, ())
            if state is None or state.manifest != manifest or state.ground != ground.digest:
                corrections = self._corrections(tx, manifest)
                files, links = self._came(tx, ground, state, manifest) if state else (None, False)
            since = state.last_batch if state else 0
            batches = waiting_since(tx, since, MICRO_ROWS) if files == () else ()
            return _Growth(state, manifest, first, last, files, links, corrections, batches)

    def _remember(self, state: State | None) -> None:
        """Forget what is in memory if somebody else moved the rollup."""
        step = (state.period, state.step) if state else _NO_STEP
        if step != self._step:
            self.shelf.forget()
            self._recent.forget()
            self._step = step

    def _corrections(self, tx: Tx, manifest: int) -> Snapshot:
        every = self.store.lake.snapshot_in(tx, "", manifest, CORRECTING)
        return Snapshot(manifest, tuple(file for file in every.files if file.supersedes))

    def _came(
        self, tx: Tx, ground: Ground, state: State, manifest: int
    ) -> tuple[tuple[SealedFile, ...] | None, bool]:
        """The files that came; None if something takes off, or calls stood alone until now.

        Returns:
            files, and whether steps and links in them may say anew whose calls are.
        """
        period, since = ground.basis.period, state.manifest
        came = files_since(tx, str(period), since, manifest, BILLING)
        anywhere = files_since(tx, "", since, manifest, CORRECTING)
        told = files_since(tx, str(period), since, manifest, OBSERVED)
        if came is None or anywhere is None or told is None:
            return None, False
        if any(file.supersedes for file in anywhere):
            return None, False
        is_linked = bool(state.noted.get("links"))
        if is_linked:
            new = replace(ground.basis, snapshot=Snapshot(manifest, came))
            near = told_since(tx, new, since)
            if near is None:
                return None, False
            told += near
        links = self.store.lake.may_link(Snapshot(manifest, told), every=is_linked)
        return (came if is_linked or not links else None), links

    def _begin_again(self, ground: Ground, growth: _Growth, now_us: int) -> None:
        """Add up the whole month."""
        period = str(ground.basis.period)
        org = ground.basis.books.org
        with self.store.read() as tx:
            snapshot = self.store.lake.snapshot_in(tx, period, growth.manifest)
            beside = beside_of(self.store, tx, ground.basis.period, growth.manifest, org)
        sealed = add_up(
            self.store,
            ground,
            Part(snapshot.files, growth.corrections, beside),
            slots_us=_slots_from(now_us),
            traces_upto_us=now_us - now_us % DAY_US,
        )
        old = growth.state
        with self.store.read() as tx:
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
            noted={**_noted(sealed.sources, old), "links": beside is not None},
        )
        self._write(
            _Step(old, _emptied(state, growth), lot, sealed.buckets, fan_out=sealed.fan_out)
        )

    def _take_sealed(self, ground: Ground, growth: _Growth, state: State, now_us: int) -> None:
        """Add new files; what waited and was sealed is counted with them from now on."""
        assert growth.files is not None, "looked at before"
        sealed = self._came_to(ground, growth, growth.files, state, now_us)
        if sealed is None:
            self._begin_again(ground, growth, now_us)
            return
        new = replace(state, step=state.step + 1, manifest=growth.manifest)
        if _was_sealed(state, growth):
            new = self._with_empty_waiting(new, {*state.sources, *sealed.sources})
            new = _emptied(new, growth)
        self._write(_Step(state, new, new.sealed_lot, sealed.buckets))

    def _came_to(
        self,
        ground: Ground,
        growth: _Growth,
        files: Sequence[SealedFile],
        state: State,
        now_us: int,
    ) -> Sealed | None:
        """What new files add, and move in what was sealed before; None if that is too much."""
        slots_us, corrections = _slots_from(now_us), growth.corrections
        if not growth.links:
            return add_up(self.store, ground, Part(files, corrections), slots_us=slots_us)
        return moved_by(
            self.store, ground, files, corrections, since=state.manifest, slots_us=slots_us
        )

    def _take_waiting(
        self, ground: Ground, batches: Sequence[Waiting], state: State, now_us: int
    ) -> None:
        rated = self._rater.rated(ground, batches, state.sources)
        rows, sources = rated.rows, rated.sources
        if len(sources) > 1 >= len(state.sources) and state.has_waiting:
            # A second source tells of calls: look at all that waits again, by name.
            new = self._with_empty_waiting(replace(state, step=state.step + 1), sources)
            new = replace(new, last_batch=state.first_batch - 1)
            self._write(_Step(state, new, new.waiting_lot, Buckets()))
            return
        names = names_of(rows) if rated.is_named else {}
        with self.store.read() as tx:
            traces = self._recent.read(tx, {row.trace_id for row in rows} - {""}, now_us)
            known = known_names(tx, {name for told in names.values() for name in told})
        self._step = _UNKNOWN  # traces are changed in place
        first = state.first_batch if state.has_waiting else batches[0].batch
        taken = take(
            ground, rows, traces, names, known,
            first_batch=first, again_upto=state.again_upto, slots_us=_slots_from(now_us),
        )  # fmt: skip
        counts = {
            "joined": state.count("joined") + taken.joined,
            "corrections": state.count("corrections") + taken.corrections,
            "elsewhere": state.count("elsewhere") + rated.elsewhere,
        }
        new = replace(
            state,
            step=state.step + 1,
            first_batch=first,
            last_batch=batches[-1].batch,
            noted={**state.noted, **counts, "sources": sorted(sources)},
        )
        traced = trace_rows(taken.traces, state.floor, now_us)
        step = _Step(state, new, state.waiting_lot, taken.buckets, taken, traced, now_us)
        if self._write(step):
            self.touched |= taken.traces

    def _with_empty_waiting(self, state: State, sources: Iterable[str]) -> State:
        with self.store.read() as tx:
            return replace(state, waiting_lot=next_lot(tx), noted=_noted(sources, state))

    def _write(self, step: _Step) -> bool:
        """Write a step; False, and nothing written, if somebody else moved the rollup meanwhile."""
        old, new = step.old, step.new
        lots = {new.sealed_lot, new.waiting_lot} - (
            {old.sealed_lot, old.waiting_lot} if old else set()
        )
        with self.store.read() as tx:
            moved = self.shelf.moved(tx, step.lot, new.step, step.buckets)
        with self.store.write() as tx:
            if not is_current(tx, old, new.period) or (lots and next_lot(tx) > min(lots)):
                return False
            self._step = _UNKNOWN
            if step.taken is not None:
                floor = keep_traces(tx, step.traced, new.floor, step.now_us)
                new = replace(new, noted={**new.noted, "floor": floor})
                keep_names(tx, step.taken.told)
                self.shelf.forget_slots(tx, _slots_from(step.now_us))
            write_state(tx, new)
            self.shelf.write(tx, moved)
            if lots:
                sweep(tx, str(Period.parse(new.period).previous()))
                forget_names(tx)
            if step.fan_out is not None:
                keep_usuals(tx, new.sealed_lot, step.fan_out)
        self._step = (new.period, new.step)
        if lots:
            self.shelf.forget()  # a whole month is more than anybody asks for
        return True

    def usuals(self, standing: Standing) -> Usuals:
        """The usual fan-out of each feature, of this month or else of the one before."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        with self.store.read() as tx:
            before = read_state(tx, str(standing.ground.basis.period.previous()))
            for state in (before, standing.state):
                for who, (traces, p99) in usuals_of(tx, state.sealed_lot).items() if state else ():
                    if traces >= TRACES_LEAST or who not in found:
                        found[who] = (traces, p99)
        return found

    def month(self, standing: Standing) -> tuple[Cut, Cut]:
        """The month to date: what is sealed, and what waits."""
        state = standing.state
        with self.store.read() as tx:
            return (
                self.shelf.cut(tx, state.sealed_lot, ("month", 0)),
                self.shelf.cut(tx, state.waiting_lot, ("month", 0)),
            )

    def slots(self, standing: Standing, low_us: int, high_us: int) -> tuple[list[Cut], list[Cut]]:
        """The slots that begin from one instant to before another: of the past, and the latest.

        Only the latest, of each lot, is likely to move.
        """
        state = standing.state
        past: list[Cut] = []
        now: list[Cut] = []
        latest = standing.now_us - standing.now_us % SLOT_US
        with self.store.read() as tx:
            for lot in (state.sealed_lot, state.waiting_lot):
                for at in self.shelf.keys(tx, lot, "slot", low_us, high_us):
                    (past if at < latest else now).append(self.shelf.cut(tx, lot, ("slot", at)))
        return past, now

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
            firsts = [self.shelf.first_us(tx, lot, "hour") for lot in lots]
        return min((at for at in firsts if at is not None), default=None)

    def hours_since(self, standing: Standing, low_us: int, high_us: int) -> Figures:
        """The hours that begin from one instant to before another, added up by feature."""
        state = standing.state
        figures: Figures = {}
        with self.store.read() as tx:
            for lot in (state.sealed_lot, state.waiting_lot):
                for at in self.shelf.keys(tx, lot, "hour", low_us, high_us):
                    merged(figures, self.shelf.read(tx, lot, ("hour", at)))
        return figures


def _was_sealed(state: State, growth: _Growth) -> bool:
    """Whether a batch of the waiting lot has left the inbox."""
    return state.has_waiting and (growth.first == 0 or growth.first > state.first_batch)


def _emptied(state: State, growth: _Growth) -> State:
    """The waiting lot without any batch, before the first that is in the inbox."""
    before = growth.first - 1 if growth.first else growth.last
    before = max(before, 0)
    return replace(state, first_batch=before + 1, last_batch=before)


def _noted(sources: Iterable[str], old: State | None) -> Mapping[str, Any]:
    """What is noted of an empty waiting lot: nothing but what stays."""
    again_upto = max(old.last_batch, old.again_upto) if old else 0
    kept = {"floor": old.floor, "links": bool(old.noted.get("links"))} if old else {}
    return {"sources": sorted(sources), "again_upto": again_upto, **kept}


def _slots_from(now_us: int) -> int:
    low = now_us - SLOTS_KEPT_US
    return low - low % SLOT_US


def period_of(standing: Standing) -> Period:
    """The month of a rollup."""
    return standing.ground.basis.period
