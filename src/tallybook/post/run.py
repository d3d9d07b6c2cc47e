"""The run: target minus booked, so that running twice posts nothing.

Each posting key's target is computed from one snapshot; what is booked under the key already is
subtracted; the difference is posted, group by group, each group balanced in itself. Work happens
outside of the lock: the write transaction only compares what the work stood on, and inserts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import AllocatedLine, Allocation
from tallybook.attribute.model import Attribution
from tallybook.attribute.transfer import transferred
from tallybook.clock import Clock, Period, format_instant
from tallybook.errors import PeriodError, StoreError
from tallybook.ledger.append import append_entry
from tallybook.ledger.balance import booked, posting_periods
from tallybook.ledger.model import ActKind, Entry, Posting, PostingKey, Reason
from tallybook.ledger.state import CLOSED, OPEN, SOFT_CLOSED, last_act, period_state
from tallybook.meter.resolve.seal import seal_usage
from tallybook.post.basis import Basis, beside_of, decisions_known, latest_books, read_basis
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.increment import Compute, compute_since, compute_whole
from tallybook.post.late import (
    LateMonth,
    Ranges,
    landing_period,
    late_months,
    late_moved,
    standing_ranges,
)
from tallybook.post.recharge import policy_recharges
from tallybook.post.sheet import save_sheet, sheet_versions
from tallybook.rate.publish import publish
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command
from tallybook.store.compact import MANY, compact
from tallybook.store.memory import collector_paused
from tallybook.store.refile import refile

_REASONS = {
    "meter": Reason.METER,
    "pool": Reason.POOL,
    "capacity": Reason.POOL,
    "evaluation": Reason.EVALUATION,
    "pools": Reason.POOL_FLOW,
    "charge": Reason.CHARGE,
    "markup": Reason.MARKUP,
    "absorb": Reason.ABSORPTION,
    "transfer": Reason.TRANSFER,
    "memo": Reason.MEMO,
}
_TEXTS = {
    "meter": "Metered usage at rate card, accrued at contract",
    "pool": "Cost pool at policy amount, actual from its source",
    "capacity": "Capacity, by the time that it stands, to its cost pool",
    "evaluation": "Evaluation moved to the pool that pays it",
    "pools": "What pools use of each other",
    "charge": "Charged to the teams on this model",
    "markup": "Markup on usage and transfers",
    "absorb": "Driver share that the markup stands for",
    "transfer": "Owed between teams at the transfer price",
    "memo": "Shown to teams on showback, not charged",
}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. ``entries`` are the ids posted; none when nothing was new.

    ``events`` is how many of the period bill: corrected and repeated ones are not among them.
    """

    period: str
    events: int
    entries: tuple[str, ...]
    postings: int
    prices: str
    sheet: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """A period computed anew: its basis and sums, and the closed months with late usage for it.

    ``ground`` is the digest of what decided the sums but the events.
    """

    basis: Basis
    sums: Attribution
    ground: str
    late: tuple[LateMonth, ...] = ()


_TRIES: Final = 10
"""How often lines are computed before a command gives up.

The ground moves only when another command got something done, so that hosts that ingest, run and
close at once go on, all of them; a second try is too few for that.
"""

Result = TypeVar("Result")
Finish = Callable[[Tx, Fresh], Result]
"""What a command does with a period's fresh lines, inside its write transaction."""


def run(store: Store, period: Period, *, clock: Clock, actor: str) -> RunResult:
    """Rate, attribute, allocate and post what is new in an open period.

    Events that the last cost sheet covers are not read again while it stands on the same ground.
    Late usage of closed periods is posted with it if this is the period that it lands in.

    Raises:
        PeriodError: the period is closed, or has not begun.
        CorruptedError: a sealed file is not what was written; nothing is posted.
        StoreError: other commands changed the ground meanwhile, at every try.
    """
    _require_begun(store, period, clock.now_us())

    def finish(tx: Tx, fresh: Fresh) -> RunResult:
        return post_lines(tx, fresh, actor, clock.now_us())

    return on_fresh_lines(store, period, finish, compute=compute_since)


def _require_begun(store: Store, period: Period, now_us: int) -> None:
    """Refuse a month to come: what its pools cost would be booked before its time."""
    with store.read() as tx:
        start_us, _ = latest_books(tx)[0].calendar.bounds_us(period)
    if now_us < start_us:
        raise PeriodError(
            f"{period} has not begun: it begins at {format_instant(start_us)}, it is"
            f" {format_instant(now_us)}",
            next_step=f"see whether {period} is the month that was meant",
        )


