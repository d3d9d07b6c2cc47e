"""The close: checklist, rounding to issued cents, statements, and the act that fixes the period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tallybook.clock import Clock, Period
from tallybook.close.checklist import Item, ended_item, order_item
from tallybook.close.duties import duties_item, require_another, require_duty, role_of, written
from tallybook.close.items import (
    Asked,
    finance_items,
    nothing_asked,
    open_before,
    refuse_blocked,
    usage_items,
)
from tallybook.close.roll import roll
from tallybook.close.waive import signed_for
from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.model import Act, ActKind, Entry, Posting, PostingKey, Reason
from tallybook.ledger.state import CLOSED, SOFT_CLOSED, period_state
from tallybook.post.basis import Basis, latest_books, read_basis
from tallybook.post.beside import ROUNDING
from tallybook.post.frozen import Frozen, frozen_month
from tallybook.post.run import Fresh, on_fresh_lines, post_lines, run
from tallybook.post.sheet import Sheet, latest_sheet
from tallybook.store import Store, Tx, faults, sql_text
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

    @property
    def dispute_until(self) -> str:
        """The last day on which a line may be disputed; empty if none is named."""

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


@dataclass(frozen=True, slots=True)
class _Closing:
    """Who closes which month, how."""

    period: Period
    issuer: Issuer
    clock: Clock
    actor: str
    approved_by: str
    asked: Asked


def check_close(
    store: Store, period: Period, *, clock: Clock, actor: str, asked: Asked = nothing_asked
) -> tuple[Item, ...]:
    """Run the period and return its checklist; closes nothing. A soft-closed one is not run.

    Args:
        store: open books.
        period: which.
        clock: the time.
        actor: who would close.
        asked: items that rooms beside the line know of.

    Raises:
        PeriodError: it is closed, or has not begun.
    """
    with store.read() as tx:
        is_soft_closed = period_state(tx, str(period)) == SOFT_CLOSED
    if is_soft_closed:
        month = frozen_month(store, period)
        basis, sheet = month.basis, month.sheet
    else:
        run(store, period, clock=clock, actor=actor)
        basis = read_basis(store, period)
    with store.read() as tx:
        sheet = sheet if is_soft_closed else _sheet(tx, basis)
        now_us = clock.now_us()
        return (
            *usage_items(store, tx, basis, sheet, now_us),
            *_signed_items(tx, basis, sheet, now_us, actor, "", asked),
        )


def close(
    store: Store,
    period: Period,
    *,
    issuer: Issuer,
    clock: Clock,
    actor: str,
    approved_by: str = "",
    asked: Asked = nothing_asked,
) -> Closed:
    """Close a period: run it, check it, issue its statements, fix it. A soft-closed one is not run.

    Args:
        store: open books.
        period: a month that has ended.
        issuer: makes the statements from what is booked (`tallybook.report.issue`).
        clock: the time.
        actor: who closes.
        approved_by: who countersigns, if the actor wrote something of the month.
        asked: items that rooms beside the line know of.

    Raises:
        PeriodError: it is closed already, items of the checklist block, or the actor may not close;
            nothing changed.
    """
    how = _Closing(period, issuer, clock, actor, approved_by.strip(), asked)
    with store.read() as tx:
        _refuse_early(tx, how)
        is_soft_closed = period_state(tx, str(period)) == SOFT_CLOSED
    if is_soft_closed:
        return _close_frozen(store, how)

    def finish(tx: Tx, fresh: Fresh) -> Closed:
        post_lines(tx, fresh, actor, clock.now_us())
        return _fix(store, tx, fresh.basis, _sheet(tx, fresh.basis), how, just_posted=True)

    return on_fresh_lines(store, period, finish)


def _close_frozen(store: Store, how: _Closing) -> Closed:
    """Close what was soft-closed: its usage stands as the soft close froze it."""
    month: Frozen = frozen_month(store, how.period)
    store.lake.verify(month.basis.snapshot)
    with store.write() as tx:
        month.require_standing(tx)
        return _fix(store, tx, month.basis, month.sheet, how)


def _refuse_early(tx: Tx, how: _Closing) -> None:
    """Refuse what no computing can change, before anything is sealed."""
    period = how.period
    if period_state(tx, str(period)) != CLOSED:
        books = latest_books(tx)[0]
        require_duty(tx, how.actor, "controller", f"close {period}")
        if how.approved_by:
            require_another(how.actor, how.approved_by, f"close of {period}", "--approved-by")
            require_duty(tx, how.approved_by, "approver", f"countersign the close of {period}")
        end_us = books.calendar.bounds_us(period)[1]
        early = (
            ended_item(period, end_us, how.clock.now_us()),
            order_item(open_before(tx, str(period))),
        )
        refuse_blocked(period, early, "close")


def _fix(
    store: Store, tx: Tx, basis: Basis, sheet: Sheet, how: _Closing, *, just_posted: bool = False
) -> Closed:
    """Check, round, issue and fix, in the caller's transaction."""
    now_us = how.clock.now_us()
    items = (
        *usage_items(store, tx, basis, sheet, now_us, just_posted=just_posted),
        *_signed_items(tx, basis, sheet, now_us, how.actor, how.approved_by, how.asked),
    )
    refuse_blocked(how.period, items, "close")
    basis = replace(basis, versions=sheet.versions)
    issue = how.issuer(tx, basis, sheet)
    _round_to_cents(tx, basis, issue.remainders, how.actor, now_us)
    faults.reached("close.rounded")
    roll(tx, basis.books.calendar, how.period, how.actor, now_us)
    link = append_act(tx, _act(tx, basis, items, issue, how), how.actor, now_us)
    issue.keep(tx, link.hash, now_us)
    args = {"period": str(how.period)}
    args |= {"approved_by": how.approved_by} if how.approved_by else {}
    command = Command("close", args, how.actor)
    log_command(tx, command, now_us, basis.versions.as_dict(), link.id)
    faults.reached("close.issued")
    return Closed(str(how.period), issue.version, issue.body_sha256, link.hash, items, link.id)


