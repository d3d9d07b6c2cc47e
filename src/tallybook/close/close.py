"""The close: checklist, rounding to issued cents, statements, and the act that fixes the period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tallybook.allocate.allocate import allocate
from tallybook.clock import Clock, Period
from tallybook.close.checklist import (
    Item,
    ended_item,
    late_item,
    order_item,
    pools_item,
    posted_item,
    quarantine_item,
    state_items,
)
from tallybook.close.late import late_usage
from tallybook.close.waive import waivers
from tallybook.errors import PeriodError
from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.balance import booked_into
from tallybook.ledger.model import Act, ActKind, Entry, Posting, PostingKey, Reason
from tallybook.ledger.state import CLOSED, period_state
from tallybook.post.basis import Basis, latest_books, read_basis
from tallybook.post.beside import ROUNDING
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.late import landing_period, stale_periods
from tallybook.post.run import Fresh, entries_due, on_fresh_lines, post_lines, run
from tallybook.post.sheet import Sheet, Versions, latest_sheet
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command


class Issue(Protocol):
    """Statements ready to be issued; the room that renders them makes it."""

    @property
    def version(self) -> int:
        """The statement version."""

    @property
    def body_sha256(self) -> str:
        """The digest of their body."""

    @property
    def remainders(self) -> Sequence[Posting]:
        """What issued cents and exact balances differ by, one posting per line."""

    def keep(self, tx: Tx, seal: str, now_us: int) -> object:
        """Seal and keep them."""


Issuer = Callable[[Tx, Basis, Sheet], Issue]


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close did."""

    period: str
    version: int
    body_sha256: str
    seal: str
    checklist: tuple[Item, ...]
    act: str


def check_close(store: Store, period: Period, *, clock: Clock, actor: str) -> tuple[Item, ...]:
    """Run the period and return its checklist; closes nothing."""
    run(store, period, clock=clock, actor=actor)
    basis = read_basis(store, period)
    with store.read() as tx:
        return _checklist(store, tx, basis, _sheet(tx, basis), clock.now_us())


def close(store: Store, period: Period, *, issuer: Issuer, clock: Clock, actor: str) -> Closed:
    """Close a period: run it, check it, issue its statements, fix it.

    Args:
        store: open books.
        period: a month that has ended.
        issuer: makes the statements from what is booked (`tallybook.report.issue`).
        clock: the time.
        actor: who closes.

    Raises:
        PeriodError: it is closed already, or items of the checklist block; nothing changed.
    """
    with store.read() as tx:
        _refuse_early(tx, period, clock.now_us())

    def finish(tx: Tx, fresh: Fresh) -> Closed:
        now_us = clock.now_us()
        post_lines(tx, fresh, actor, now_us)
        sheet = _sheet(tx, fresh.basis)
        items = _checklist(store, tx, fresh.basis, sheet, now_us)
        _refuse_blocked(period, items)
        basis = replace(fresh.basis, versions=sheet.versions)
        issue = issuer(tx, basis, sheet)
        _round_to_cents(tx, basis, issue.remainders, actor, now_us)
        faults.reached("close.rounded")
        link = append_act(tx, _act(basis, items, issue), actor, now_us)
        issue.keep(tx, link.hash, now_us)
        command = Command("close", {"period": str(period)}, actor)
        log_command(tx, command, now_us, basis.versions.as_dict(), link.id)
        faults.reached("close.issued")
        return Closed(str(period), issue.version, issue.body_sha256, link.hash, items, link.id)

    return on_fresh_lines(store, period, finish)


def _refuse_early(tx: Tx, period: Period, now_us: int) -> None:
    """Refuse what no computing can change, before anything is sealed."""
    if period_state(tx, str(period)) != CLOSED:
        end_us = latest_books(tx)[0].calendar.bounds_us(period)[1]
        early = (ended_item(period, end_us, now_us), order_item(_earlier_open(tx, str(period))))
        _refuse_blocked(period, early)


def _sheet(tx: Tx, basis: Basis) -> Sheet:
    sheet = latest_sheet(tx, str(basis.period))
    assert sheet is not None, "a run keeps a sheet"
    return sheet


