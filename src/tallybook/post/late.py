"""Late usage: events of a shut period that were sealed after its cutoff, or what tells of them.

A period is shut when it is closed, or soft-closed: then it takes finance entries only, and usage
that comes is as late as after a close. The cutoff is the act that shut it first.

Such a period is computed again from all of its events, under everything that its close froze; what
that differs by is posted into the landing period, the month after the last closed one, and names
the period that it is about. Nothing here writes; `tallybook.post.run` posts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tallybook.attribute.model import Attribution
from tallybook.clock import Period
from tallybook.ledger.state import CLOSED, RecordedAct, period_state, standing_cutoff
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
    """A shut month with late usage: its frozen basis over all of its events, and their sums.

    ``since`` is the number of the cost sheet that is booked; ``ground`` the digest of what decided
    the sums but the events; ``cutoff`` the act that shut the month.
    """

    basis: Basis
    sums: Attribution
    ground: str
    cutoff: RecordedAct
    since: int

    @property
    def period(self) -> str:
        """The service period."""
        return str(self.basis.period)


def closed_periods(tx: Tx) -> list[str]:
    """The periods that are closed now, the earliest first."""
    return [name for name in shut_periods(tx) if period_state(tx, name) == CLOSED]


def shut_periods(tx: Tx) -> list[str]:
    """The periods that take no usage now, closed or soft-closed, the earliest first."""
    rows = tx.rows(
        "SELECT DISTINCT period FROM chain WHERE kind = 'act' AND reason IN ('close', 'soft_close')"
        " ORDER BY period"
    )
    return [str(row.period) for row in rows if standing_cutoff(tx, str(row.period))]


def landing_period(tx: Tx) -> str:
    """The open period that late usage posts into: the one after the last shut; empty if none."""
    shut = shut_periods(tx)
    return str(Period.parse(shut[-1]).next()) if shut else ""


def finance_period(tx: Tx) -> str:
    """Where finance posts about closed months: the month after the last closed; empty if none.

    It may be soft-closed: that takes finance entries.
    """
    closed = closed_periods(tx)
    return str(Period.parse(closed[-1]).next()) if closed else ""


def stale_periods(store: Store, tx: Tx) -> list[str]:
    """The shut periods whose events, or what is told of them, changed since they were booked.

    A correction is filed under its own month and may supersede an event of another one; so may a
    span stand in a trace of the month before or after it.
    """
    shut = shut_periods(tx)
    looked = _looked_through(tx, shut)
    return [
        period
        for period in shut
        if _is_stale(store, tx, period) or _is_retold(store, tx, period, looked)
    ]


def _looked_through(tx: Tx, shut: list[str]) -> int:
    """The version of the manifest up to which every shut period has been looked at.

    Each run of the landing period does so, and so did what shut the last one.
    """
    periods = [shut[-1], str(Period.parse(shut[-1]).next())] if shut else []
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
        stale = [(name, standing_cutoff(tx, name)) for name in stale_periods(store, tx)]
        held = {name: sheet_versions(tx, name) for name, _ in stale}
    found = []
    for name, cutoff in stale:
        before = held[name]
        assert cutoff is not None, "a stale period is shut"
        assert before is not None, "a shut period has a sheet"
        found.append(_late_month(store, Period.parse(name), cutoff, before[0], compute))
    return tuple(found)


def _late_month(
    store: Store, period: Period, cutoff: RecordedAct, since: int, compute: Compute
) -> LateMonth:
    """The month under what its cutoff froze, over all events that are sealed now."""
    frozen = Versions.of(cutoff.versions)
    newest = replace(frozen, manifest=store.lake.snapshot().version)
    basis = basis_at(store, period, newest)
    basis = replace(basis, versions=replace(basis.versions, late=frozen.late))
    computed = compute(store, basis)
    return LateMonth(basis, computed.sums, computed.ground, cutoff, since)


def late_moved(store: Store, tx: Tx, period: Period, months: tuple[LateMonth, ...]) -> bool:
    """Whether the late usage that was computed is no longer what has to be posted."""
    if landing_period(tx) != str(period):
        return bool(months)
    if stale_periods(store, tx) != [month.period for month in months]:
        return True
    for month in months:
        cutoff = standing_cutoff(tx, month.period)
        now = store.lake.snapshot_in(tx, month.period)
        if cutoff != month.cutoff or now.files != month.basis.snapshot.files:
            return True
    return False


def standing_ranges(tx: Tx, text: str) -> Ranges:
    """The ranges that still stand: without periods that were reopened since.

    What was posted late about a reopened period is taken back and posted into the period itself.
    """
    kept = {}
    for period, spans in Ranges.parse(text).spans.items():
        cutoff = standing_cutoff(tx, period)
        if cutoff and spans[0][0] >= sheet_number(tx, period, cutoff.versions):
            kept[period] = spans
    return Ranges(kept)
