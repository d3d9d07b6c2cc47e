"""Late usage: events of a closed period that were sealed after its close, or what tells of them.

Such a period is computed again from all of its events, under everything that its close froze; what
that differs by is posted into the landing period, the month after the last closed one, and names
the period that it is about. Nothing here writes; `tallybook.post.run` posts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tallybook.attribute.model import Attribution
from tallybook.clock import Period
from tallybook.ledger.state import CLOSED, RecordedAct, period_state, standing_close
from tallybook.post.basis import Basis, basis_at
from tallybook.post.increment import Compute
from tallybook.post.sheet import Versions, sheet_number, sheet_versions
from tallybook.store import Store, Tx, sql_text
from tallybook.store.growth import files_since
from tallybook.store.lake import BILLING, CORRECTING, EVIDENCE, OBSERVED, Snapshot

Span = tuple[int, int]
"""the numbers of two cost sheets of one period: before and after late usage"""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Which late usage was posted into a period: spans of cost sheets by service period.

    Its text, such as ``2026-08:1-3,4-5;2026-09:2-3``, is part of the versions that an entry names.
    """

    spans: Mapping[str, tuple[Span, ...]]

    @classmethod
    def parse(cls, text: str) -> Ranges:
        """Read the text form; an empty text names nothing."""
        found = {}
        for part in filter(None, text.split(";")):
            period, _, spans = part.partition(":")
            pairs = (span.partition("-") for span in spans.split(","))
            found[period] = tuple((int(before), int(after)) for before, _, after in pairs)
        return cls(found)

    def __str__(self) -> str:
        return ";".join(
            f"{period}:{','.join(f'{before}-{after}' for before, after in spans)}"
            for period, spans in sorted(self.spans.items())
        )

    def plus(self, period: str, before: int, after: int) -> Ranges:
        """With one span more; spans that meet become one."""
        held = self.spans.get(period, ())
        if held and held[-1][1] == before:
            spans = (*held[:-1], (held[-1][0], after))
        else:
            spans = (*held, (before, after))
        return Ranges({**self.spans, period: spans})


@dataclass(frozen=True, slots=True)
class LateMonth:
    """A closed month with late usage: its frozen basis over all of its events, and their sums.

    ``since`` is the number of the cost sheet that is booked; ``ground`` the digest of what decided
    the sums but the events.
    """

    basis: Basis
    sums: Attribution
    ground: str
    close: RecordedAct
    since: int

    @property
    def period(self) -> str:
        """The service period."""
        return str(self.basis.period)


def closed_periods(tx: Tx) -> list[str]:
    """The periods that are closed now, the earliest first."""
    rows = tx.rows(
        "SELECT DISTINCT period FROM chain WHERE kind = 'act' AND reason = 'close' ORDER BY period"
    )
    return [str(row.period) for row in rows if period_state(tx, str(row.period)) == CLOSED]


def landing_period(tx: Tx) -> str:
    """The open period that late usage posts into: the one after the last closed; empty if none."""
    closed = closed_periods(tx)
    return str(Period.parse(closed[-1]).next()) if closed else ""


def stale_periods(store: Store, tx: Tx) -> list[str]:
    """The closed periods whose events, or what is told of them, changed since they were booked.

    A correction is filed under its own month and may supersede an event of another one; so may a
    span stand in a trace of the month before or after it.
    """
    closed = closed_periods(tx)
    looked = _looked_through(tx, closed)
    return [
        period
        for period in closed
        if _is_stale(store, tx, period) or _is_retold(store, tx, period, looked)
    ]


def _looked_through(tx: Tx, closed: list[str]) -> int:
    """The version of the manifest up to which every closed period has been looked at.

    Each run of the landing period does so, and so did the close of the last closed one.
    """
    periods = [closed[-1], str(Period.parse(closed[-1]).next())] if closed else []
    sheets = [held for period in periods if (held := sheet_versions(tx, period))]
    return max((versions.manifest for _, versions in sheets), default=0)