def _checklist(store: Store, tx: Tx, basis: Basis, sheet: Sheet, now_us: int) -> tuple[Item, ...]:
    period = str(basis.period)
    actuals = pool_actuals(tx, period)
    allocation = allocate(month_of(basis, sheet.lines, actuals, sheet.uses))
    due = len(entries_due(tx, basis, allocation, sheet.number))
    waiting = tx.scalar("SELECT COUNT(*) FROM inbox")
    missing = [
        pool.id
        for pool in basis.policy.pools
        if pool.monthly_nano is not None and pool.id not in actuals
    ]
    return (
        ended_item(basis.period, basis.end_us, now_us),
        order_item(_earlier_open(tx, period)),
        posted_item(due + int(waiting or 0) + (_without_late(sheet) != basis.versions)),
        _late_item(store, tx, period),
        *state_items(basis.period, basis.policy, sheet.lines, waivers(tx, period)),
        pools_item(missing),
        quarantine_item(int(tx.scalar("SELECT COUNT(*) FROM quarantine") or 0)),
    )


def _without_late(sheet: Sheet) -> Versions:
    """What late usage was posted into a period does not depend on the period's own basis."""
    return replace(sheet.versions, late="")


def _late_item(store: Store, tx: Tx, period: str) -> Item:
    waiting = {late.period: late.waiting for late in late_usage(tx)}
    stale = {name: waiting.get(name, 0) for name in stale_periods(store, tx) if name < period}
    return late_item(stale, landing_period(tx))


def _earlier_open(tx: Tx, period: str) -> list[str]:
    rows = tx.rows(
        "SELECT DISTINCT period FROM sealed_file WHERE period < :period"
        " UNION SELECT DISTINCT period FROM chain WHERE kind = 'entry' AND period < :period"
        " ORDER BY period",
        period=period,
    )
    return [str(row.period) for row in rows if period_state(tx, str(row.period)) != CLOSED]


def _refuse_blocked(period: Period, items: tuple[Item, ...]) -> None:
    blocking = [item for item in items if item.blocks]
    if blocking:
        lines = "\n".join(f"  {item.name}: {item.evidence}" for item in blocking)
        steps = "\n        ".join(item.next_step for item in blocking if item.next_step)
        raise PeriodError(f"{period} cannot close, nothing changed:\n{lines}", next_step=steps)


def _round_to_cents(
    tx: Tx, basis: Basis, remainders: Sequence[Posting], actor: str, now_us: int
) -> None:
    """Post what issued cents and exact balances differ by, so that they are equal.

    An earlier close of the period may have rounded already: the difference to that is posted.
    """
    period = str(basis.period)
    rest = -sum(posting.amount_nano for posting in remainders)
    balancing = (Posting("Rounding", rest, source=ROUNDING),) if rest else ()
    wanted: dict[PostingKey, int] = defaultdict(int)
    for posting in (*remainders, *balancing):
        wanted[posting.key._replace(service_period=period)] += posting.amount_nano
    held = {k: nano for k, nano in booked_into(tx, period).items() if k.source == ROUNDING}
    postings = [
        Posting.of(key, difference)
        for key in sorted(wanted.keys() | held.keys())
        if (difference := wanted.get(key, 0) - held.get(key, 0))
    ]
    if postings:
        entry = Entry(
            reason=Reason.ROUNDING,
            period=period,
            service_period=period,
            text="Sub-cent remainders of the issued statements",
            postings=tuple(postings),
            versions=basis.versions.as_dict(),
        )
        append_entry(tx, entry, actor, now_us)


def _act(basis: Basis, items: tuple[Item, ...], issue: Issue) -> Act:
    evidence: Mapping[str, object] = {item.name: item.evidence for item in items}
    waived = {item.name: item.waived_by for item in items if item.waived_by}
    return Act(
        kind=ActKind.CLOSE,
        period=str(basis.period),
        text=f"Closed with statement version {issue.version}",
        details={
            "checklist": evidence,
            "waived": waived,
            "manifest": basis.versions.manifest,
            "statement_version": issue.version,
            "body_sha256": issue.body_sha256,
        },
        versions=basis.versions.as_dict(),
    )
