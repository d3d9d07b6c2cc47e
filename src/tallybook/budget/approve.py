"""Deciding on what was asked: by a named approver, never by the one who asked, and once.

What is approved is in force from then on: `tallybook.books.budgets.Budgets.in_force` counts it like
an increase of budgets.yaml. It is an act on the chain of the journal, so that money that follows
from it can be traced to who decided; a denial is in the command log, as every command is.
"""

from __future__ import annotations

from tallybook.books.model import Books
from tallybook.budget.approvers import approvers_of
from tallybook.budget.ask import (
    parse_expiry,
    request_of,
    require_lasting,
    require_running,
    require_within,
)
from tallybook.budget.model import Request, Verdict
from tallybook.clock import format_instant
from tallybook.errors import BudgetError, WrongUsageError
from tallybook.ledger.append import append_act
from tallybook.ledger.model import Act, ActKind
from tallybook.money import NANO_SCALE, format_units, parse_amount
from tallybook.post.basis import latest_books
from tallybook.store import Store, Tx, canonical_json, faults
from tallybook.store.commands import Command, log_command


def approve(
    store: Store,
    request: int,
    *,
    amount: str = "",
    expires: str = "",
    reason: str = "",
    command: Command,
    now_us: int,
) -> Request:
    """Approve an increase: it is in force from now on, or from the start of its month.

    Args:
        store: open books.
        request: its number.
        amount: what is approved, at most what was asked for; without it that.
        expires: a day or an instant from which on it is not in force; without it as was asked for.
        reason: why; may be empty.
        command: as it was given; its actor decides.
        now_us: when.

    Returns:
        the request with its decision.

    Raises:
        BudgetError: there is no such open request, its month is over, or the actor may not decide.
        WrongUsageError: more is approved than was asked for, or the end is not within the month.
    """
    with store.write() as tx:
        asked, books = _open(tx, request)
        if asked.kind != "increase" or asked.period is None:
            raise BudgetError(
                f"request {request} is a use case; it begins with changes to the books",
                next_step=f"tallybook budget approve {request} --books FOLDER",
            )
        require_running(tx, books, asked.period, now_us)
        require_approver(books, asked, command.actor, now_us)
        nano = parse_amount(amount) if amount else asked.amount_nano
        _require_asked_for(asked, nano)
        until_us = parse_expiry(expires, books.calendar) if expires else asked.until_us
        require_within(books, asked.period, until_us, now_us)
        require_lasting(books, asked.scope, asked.subject, asked.period, until_us)
        from_us = max(now_us, books.calendar.bounds_us(asked.period)[0])
        decided = record_decision(
            tx, asked, "approved", nano, from_us, until_us, reason, command, now_us
        )
        faults.reached("budget.approved")
        return decided


def deny(store: Store, request: int, *, reason: str, command: Command, now_us: int) -> Request:
    """Deny a request of either kind, for a reason.

    Raises:
        BudgetError: there is no such open request, or the actor may not decide.
        WrongUsageError: no reason.
    """
    if not reason.strip():
        raise WrongUsageError("a denial needs a reason", next_step="give one with --reason")
    with store.write() as tx:
        asked, books = _open(tx, request)
        require_approver(books, asked, command.actor, now_us)
        return record_decision(tx, asked, "denied", 0, now_us, 0, reason, command, now_us)


def require_approver(books: Books, asked: Request, actor: str, now_us: int) -> None:
    """Refuse who may not decide on a request: whoever asked, and whoever is not named.

    Raises:
        BudgetError: naming who may.
    """
    allowed = approvers_for(books, asked, now_us)
    who = actor.strip().casefold()
    others = [one for one in allowed if one.casefold() != asked.requested_by.strip().casefold()]
    step = f"let one of them decide: {', '.join(others)}" if others else "name another approver"
    if who == asked.requested_by.strip().casefold():
        raise BudgetError(
            f"{actor} asked for request {asked.id} and cannot decide on it; it takes two people",
            where=asked.budget,
            next_step=step,
        )
    if who not in {one.casefold() for one in allowed}:
        raise BudgetError(
            f"{actor or 'nobody'} may not decide on request {asked.id} of {asked.budget}",
            where=asked.budget,
            next_step=step,
        )


def approvers_for(books: Books, asked: Request, now_us: int) -> tuple[str, ...]:
    """Who may decide on a request: for a use case whom it names, else whom the budget does."""
    if asked.kind == "use_case":
        return tuple(str(one) for one in asked.details["approvers"])
    assert asked.period is not None, "an increase is of a month"
    return approvers_of(books, asked.scope, asked.subject, asked.period, now_us)


def record_decision(
    tx: Tx,
    asked: Request,
    verdict: Verdict,
    nano: int,
    from_us: int,
    until_us: int,
    reason: str,
    command: Command,
    now_us: int,
    details: dict[str, object] | None = None,
) -> Request:
    """Write a decision down with its command and, if it approves, its act; returns the request."""
    tx.run(
        "INSERT INTO budget_decision (request, verdict, kind, scope, subject, period, amount_nano,"
        " from_us, until_us, reason, details, requested_by, asked_for, actor, at_us) VALUES"
        " (:request, :verdict, :kind, :scope, :subject, :period, :nano, :from_us, :until_us,"
        " :reason, :details, :requested_by, :asked_for, :actor, :at_us)",
        request=asked.id,
        verdict=verdict,
        kind=asked.kind,
        scope=asked.scope,
        subject=asked.subject,
        period=str(asked.period or ""),
        nano=nano,
        from_us=from_us,
        until_us=until_us,
        reason=reason.strip(),
        details=canonical_json(details or {}),
        requested_by=asked.requested_by,
        asked_for=asked.reason,
        actor=command.actor,
        at_us=now_us,
    )
    decided = request_of(tx, asked.id)
    outcome = f"request {asked.id} {verdict}"
    if verdict == "approved":
        outcome = append_act(tx, _act(decided), command.actor, now_us).id
    log_command(tx, command, now_us, {}, outcome)
    return decided


def _act(decided: Request) -> Act:
    decision = decided.decision
    assert decision is not None, "an act is of a decision"
    amount = format_units(decision.amount_nano, NANO_SCALE)
    details = {
        "request": decided.id,
        "decision": decision.seq,
        "kind": decided.kind,
        "budget": decided.budget,
        "amount": amount,
        "from": format_instant(decision.from_us),
        "expires": format_instant(decision.until_us) if decision.until_us else "",
        "requested_by": decided.requested_by,
    }
    text = decision.reason or decided.reason
    return Act(ActKind.APPROVAL, str(decided.period or ""), text, details)


def _open(tx: Tx, request: int) -> tuple[Request, Books]:
    asked = request_of(tx, request)
    if asked.decision is not None:
        done = asked.decision
        raise BudgetError(
            f"request {request} was {done.verdict} by {done.decided_by} at"
            f" {format_instant(done.at_us)}; it is decided once",
            where=asked.budget,
            next_step="ask anew: tallybook budget request",
        )
    return asked, latest_books(tx)[0]


def _require_asked_for(asked: Request, nano: int) -> None:
    if not 0 < nano <= asked.amount_nano:
        most = format_units(asked.amount_nano, NANO_SCALE)
        raise WrongUsageError(
            f"{format_units(nano, NANO_SCALE)} is not within what request {asked.id} asks for:"
            f" more than 0, up to {most}",
            next_step="approve at most that, or have more asked for",
        )