def _is_retold(store: Store, tx: Tx, period: str, looked: int) -> bool:
    """Whether spans came that stand in a trace of a period's calls: who caused them may differ."""
    held = sheet_versions(tx, period)
    events = store.lake.snapshot_in(tx, period)
    since = max(held[1].manifest if held else 0, looked)
    upto = events.version
    told = [files_since(tx, period, since, upto, EVIDENCE)]
    month = Period.parse(period)
    told += [
        files_since(tx, str(beside), since, upto, OBSERVED)
        for beside in (month.previous(), month.next())
    ]
    if any(files is None for files in told):
        return True
    beside = Snapshot(upto, tuple(file for files in told for file in files or ()))
    if not all(store.lake.may_link(files, every=True) for files in (beside, events)):
        return False
    with store.lake.session(events, beside=beside) as session:
        met = session.rows(sql_text(__package__, "retold"))
    return bool(met[0][0])


def _is_stale(store: Store, tx: Tx, period: str) -> bool:
    held = sheet_versions(tx, period)
    since = held[1].manifest if held else 0
    events = store.lake.snapshot_in(tx, period)
    came = files_since(tx, period, since, events.version, BILLING)
    everywhere = files_since(tx, "", since, events.version, CORRECTING)
    if came is None or everywhere is None or came:
        return True
    newer = [file for file in everywhere if file.supersedes]
    if not newer or not events.files:
        return False
    with store.lake.session(events, Snapshot(events.version, tuple(newer))) as session:
        met = session.rows(sql_text(__package__, "superseded"))
    return bool(met[0][0])


def late_months(store: Store, period: Period, compute: Compute) -> tuple[LateMonth, ...]:
    """Compute what came late for closed periods, if this is the period that it posts into.

    Args:
        store: open books.
        period: the open one that is run.
        compute: how to come to a period's lines.

    Raises:
        CorruptedError: a sealed file is not what was written.
    """
    with store.read() as tx:
        if landing_period(tx) != str(period):
            return ()
        stale = [(name, standing_close(tx, name)) for name in stale_periods(store, tx)]
        held = {name: sheet_versions(tx, name) for name, _ in stale}
    found = []
    for name, close in stale:
        before = held[name]
        assert close is not None, "a stale period is closed"
        assert before is not None, "a closed period has a sheet"
        found.append(_late_month(store, Period.parse(name), close, before[0], compute))
    return tuple(found)


def _late_month(
    store: Store, period: Period, close: RecordedAct, since: int, compute: Compute
) -> LateMonth:
    """The month under what its close froze, over all events that are sealed now."""
    frozen = Versions.of(close.versions)
    newest = replace(frozen, manifest=store.lake.snapshot().version)
    basis = basis_at(store, period, newest)
    basis = replace(basis, versions=replace(basis.versions, late=frozen.late))
    computed = compute(store, basis)
    return LateMonth(basis, computed.sums, computed.ground, close, since)


def late_moved(store: Store, tx: Tx, period: Period, months: tuple[LateMonth, ...]) -> bool:
    """Whether the late usage that was computed is no longer what has to be posted."""
    if landing_period(tx) != str(period):
        return bool(months)
    if stale_periods(store, tx) != [month.period for month in months]:
        return True
    for month in months:
        close = standing_close(tx, month.period)
        now = store.lake.snapshot_in(tx, month.period)
        if close != month.close or now.files != month.basis.snapshot.files:
            return True
    return False


def standing_ranges(tx: Tx, text: str) -> Ranges:
    """The ranges that still stand: without periods that were reopened since.

    What was posted late about a reopened period is taken back and posted into the period itself.
    """
    kept = {}
    for period, spans in Ranges.parse(text).spans.items():
        close = standing_close(tx, period)
        if close and spans[0][0] >= sheet_number(tx, period, close.versions):
            kept[period] = spans
    return Ranges(kept)
