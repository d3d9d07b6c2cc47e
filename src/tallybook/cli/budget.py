"""`budget`: what is in force, what is used, who asked for more and who decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallybook.budget.approve import approve as approve_request
from tallybook.budget.approve import deny as deny_request
from tallybook.budget.ask import ask, parse_budget, request_values
from tallybook.budget.ask import requests as all_requests
from tallybook.budget.begin import begin
from tallybook.budget.burn import Burn, burn_values
from tallybook.budget.burn import burn as burn_of
from tallybook.budget.calibrate import calibrated, calibration_values
from tallybook.budget.overview import state_values
from tallybook.budget.propose import Proposal
from tallybook.budget.propose import propose as propose_use_case
from tallybook.cli.app import App, note, parse_period
from tallybook.cli.budget_page import budgets_html
from tallybook.cli.budget_state import month_of_budgets
from tallybook.cli.budget_text import (
    burn_text,
    calibration_text,
    list_text,
    proposal_text,
    requests_text,
    show_text,
)
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.errors import BudgetError, WrongUsageError
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
@click.option(
    "--books", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Of a use case: the folder of the policy files that its rows are added to.",
)  # fmt: skip
@click.option(
    "--keys", type=click.Path(path_type=Path, dir_okay=False),
    help="Of a use case: the key file (else gateway/keys.json in the books).",
)  # fmt: skip
@json_option
@click.pass_obj
def approve(
    app: App,
    number: int,
    amount: str,
    expires: str,
    reason: str,
    books: Path | None,
    keys: Path | None,
) -> None:
    """Approve a REQUEST: in force from now on. Whoever asked may not, and only who is named may.

    With --books a use case begins: rows for its feature, key and budget are added to the files of
    that folder and applied, and its key is issued; the secret is shown this once.

    Examples:  tallybook --as cfo@acme.example budget approve 7
    tallybook --as cfo@acme.example budget approve 7 --amount 200.00 --expires 2026-11-20
    tallybook --as cfo@acme.example budget approve 8 --books books
    """
    if books:
        if expires:
            raise WrongUsageError("a use case does not expire", next_step="leave --expires out")
        _begin(app, number, amount, reason, books, keys)
        return
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


def _begin(app: App, number: int, amount: str, reason: str, books: Path, keys: Path | None) -> None:
    from tallybook.cli.budget_key import issued_key  # noqa: PLC0415 - only who begins needs it

    args = {"request": number, "amount": amount, "reason": reason, "books": str(books)}
    command = Command("budget approve", args, app.actor)
    now_us = app.clock.now_us()
    done = begin(
        app.store, number, books, amount=amount, reason=reason, command=command, now_us=now_us
    )
    path = keys or app.home / "gateway" / "keys.json"
    secret = issued_key(app.store, path, done, app.actor, now_us)
    key = str(done.details["key"])
    if secret:
        note(f"the secret of {key}, shown this once; only its digest is kept")
    text = requests_text([done]) + f"\n\n{key}  {secret or 'is in force already'}"
    app.answer({**request_values(done), "key": key, "secret": secret}, text)


@budget.command()
@click.argument("feature")
@click.option("--team", required=True, help="The team that will answer for it.")
@click.option("--name", default="", help="What it is, in words.")
@click.option("--provider", required=True, help="Whose model, such as openai.")
@click.option("--model", required=True, help="Which model.")
@click.option("--calls", required=True, type=int, help="Calls a month.")
@click.option(
    "--tokens", multiple=True, required=True, metavar="CLASS=COUNT",
    help="Tokens of one call, by class; may be repeated.",
)  # fmt: skip
@click.option("--purpose", default="production", show_default=True, help="Of its calls.")
@click.option("--limit", default="", help="The monthly limit, if not the one that is suggested.")
@click.option("--approver", "approvers", multiple=True, help="Who may decide; may be repeated.")
@click.option("--every-provider", is_flag=True, help="Look for cheaper models with all providers.")
@json_option
@click.pass_obj
def propose(app: App, /, tokens: tuple[str, ...], **told: Any) -> None:
    """Propose a use case FEATURE: what it would cost, what would be cheaper, and a limit.

    Nothing begins before somebody else approves it. An alternative is a model of the same provider,
    or of one with a contract, that prices the same classes at less; nothing is said of how well it
    answers. The suggested limit is the estimate and a quarter, up to the next whole unit.

    Example:  tallybook budget propose triage --team support --provider openai --model gpt-4o
              --calls 20000 --tokens input_uncached=1200 --tokens output=300
    """
    args = {**told, "approvers": list(told["approvers"]), "tokens": list(tokens)}
    made = propose_use_case(
        app.store,
        Proposal(**{**told, "tokens": _counts(tokens)}),
        command=Command("budget propose", args, app.actor),
        now_us=app.clock.now_us(),
    )
    app.answer(request_values(made), proposal_text(made))


@budget.command()
@click.option(
    "--months", default=3, show_default=True, type=click.IntRange(1, 24), help="Whole months back."
)
@json_option
@click.pass_obj
def calibrate(app: App, months: int) -> None:
    """Name the budgets that do no work: never touched (a blank check), always acting (a brake).

    By what runs booked and gateways noted in the last whole months. A budget is never touched
    whose use stayed under a tenth in each of them, and always acting where calls were refused,
    throttled or downgraded in each.

    Examples:  tallybook budget calibrate
    tallybook budget calibrate --months 6 --json
    """
    found = calibrated(app.store, app.clock.now_us(), months)
    app.answer([calibration_values(one) for one in found], calibration_text(found, months))


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
@click.option("--out", type=click.Path(path_type=Path), help="Write a page into this folder.")
@json_option
@click.pass_obj
def burn(app: App, out: Path | None) -> None:
    """How fast each budget of this month burns, and when it will have run out.

    The interval holds eight futures in ten, if the coming days are like days of the past;
    docs/budgets.md says how it is made and how often it held on recorded demand.

    Examples:  tallybook budget burn
    tallybook budget burn --json
    tallybook budget burn --out pages
    """
    month = month_of_budgets(app.store, app.clock, None)
    found = burn_of(month.books, month.states, *month.series)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"budgets-{month.period}.html"
        path.write_text(budgets_html(month, found), encoding="utf-8")
        note(f"wrote {path}")
        return
    app.answer([burn_values(one) for one in found], burn_text(month, found))


def _counts(told: tuple[str, ...]) -> dict[str, int]:
    counts = {}
    for pair in told:
        name, sign, count = pair.partition("=")
        if not sign or not count.isascii() or not count.isdigit():
            raise WrongUsageError(
                f"{pair!r} is no CLASS=COUNT", next_step="write --tokens input_uncached=1200"
            )
        counts[name] = int(count)
    return counts


def _period(text: str) -> Period | None:
    return parse_period(text) if text else None
