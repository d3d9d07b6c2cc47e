"""Asking for more of a budget in one month, and the requests that were made."""

from __future__ import annotations

import json
from typing import Any, get_args

from tallybook.books.model import Books
from tallybook.budget.approvers import approvers_of
from tallybook.budget.model import SCOPES, Decision, Request, RequestKind, Scope, Verdict
from tallybook.clock import Calendar, Period, format_instant, parse_instant
from tallybook.errors import BudgetError, ClockError, WrongUsageError
from tallybook.ledger.state import CLOSED, period_state
from tallybook.money import NANO_SCALE, format_units, parse_amount
from tallybook.post.basis import latest_books
from tallybook.store import Store, Tx, canonical_json
from tallybook.store.commands import Command, log_command

_SELECT = (
    "SELECT r.id, r.kind, r.scope, r.subject, r.period, r.amount_nano, r.until_us, r.reason,"
    " r.details, r.actor, r.at_us, d.seq, d.verdict, d.amount_nano AS granted_nano, d.from_us,"
    " d.until_us AS granted_until_us, d.reason AS decision_reason, d.actor AS decided_by,"
    " d.at_us AS decided_us FROM budget_request r LEFT JOIN budget_decision d ON d.request = r.id"
)


def parse_budget(text: str) -> tuple[Scope, str]:
    """The scope and subject of a budget's name: ``feature:refund-bot``, or plain ``refund-bot``.

    Raises:
        WrongUsageError: it names nothing, or a scope that budgets do not have.
    """
    scope, colon, subject = text.partition(":")
    if not colon:
        scope, subject = "feature", text
    if scope not in SCOPES or not subject.strip():
        raise WrongUsageError(
            f"{text!r} names no budget",
            next_step=f"write feature:ID, or one of {', '.join(f'{one}:ID' for one in SCOPES)}",
        )
    return scope, subject


def parse_expiry(text: str, calendar: Calendar) -> int:
    """The instant from which on an increase is not in force any more; 0 for the month's end.

    A day is its start in the company's zone, as everywhere: the first day without it.

    Raises:
        WrongUsageError: it is neither a day nor an instant.
    """
    if not text:
        return 0
    try:
        return parse_instant(text) if "T" in text else calendar.date_start_us(text)
    except ClockError as error:
        raise WrongUsageError(
            f"{text!r} is no day and no instant",
            next_step="write a day, 2026-11-20, or an instant, 2026-11-20T18:00:00Z",
        ) from error


def ask(
    store: Store,
    budget: str,
    period: Period,
    amount: str,
    *,
    expires: str = "",
    reason: str,
    command: Command,
    now_us: int,
) -> Request:
    """Ask for more of a budget in one month.

    Args:
        store: open books.
        budget: whose, as `parse_budget` reads it.
        period: the month; it must not have ended.
        amount: how much more, in units of the currency.
        expires: a day or an instant from which on it is not needed; else the month's end.
        reason: what for.
        command: as it was given; its actor asks.
        now_us: when.

    Raises:
        BudgetError: there is no such budget in the month, the month is over, or nobody may approve.
        WrongUsageError: no reason, no amount, or an end that is not within the month.
    """
    scope, subject = parse_budget(budget)
    nano = parse_amount(amount)
    if nano <= 0:
        raise WrongUsageError(f"{amount} more is no increase", next_step="ask for more than 0")
    _require_text(reason, "a request needs a reason", "say what for with --reason")
    _require_text(command.actor, "nobody is named as asking", "say who asks, with --as NAME")
    with store.write() as tx:
        books, _ = latest_books(tx)
        require_running(tx, books, period, now_us)
        require_budget(books, scope, subject, period)
        approvers_of(books, scope, subject, period, now_us)
        until_us = parse_expiry(expires, books.calendar)
        require_within(books, period, until_us, now_us)
        require_lasting(books, scope, subject, period, until_us)
        number = insert_request(
            tx, "increase", scope, subject, str(period), nano, until_us, reason, {}, command, now_us
        )
        log_command(tx, command, now_us, {}, f"request {number}")
        return request_of(tx, number)


def insert_request(
    tx: Tx,
    kind: RequestKind,
    scope: str,
    subject: str,
    period: str,
    nano: int,
    until_us: int,
    reason: str,
    details: dict[str, Any],
    command: Command,
    now_us: int,
) -> int:
    """Write a request down; returns its number."""
    tx.run(
        "INSERT INTO budget_request (kind, scope, subject, period, amount_nano, until_us, reason,"
        " details, actor, at_us) VALUES (:kind, :scope, :subject, :period, :nano, :until_us,"
        " :reason, :details, :actor, :at_us)",
        kind=kind,
        scope=scope,
        subject=subject,
        period=period,
        nano=nano,
        until_us=until_us,
        reason=reason.strip(),
        details=canonical_json(details),
        actor=command.actor,
        at_us=now_us,
    )
    return int(tx.scalar("SELECT MAX(id) FROM budget_request") or 0)


def request_of(tx: Tx, number: int) -> Request:
    """The request of a number, with its decision.

    Raises:
        BudgetError: there is none.
    """
    row = tx.row(f"{_SELECT} WHERE r.id = :number", number=number)
    if row is None:
        raise BudgetError(
            f"there is no request {number}", next_step="tallybook budget requests shows them"
        )
    return _request(row)


