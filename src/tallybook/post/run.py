"""The run: target minus booked, so that running twice posts nothing.

Each posting key's target is computed from one snapshot; what is booked under the key already is
subtracted; the difference is posted, group by group, each group balanced in itself. Work happens
outside of the lock: the write transaction only compares what the work stood on, and inserts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tallybook.allocate.allocate import allocate
from tallybook.allocate.model import AllocatedLine, Allocation
from tallybook.attribute.model import AttributedLine
from tallybook.clock import Clock, Period
from tallybook.errors import PeriodError, StoreError
from tallybook.ledger.append import append_entry
from tallybook.ledger.balance import booked
from tallybook.ledger.model import Entry, Posting, PostingKey, Reason
from tallybook.post.basis import Basis, latest_books, read_basis
from tallybook.post.compute import attributed, month_of, pool_actuals
from tallybook.post.sheet import save_sheet
from tallybook.rate.publish import publish
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command
from tallybook.store.refile import refile
from tallybook.store.seal import seal

_REASONS = {
    "meter": Reason.METER,
    "pool": Reason.POOL,
    "evaluation": Reason.EVALUATION,
    "pools": Reason.POOL_FLOW,
    "charge": Reason.CHARGE,
    "markup": Reason.MARKUP,
    "absorb": Reason.ABSORPTION,
    "memo": Reason.MEMO,
}
_TEXTS = {
    "meter": "Metered usage at rate card, accrued at contract",
    "pool": "Cost pool at policy amount, actual from its source",
    "evaluation": "Evaluation moved to the pool that pays it",
    "pools": "What pools use of each other",
    "charge": "Charged to the teams on this model",
    "markup": "Markup on usage and transfers",
    "absorb": "Driver share that the markup stands for",
    "memo": "Shown to teams on showback, not charged",
}


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. ``entries`` are the ids posted; none when nothing was new."""

    period: str
    events: int
    entries: tuple[str, ...]
    postings: int
    prices: str
    sheet: int


Result = TypeVar("Result")
Finish = Callable[[Tx, Basis, Sequence[AttributedLine]], Result]
"""What a command does with a period's fresh lines, inside its write transaction."""


def run(store: Store, period: Period, *, clock: Clock, actor: str) -> RunResult:
    """Rate, attribute, allocate and post what is new in an open period.

    Raises:
        PeriodError: the period is closed.
        CorruptedError: a sealed file is not what was written; nothing is posted.
        StoreError: another command changed the ground meanwhile, twice.
    """

    def finish(tx: Tx, basis: Basis, lines: Sequence[AttributedLine]) -> RunResult:
        return post_lines(tx, basis, lines, actor, clock.now_us())

    return on_fresh_lines(store, period, finish)


def on_fresh_lines(store: Store, period: Period, finish: Finish[Result]) -> Result:
    """Compute an open period's lines, then finish in one transaction that they still hold in.

    Args:
        store: open books.
        period: which.
        finish: writes; it is called once more if other commands changed the ground meanwhile.

    Raises:
        PeriodError: the period is closed.
        CorruptedError: a sealed file is not what was written; nothing is written.
        StoreError: the ground changed twice.
    """
    for _ in range(2):
        seal_inbox(store)
        basis = read_basis(store, period)
        require_open(basis)
        store.lake.verify(basis.snapshot)
        store.lake.verify(basis.corrections)
        lines = attributed(store, basis)
        faults.reached("run.computed")
        with store.write() as tx:
            if not moved(store, tx, basis):
                return finish(tx, basis, lines)
    raise StoreError(
        "other commands kept changing what this run stands on", next_step="run it again"
    )


