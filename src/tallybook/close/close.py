"""The close: checklist, rounding to issued cents, statements, and the act that fixes the period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tallybook.allocate.allocate import allocate
from tallybook.clock import Clock, Period
from tallybook.close.checklist import (
    Item,
    ended_item,
    order_item,
    pools_item,
    posted_item,
    quarantine_item,
    state_items,
)
from tallybook.close.waive import waivers
from tallybook.errors import PeriodError
from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.balance import booked
from tallybook.ledger.model import Act, ActKind, Entry, Posting, Reason
from tallybook.ledger.state import CLOSED, period_state
from tallybook.money import NANO_PER_CENT
from tallybook.post.basis import Basis, read_basis
from tallybook.post.compute import month_of, pool_actuals
from tallybook.post.run import entries_due, run
from tallybook.post.sheet import Sheet, latest_sheet
from tallybook.report.body import body_digest, json_text, sealed
from tallybook.report.draft import Draft, draft
from tallybook.report.issued import issued, next_version, store_issue, totals_of
from tallybook.report.lines import LineKey
from tallybook.report.model import StatementSet
from tallybook.store import Store, Tx, faults
from tallybook.store.commands import Command, log_command


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close did."""

    period: str
    statements: StatementSet
    checklist: tuple[Item, ...]
    act: str


def check_close(store: Store, period: Period, *, clock: Clock, actor: str) -> tuple[Item, ...]:
    """Run the period and return its checklist; closes nothing."""
    run(store, period, clock=clock, actor=actor)
    basis = read_basis(store, period)
    with store.read() as tx:
        return _checklist(tx, basis, _sheet(tx, basis), clock.now_us())


def close(store: Store, period: Period, *, clock: Clock, actor: str) -> Closed:
    """Close a period: run it, check it, issue its statements, fix it.

    Raises:
        PeriodError: it is closed already, or items of the checklist block; nothing changed.
    """
    run(store, period, clock=clock, actor=actor)
    basis = read_basis(store, period)
    with store.write() as tx:
        now_us = clock.now_us()
        sheet = _sheet(tx, basis)
        items = _checklist(tx, basis, sheet, now_us)
        _refuse_blocked(period, items)
        drafted = draft(
            basis.books,
            basis.policy,
            sheet,
            booked(tx, str(period)),
            totals_of(issued(tx, str(period.previous()))),
            next_version(tx, str(period)),
        )
        _round_to_cents(tx, basis, drafted, actor, now_us)
        faults.reached("close.rounded")
        final = _final(drafted.statements)
        link = append_act(tx, _act(basis, items, final), actor, now_us)
        final = sealed(final, link.hash)
        store_issue(tx, final, json_text(final), now_us)
        command = Command("close", {"period": str(period)}, actor)
        log_command(tx, command, now_us, basis.versions.as_dict(), link.id)
        faults.reached("close.issued")
    return Closed(str(period), final, items, link.id)


def _sheet(tx: Tx, basis: Basis) -> Sheet:
    sheet = latest_sheet(tx, str(basis.period))
    assert sheet is not None, "a run keeps a sheet"
    return sheet


def _checklist(tx: Tx, basis: Basis, sheet: Sheet, now_us: int) -> tuple[Item, ...]:
    period = str(basis.period)
    actuals = pool_actuals(tx, period)
    allocation = allocate(month_of(basis, sheet.lines, actuals))
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
        posted_item(due + int(waiting or 0) + (sheet.versions != basis.versions)),
        *state_items(basis.period, basis.policy, sheet.lines, waivers(tx, period)),
        pools_item(missing),
        quarantine_item(int(tx.scalar("SELECT COUNT(*) FROM quarantine") or 0)),
    )


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


def _round_to_cents(tx: Tx, basis: Basis, drafted: Draft, actor: str, now_us: int) -> None:
    """Post what issued cents and exact balances differ by, so that they are equal."""
    period = str(basis.period)
    postings = [
        _remainder(key, drafted.cents[key] * NANO_PER_CENT - nano, basis)
        for key, nano in drafted.exact_nano.items()
        if drafted.cents[key] * NANO_PER_CENT != nano
    ]
    rest = -sum(posting.amount_nano for posting in postings)
    if rest:
        postings.append(Posting("Rounding", rest, source="rounding"))
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


def _remainder(key: LineKey, nano: int, basis: Basis) -> Posting:
    return Posting(
        f"Charge:{key.team}:{key.kind}",
        nano,
        team=key.team,
        feature=key.feature,
        purpose=key.purpose,
        kind=key.kind,
        service=key.detail if key.kind == "transfer" else "",
        detail="" if key.kind == "transfer" else key.detail,
        source="rounding",
        policy_version=basis.versions.policy,
    )


def _final(drafted: StatementSet) -> StatementSet:
    return replace(drafted, status="final" if drafted.version == 1 else "corrected")


def _act(basis: Basis, items: tuple[Item, ...], final: StatementSet) -> Act:
    evidence: Mapping[str, object] = {item.name: item.evidence for item in items}
    waived = {item.name: item.waived_by for item in items if item.waived_by}
    return Act(
        kind=ActKind.CLOSE,
        period=str(basis.period),
        text=f"Closed with statement version {final.version}",
        details={
            "checklist": evidence,
            "waived": waived,
            "manifest": basis.versions.manifest,
            "statement_version": final.version,
            "body_sha256": body_digest(final),
        },
        versions=basis.versions.as_dict(),
    )