def _sheet(tx: Tx, basis: Basis) -> Sheet:
    sheet = latest_sheet(tx, str(basis.period))
    assert sheet is not None, "a run keeps a sheet"
    return sheet


def _signed_items(
    tx: Tx, basis: Basis, sheet: Sheet, now_us: int, actor: str, approved_by: str, asked: Asked
) -> tuple[Item, ...]:
    """What finance, the rooms beside the line, and those who sign have to show."""
    period = basis.period
    # Who is who stands in the books of today, whatever the month froze.
    org = latest_books(tx)[0].org
    return (
        *finance_items(tx, basis, sheet, now_us),
        *signed_for(tx, str(period), asked(tx, period)),
        duties_item(org, actor, approved_by, written(tx, str(period))),
    )


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
    held = _rounded_before(tx, period)
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


def _rounded_before(tx: Tx, period: str) -> dict[PostingKey, int]:
    rows = tx.rows(sql_text(__package__, "rounded"), period=period)
    return {PostingKey._make(row[:-1]): int(row.nano) for row in rows}


def _act(tx: Tx, basis: Basis, items: tuple[Item, ...], issue: Issue, how: _Closing) -> Act:
    evidence: Mapping[str, object] = {item.name: item.evidence for item in items}
    waived = {item.name: item.waived_by for item in items if item.waived_by}
    role = role_of(latest_books(tx)[0].org, how.actor)
    signed = {"approved_by": how.approved_by} if how.approved_by else {}
    until = {"dispute_until": issue.dispute_until} if issue.dispute_until else {}
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
            "role": role,
            **signed,
            **until,
        },
        versions=basis.versions.as_dict(),
    )