def post_lines(
    tx: Tx, basis: Basis, lines: Sequence[AttributedLine], actor: str, now_us: int
) -> RunResult:
    """Publish, keep the cost sheet and post what is due, in the caller's transaction."""
    period = str(basis.period)
    allocation = allocate(month_of(basis, lines, pool_actuals(tx, period, basis.versions.pools)))
    if basis.due:
        publish(tx, basis.due, now_us)
    number = save_sheet(tx, period, basis.versions, lines, now_us)
    entries = entries_due(tx, basis, allocation, number)
    ids = tuple(append_entry(tx, entry, actor, now_us).id for entry in entries)
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
        events=basis.snapshot.rows,
        entries=ids,
        postings=sum(len(entry.postings) for entry in entries),
        prices=basis.versions.prices,
        sheet=number,
    )


def seal_inbox(store: Store) -> int:
    """Seal what waits in the inbox, by the company's calendar; returns the number of events."""
    with store.read() as tx:
        calendar = latest_books(tx)[0].calendar
    sealed = seal(store, calendar)
    refile(store, calendar)
    return sealed


def require_open(basis: Basis) -> None:
    """Refuse a closed period.

    Raises:
        PeriodError: naming what to do with late usage.
    """
    if basis.state == "closed":
        raise PeriodError(
            f"{basis.period} is closed; nothing posts into it",
            next_step="see what arrived late: tallybook worklist late",
        )


def targets(allocation: Allocation, basis: Basis) -> dict[PostingKey, int]:
    """What each posting key must stand at."""
    wanted: dict[PostingKey, int] = defaultdict(int)
    for line in allocation.lines:
        wanted[posting_key(line, basis)] += line.amount_nano
    return wanted


def posting_key(line: AllocatedLine, basis: Basis) -> PostingKey:
    """The ledger's key of an allocated line, with the versions that made it.

    Metered cost does not depend on the policy, so a new policy does not move it.
    """
    family = _family(line.group)
    return PostingKey(
        account=line.account,
        team=line.team,
        feature=line.feature,
        purpose=line.purpose,
        kind=line.kind,
        provider=line.provider,
        service=line.service,
        detail=line.detail,
        source=line.group,
        service_period=str(basis.period),
        price_version="" if family == "pool" else basis.versions.prices,
        policy_version=0 if family == "meter" else basis.versions.policy,
    )


def entries_due(tx: Tx, basis: Basis, allocation: Allocation, sheet: int) -> list[Entry]:
    """The entries that bring the books from what is booked to the targets."""
    wanted = targets(allocation, basis)
    held = {
        key: nano
        for key, nano in booked(tx, str(basis.period)).items()
        if _family(key.source) in _REASONS
    }
    groups: dict[str, list[Posting]] = defaultdict(list)
    for key in sorted(wanted.keys() | held.keys()):
        difference = wanted.get(key, 0) - held.get(key, 0)
        if difference:
            groups[key.source].append(Posting.of(key, difference))
    order = list(_REASONS)
    return [
        _entry(basis, group, groups[group], sheet)
        for group in sorted(groups, key=lambda group: (order.index(_family(group)), group))
    ]


def _entry(basis: Basis, group: str, postings: Sequence[Posting], sheet: int) -> Entry:
    family, _, rest = group.partition(":")
    period = str(basis.period)
    return Entry(
        reason=_REASONS[family],
        period=period,
        service_period=period,
        text=f"{_TEXTS[family]}{f': {rest}' if rest else ''}",
        postings=tuple(postings),
        versions={**basis.versions.as_dict(), "sheet": sheet},
    )


def _family(group: str) -> str:
    return group.partition(":")[0]


def moved(store: Store, tx: Tx, basis: Basis) -> bool:
    """Whether something that the work stood on has changed since."""
    now = store.lake.snapshot_in(tx, str(basis.period))
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
    closed = tx.scalar(
        "SELECT reason FROM chain WHERE kind = 'act' AND period = :period"
        " AND reason IN ('close', 'reopen') ORDER BY seq DESC LIMIT 1",
        period=str(basis.period),
    )
    return (
        now.files != basis.snapshot.files
        or documents != basis.documents
        or pools != basis.versions.pools
        or published != len(basis.published) - bool(basis.due)
        or closed == "close"
    )