def on_fresh_lines(
    store: Store, period: Period, finish: Finish[Result], *, compute: Compute = compute_whole
) -> Result:
    """Compute an open period's lines, then finish in one transaction that they still hold in.

    Args:
        store: open books.
        period: which.
        finish: writes; it is called only where no other command changed the ground meanwhile,
            else the lines are computed again.
        compute: how; by default from all events, each file proven by its digest.

    Raises:
        PeriodError: the period is closed.
        CorruptedError: a sealed file is not what was written; nothing is written.
        StoreError: the ground changed at every try.
    """
    for _ in range(_TRIES):
        seal_inbox(store)
        with collector_paused():
            basis = read_basis(store, period)
            require_open(basis)
            computed = compute(store, basis)
            late = late_months(store, period, compute)
            fresh = Fresh(basis, computed.sums, computed.ground, late)
            faults.reached("run.computed")
            with store.write() as tx:
                if not moved(store, tx, basis) and not late_moved(store, tx, period, fresh.late):
                    return finish(tx, fresh)
    raise StoreError(
        "other commands kept changing what this run stands on", next_step="run it again"
    )


def post_lines(tx: Tx, fresh: Fresh, actor: str, now_us: int) -> RunResult:
    """Publish, keep the cost sheets and post what is due, in the caller's transaction."""
    basis, made = fresh.basis, transferred(fresh.sums)
    period = str(basis.period)
    actuals = pool_actuals(tx, period, basis.versions.pools)
    allocation = allocate(month_of(basis, made.lines, actuals, made.uses))
    if basis.due:
        publish(tx, basis.due, now_us)
    adjusting, ranges = _late_entries(tx, fresh, now_us)
    basis = replace(basis, versions=replace(basis.versions, late=str(ranges)))
    number = save_sheet(tx, period, basis.versions, fresh.sums, now_us, fresh.ground)
    entries = [*entries_due(tx, basis, allocation, number), *adjusting]
    entries += _taken_back(tx, basis, number)
    ids = [append_entry(tx, entry, actor, now_us).id for entry in entries]
    if landing_period(tx) == period:
        more = policy_recharges(tx, period)
        ids += [append_entry(tx, entry, actor, now_us).id for entry in more]
        entries += more
    log_command(
        tx,
        Command("run", {"period": period}, actor),
        now_us,
        basis.versions.as_dict(),
        ", ".join(ids) or "nothing new",
    )
    faults.reached("run.posted")
    return RunResult(
        period=period,
        events=sum(line.calls for line in fresh.sums.lines),
        entries=tuple(ids),
        postings=sum(len(entry.postings) for entry in entries),
        prices=basis.versions.prices,
        sheet=number,
    )


def seal_inbox(store: Store) -> int:
    """Seal what waits in the inbox, by the company's calendar; returns the number of events."""
    with store.read() as tx:
        calendar = latest_books(tx)[0].calendar
    sealed = seal_usage(store, calendar)
    refile(store, calendar)
    compact(store, _is_open, MANY)
    return sealed


def _is_open(tx: Tx, period: str) -> bool:
    return period_state(tx, period) == OPEN


def require_open(basis: Basis) -> None:
    """Refuse a period that takes no usage.

    Raises:
        PeriodError: naming what to do with late usage.
    """
    if basis.state == SOFT_CLOSED:
        raise PeriodError(
            f"{basis.period} is soft-closed; it takes finance entries and no usage",
            next_step="see what arrived late: tallybook worklist late; the run of the first open"
            f" month posts it. Or close it: tallybook close {basis.period}",
        )
    if basis.state == CLOSED:
        raise PeriodError(
            f"{basis.period} is closed; nothing posts into it",
            next_step="see what arrived late: tallybook worklist late; the run of the month after"
            " the last closed one posts it",
        )


def targets(allocation: Allocation, basis: Basis) -> dict[PostingKey, int]:
    """What each posting key must stand at."""
    wanted: dict[PostingKey, int] = defaultdict(int)
    period, prices, policy = _labels(basis)
    for line in allocation.lines:
        wanted[_key(line, period, prices, policy)] += line.amount_nano
    return wanted


def posting_key(line: AllocatedLine, basis: Basis) -> PostingKey:
    """The ledger's key of an allocated line, with the versions that made it.

    Metered cost does not depend on the policy, so a new policy does not move it. What pools cost
    and what services charge does not depend on provider prices, so new prices do not move it.
    """
    return _key(line, *_labels(basis))


def unversioned_key(line: AllocatedLine, period: str) -> PostingKey:
    """The ledger's key of an allocated line, before any version is named."""
    return _key(line, period, "", 0)


def _labels(basis: Basis) -> tuple[str, str, int]:
    return str(basis.period), basis.versions.prices, basis.versions.policy


def _key(line: AllocatedLine, period: str, prices: str, policy: int) -> PostingKey:
    family = _family(line.group)
    return PostingKey(
        line.account,
        line.team,
        line.feature,
        line.purpose,
        line.kind,
        line.provider,
        line.service,
        line.detail,
        line.group,
        period,
        "" if family in ("pool", "transfer", "capacity") else prices,
        0 if family in ("meter", "capacity") else policy,
    )


