"""`budget`: what is in force, what is used, who asked for more and who decided."""

from __future__ import annotations

import click

from tallybook.budget.approve import approve as approve_request
from tallybook.budget.approve import deny as deny_request
from tallybook.budget.ask import ask, parse_budget, request_values
from tallybook.budget.ask import requests as all_requests
from tallybook.budget.burn import Burn, burn_values
from tallybook.budget.burn import burn as burn_of
from tallybook.budget.overview import state_values
from tallybook.cli.app import App, parse_period
from tallybook.cli.budget_state import month_of_budgets
from tallybook.cli.budget_text import burn_text, list_text, requests_text, show_text
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.errors import BudgetError
from tallybook.store.commands import Command


@click.group()
def budget() -> None:
    """Budgets of use cases, teams, units, keys and customers: in force, used, asked for, decided.

    Examples:  tallybook budget list
    tallybook budget request feature:refund-bot 2026-11 300.00 --reason "launch in Spain"
    tallybook --as cfo@acme.example budget approve 7 --amount 200.00
    """


@budget.command("list")
@click.argument("period", required=False, default="")
@json_option
@click.pass_obj
def list_(app: App, period: str) -> None:
    """List the budgets of PERIOD (else the running month): in force, used, what was acted on.

    Examples:  tallybook budget list
    tallybook budget list 2026-10 --json
    """
    month = month_of_budgets(app.store, app.clock, _period(period))
    values = [state_values(state) for state in month.states]
    app.answer(
        {"period": str(month.period), "currency": month.currency, "budgets": values},
        list_text(month),
    )


@budget.command()
@click.argument("name", metavar="BUDGET")
@click.argument("period", required=False, default="")
@json_option
@click.pass_obj
def show(app: App, name: str, period: str) -> None:
    """Show one BUDGET of PERIOD whole: how it came about, who decided what, when it runs out.

    BUDGET is feature:ID, team:ID, unit:ID, key:ID or customer:ID; a plain ID is a feature.

    Examples:  tallybook budget show feature:refund-bot
    tallybook budget show team:support 2026-10 --json
    """
    scope, subject = parse_budget(name)
    month = month_of_budgets(app.store, app.clock, _period(period))
    state = next(
        (one for one in month.states if (one.scope, one.subject) == (scope, subject)), None
    )
    if state is None:
        raise BudgetError(
            f"{scope} {subject!r} has no budget in {month.period}",
            next_step="tallybook budget list shows those that have",
        )
    burns = burn_of(month.books, [state], *month.series)
    mine = [one for one in month.requests if one.budget == state.budget]
    found = burns[0] if burns else Burn(state, None, None)
    app.answer(
        {
            **state_values(state),
            "requests": [request_values(one) for one in mine],
            "burn": burn_values(found) if burns else None,
        },
        show_text(month, found, mine),
    )


@budget.command("requests")
@click.argument("period", required=False, default="")
@click.option("--all", "every", is_flag=True, help="Also those that were decided.")
@json_option
@click.pass_obj
def requests_(app: App, period: str, *, every: bool) -> None:
    """List what was asked for and waits for a decision.

    Examples:  tallybook budget requests
    tallybook budget requests 2026-10 --all --json
    """
    with app.store.read() as tx:
        found = all_requests(tx, _period(period), every=every)
    app.answer([request_values(one) for one in found], requests_text(found))


@budget.command()
@click.argument("name", metavar="BUDGET")
@period_argument
@click.argument("amount")
@click.option("--reason", required=True, help="What for.")
@click.option("--expires", default="", help="Day or instant from which on it is not needed.")
@json_option
@click.pass_obj
def request(app: App, name: str, period: Period, amount: str, reason: str, expires: str) -> None:
    """Ask for AMOUNT more of BUDGET in PERIOD. Somebody else decides.

    Examples:  tallybook budget request feature:refund-bot 2026-11 300.00 --reason "launch in Spain"
    tallybook budget request team:support 2026-11 50 --reason "load test" --expires 2026-11-20
    """
    args = {"budget": name, "period": str(period), "amount": amount, "expires": expires}
    made = ask(
        app.store,
        name,
        period,
        amount,
        expires=expires,
        reason=reason,
        command=Command("budget request", {**args, "reason": reason}, app.actor),
        now_us=app.clock.now_us(),
    )
    text = f"request {made.id}: next, an approver runs: tallybook budget approve {made.id}"
    app.answer(request_values(made), text)


@budget.command()
@click.argument("number", metavar="REQUEST", type=int)
@click.option("--amount", default="", help="Less than was asked for.")
@click.option("--expires", default="", help="Day or instant from which on it is not in force.")
@click.option("--reason", default="", help="Why.")
@json_option
@click.pass_obj
def approve(app: App, number: int, amount: str, expires: str, reason: str) -> None:
    """Approve a REQUEST: in force from now on. Whoever asked may not, and only who is named may.

    Examples:  tallybook --as cfo@acme.example budget approve 7
    tallybook --as cfo@acme.example budget approve 7 --amount 200.00 --expires 2026-11-20
    """
    args = {"request": number, "amount": amount, "expires": expires, "reason": reason}
    done = approve_request(
        app.store,
        number,
        amount=amount,
        expires=expires,
        reason=reason,
        command=Command("budget approve", args, app.actor),
        now_us=app.clock.now_us(),
    )
    app.answer(request_values(done), requests_text([done]))


@budget.command()
@click.argument("number", metavar="REQUEST", type=int)
@click.option("--reason", required=True, help="Why not.")
@json_option
@click.pass_obj
def deny(app: App, number: int, reason: str) -> None:
    """Deny a REQUEST, for a reason.

    Example:  tallybook --as cfo@acme.example budget deny 7 --reason "use the batch tier"
    """
    done = deny_request(
        app.store,
        number,
        reason=reason,
        command=Command("budget deny", {"request": number, "reason": reason}, app.actor),
        now_us=app.clock.now_us(),
    )
    app.answer(request_values(done), requests_text([done]))


@budget.command()
@json_option
@click.pass_obj
def burn(app: App) -> None:
    """How fast each budget of this month burns, and when it will have run out.

    The interval holds eight futures in ten, if the coming days are like days of the past;
    docs/budgets.md says how it is made and how often it held on recorded demand.

    Examples:  tallybook budget burn
    tallybook budget burn --json
    """
    month = month_of_budgets(app.store, app.clock, None)
    found = burn_of(month.books, month.states, *month.series)
    app.answer([burn_values(one) for one in found], burn_text(month, found))


def _period(text: str) -> Period | None:
    return parse_period(text) if text else None