def requests(tx: Tx, period: Period | None = None, *, every: bool = True) -> list[Request]:
    """All requests in their order.

    Args:
        tx: a transaction.
        period: only those about a month.
        every: also those that were decided.
    """
    rows = tx.rows(
        f"{_SELECT} WHERE (:period = '' OR r.period = :period)"
        " AND (:every = 1 OR d.seq IS NULL) ORDER BY r.id",
        period=str(period or ""),
        every=int(every),
    )
    return [_request(row) for row in rows]


def require_running(tx: Tx, books: Books, period: Period, now_us: int) -> None:
    """Refuse a month that is over: it keeps what was in force at its end.

    Raises:
        BudgetError: it ended, or it is closed.
    """
    end_us = books.calendar.bounds_us(period)[1]
    is_closed = period_state(tx, str(period)) == CLOSED
    if now_us >= end_us or is_closed:
        why = "is closed" if is_closed else f"ended at {format_instant(end_us)}"
        raise BudgetError(
            f"{period} {why}; a month keeps the budgets that were in force at its end",
            where=str(period),
            next_step=f"ask for {books.calendar.period_of(now_us)} or a later month",
        )


def require_budget(books: Books, scope: Scope, subject: str, period: Period) -> None:
    """Refuse what has no budget in a month: there is nothing to increase.

    Raises:
        BudgetError: naming what has one.
    """
    budgets = books.budgets
    if budgets.row_of(scope, subject, period) is not None:
        return
    named = {feature.id for feature in books.org.features}
    if scope == "feature" and subject in named and budgets.default is not None:
        return
    known = sorted({row.subject for row in budgets.budgets if row.scope == scope})
    listed = f"{scope} budgets: {', '.join(known)}" if known else f"no {scope} has a budget"
    raise BudgetError(
        f"{scope} {subject!r} has no budget in {period} to increase; {listed}",
        where="budgets.yaml",
        next_step="name one that has, or begin a use case: tallybook budget propose",
    )


def require_within(books: Books, period: Period, until_us: int, now_us: int) -> None:
    """Refuse an end that lies in the past or beyond the month.

    Raises:
        WrongUsageError: naming the bounds.
    """
    start_us, end_us = books.calendar.bounds_us(period)
    if until_us and not max(start_us, now_us) < until_us < end_us:
        raise WrongUsageError(
            f"{format_instant(until_us)} is not within what is left of {period}, which ends at"
            f" {format_instant(end_us)}",
            next_step="name an earlier end, or none for the whole month",
        )


def require_lasting(
    books: Books, scope: Scope, subject: str, period: Period, until_us: int
) -> None:
    """Refuse an end of what is granted of a budget that does not reset: it would take back use.

    Raises:
        WrongUsageError: there is an end.
    """
    row = books.budgets.row_of(scope, subject, period)
    if until_us and row is not None and row.carries:
        raise WrongUsageError(
            f"{scope} {subject!r} does not reset, so what is granted lasts until it is used",
            next_step="leave --expires out",
        )


def request_values(request: Request) -> dict[str, Any]:
    """The machine form of a request."""
    decision = request.decision
    return {
        "id": request.id,
        "kind": request.kind,
        "budget": request.budget,
        "period": str(request.period or ""),
        "amount": format_units(request.amount_nano, NANO_SCALE),
        "expires": format_instant(request.until_us) if request.until_us else "",
        "reason": request.reason,
        "requested_by": request.requested_by,
        "requested_at": format_instant(request.at_us),
        "details": dict(request.details),
        "state": decision.verdict if decision else "open",
        "decision": decision and _decision_values(decision),
    }


def _decision_values(decision: Decision) -> dict[str, Any]:
    approved = decision.verdict == "approved"
    return {
        "number": decision.seq,
        "amount": format_units(decision.amount_nano, NANO_SCALE),
        "from": format_instant(decision.from_us) if approved else "",
        "expires": format_instant(decision.until_us) if decision.until_us else "",
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "decided_at": format_instant(decision.at_us),
    }


def _require_text(text: str, what: str, next_step: str) -> None:
    if not text.strip():
        raise WrongUsageError(what, next_step=next_step)


def _request(row: Any) -> Request:
    decision = None
    if row.seq is not None:
        assert row.verdict in get_args(Verdict), row.verdict
        decision = Decision(
            seq=int(row.seq),
            verdict=row.verdict,
            amount_nano=int(row.granted_nano),
            from_us=int(row.from_us),
            until_us=int(row.granted_until_us),
            reason=row.decision_reason,
            decided_by=row.decided_by,
            at_us=int(row.decided_us),
        )
    return Request(
        id=int(row.id),
        kind=row.kind,
        scope=row.scope,
        subject=row.subject,
        period=Period.parse(row.period) if row.period else None,
        amount_nano=int(row.amount_nano),
        until_us=int(row.until_us),
        reason=row.reason,
        requested_by=row.actor,
        at_us=int(row.at_us),
        details=json.loads(row.details),
        decision=decision,
    )