def entries_due(tx: Tx, basis: Basis, allocation: Allocation, sheet: int) -> list[Entry]:
    """The entries that bring an open period from what is booked in it to its targets."""
    period = str(basis.period)
    groups = _differences(targets(allocation, basis), booked(tx, period, period))
    return [
        Entry(
            reason=_REASONS[_family(group)],
            period=period,
            service_period=period,
            text=_text(group),
            postings=postings,
            versions={**basis.versions.as_dict(), "sheet": sheet},
        )
        for group, postings in groups
    ]


def _differences(
    wanted: Mapping[PostingKey, int], held: Mapping[PostingKey, int]
) -> list[tuple[str, tuple[Posting, ...]]]:
    """Target minus booked by group, in the order of the work; what a close rounded is left out."""
    moves = {key: nano - held.get(key, 0) for key, nano in wanted.items()}
    moves |= {key: -nano for key, nano in held.items() if key not in wanted}
    groups: dict[str, list[Posting]] = defaultdict(list)
    for key in sorted(key for key, difference in moves.items() if difference):
        if _family(key.source) in _REASONS:
            groups[key.source].append(Posting.of(key, moves[key]))
    order = list(_REASONS)
    return [
        (group, tuple(groups[group]))
        for group in sorted(groups, key=lambda group: (order.index(_family(group)), group))
    ]


def _late_entries(tx: Tx, fresh: Fresh, now_us: int) -> tuple[list[Entry], Ranges]:
    """Adjustments for closed months: their targets minus all that is booked about them (INV-05).

    A new cost sheet of each is kept; the ranges say which sheets the adjustments lie between.
    """
    last = sheet_versions(tx, str(fresh.basis.period))
    ranges = standing_ranges(tx, last[1].late if last else "")
    entries = []
    for month in fresh.late:
        versions = month.basis.versions
        actuals = pool_actuals(tx, month.period, versions.pools)
        made = transferred(month.sums)
        allocation = allocate(month_of(month.basis, made.lines, actuals, made.uses))
        wanted = targets(allocation, month.basis)
        number = save_sheet(tx, month.period, versions, month.sums, now_us, month.ground)
        ranges = ranges.plus(month.period, month.since, number)
        entries += [
            Entry(
                reason=Reason.ADJUSTMENT,
                period=str(fresh.basis.period),
                service_period=month.period,
                text=f"Late usage of {month.period}. {_text(group)}",
                postings=postings,
                versions={**versions.as_dict(), "sheet": number},
                corrects=month.cutoff.id,
            )
            for group, postings in _differences(wanted, booked(tx, month.period))
        ]
    return entries, ranges


def _taken_back(tx: Tx, basis: Basis, sheet: int) -> list[Entry]:
    """Adjustments that later periods hold about a reopened one, undone: it stands in itself now."""
    period = str(basis.period)
    others = [other for other in posting_periods(tx, period) if other != period]
    if not others:
        return []
    act = last_act(tx, period, ActKind.REOPEN)
    return [
        Entry(
            reason=Reason.ADJUSTMENT,
            period=other,
            service_period=period,
            text=f"Posted into {period} itself, which is open again. {_text(group)}",
            postings=postings,
            versions={**basis.versions.as_dict(), "sheet": sheet},
            corrects=act.id if act else "",
        )
        for other in others
        for group, postings in _differences({}, booked(tx, period, other))
    ]


def is_from_events(key: PostingKey) -> bool:
    """Whether a run makes a posting, from usage and policy: no cents of a close, no invoice."""
    return _family(key.source) in _REASONS


def _text(group: str) -> str:
    family, _, rest = group.partition(":")
    return f"{_TEXTS[family]}{f': {rest}' if rest else ''}"


def _family(group: str) -> str:
    return group.partition(":")[0]


def moved(store: Store, tx: Tx, basis: Basis) -> bool:
    """Whether something that the work stood on has changed since."""
    now = store.lake.snapshot_in(tx, str(basis.period))
    beside = beside_of(store, tx, basis.period, None, basis.books.org)
    documents = {
        str(row.kind): int(row.version)
        for row in tx.rows("SELECT kind, MAX(version) AS version FROM document GROUP BY kind")
    }
    published = tx.scalar(
        "SELECT COUNT(*) FROM publication WHERE period = :period", period=str(basis.period)
    )
    pools = tx.scalar(
        "SELECT COALESCE(MAX(seq), 0) FROM pool_actual WHERE period = :period",
        period=str(basis.period),
    )
    return (
        now.files != basis.snapshot.files
        or (beside and beside.files) != (basis.beside and basis.beside.files)
        or documents != basis.documents
        or pools != basis.versions.pools
        or decisions_known(tx, basis.books.budgets, basis.period) != basis.versions.decisions
        or published != len(basis.published) - bool(basis.due)
        or period_state(tx, str(basis.period)) != OPEN
    )
