"""`accrue`, `dispose`, `commitments`, `prepaid`: what stands beside metered usage at month end."""

from __future__ import annotations

from typing import Any

import click

from tallybook.cli.app import App, parse_period, table
from tallybook.cli.ledger import exact
from tallybook.cli.options import filled, json_option, period_argument
from tallybook.clock import Period
from tallybook.errors import WrongUsageError
from tallybook.post.basis import latest_books
from tallybook.reconcile.accrue import Accruals, accruals, burn_downs
from tallybook.reconcile.accrue import accrue as post_accruals
from tallybook.reconcile.commitments import BurnDown
from tallybook.reconcile.completeness import Estimate
from tallybook.reconcile.dispose import DECISIONS, Disposable, disposable
from tallybook.reconcile.dispose import dispose as post_disposition
from tallybook.reconcile.prepaid import CreditMonth
from tallybook.reconcile.revalue import Revaluation


@click.command()
@period_argument
@click.option("--plan", is_flag=True, help="Show what would stand; post nothing.")
@json_option
@click.pass_obj
def accrue(app: App, period: Period, *, plan: bool) -> None:
    """Accrue what PERIOD owes beside metered usage, before it closes. Again it posts nothing.

    Usage that past months show to be unmetered (policy.yaml, completeness); prepaid credits used
    and expired, the shortfall of commitments, balances in foreign currency (prices.yaml).

    Examples:  tallybook accrue 2026-10 --plan
    tallybook --as controller accrue 2026-10
    """
    found = (
        accruals(app.store, period)
        if plan
        else post_accruals(app.store, period, clock=app.clock, actor=app.actor)
    )
    value = {
        "period": found.period,
        "entries": list(found.entries),
        "completeness": [_estimate(one) for one in found.estimates],
        "credits": [_credit(one) for one in found.credits],
        "commitments": [_burnt(one) for one in found.commitments],
        "revaluations": [_revalued(one) for one in found.revaluations],
    }
    count = len(found.entries)
    posted = f"{count} {'entry' if count == 1 else 'entries'}" if count else "nothing new"
    head = f"{period} would accrue" if plan else f"{period} accrued: {posted}"
    app.answer(value, "\n".join([head, *_lines(found)]))


def _share(one: Estimate) -> str:
    """What an estimate goes by."""
    if not one.months:
        return "no earlier month was trued up, so nothing is expected"
    share = f"{one.share.numerator}/{one.share.denominator}"
    return f"{share} of what was metered, as shown by {', '.join(one.months)}"


def _lines(found: Accruals) -> list[str]:
    lines = [
        f"  completeness  {one.provider}  {exact(one.amount_nano)}: {_share(one)}"
        f"{', the invoice is in' if one.released else ''}"
        for one in found.estimates
    ]
    lines += [
        f"  credit        {one.credit.id}  used {exact(one.used_nano)},"
        f" expired {exact(one.expired_nano)}, left {exact(one.closing_nano)}"
        for one in found.credits
    ]
    lines += [
        f"  commitment    {one.commitment.id}  shortfall {exact(one.shortfall_nano)}:"
        f" {exact(one.spent_nano)} of {exact(one.expected_nano)} spent"
        for one in found.commitments
    ]
    lines += [
        f"  currency      {one.provider} {one.service_period}  {exact(one.difference_nano)}:"
        f" {one.text}"
        for one in found.revaluations
    ]
    nothing = "see completeness in policy.yaml, credits, commitments and rates in prices.yaml"
    return lines or [f"  nothing is declared: {nothing}"]


def _estimate(one: Estimate) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "months": list(one.months),
        "metered": exact(one.metered_nano),
        "unmetered": exact(one.unmetered_nano),
        "share": f"{one.share.numerator}/{one.share.denominator}",
        "amount": exact(one.amount_nano),
        "parts": {name: exact(nano) for name, nano in one.parts},
        "invoiced": one.released,
    }


def _credit(one: CreditMonth) -> dict[str, Any]:
    return {
        "id": one.credit.id,
        "provider": one.credit.provider,
        "bought_on": one.credit.bought_on,
        "expires_on": one.credit.expires_on,
        "opening": exact(one.opening_nano),
        "bought": exact(one.bought_nano),
        "used": exact(one.used_nano),
        "expired": exact(one.expired_nano),
        "closing": exact(one.closing_nano),
        "balance": exact(one.balance_nano),
    }


def _burnt(one: BurnDown) -> dict[str, Any]:
    return {
        "id": one.commitment.id,
        "provider": one.commitment.provider,
        "amount": exact(one.commitment.amount_nano),
        "from": str(one.commitment.first),
        "to": str(one.commitment.until),
        "months": one.term,
        "elapsed": one.elapsed,
        "spent": exact(one.spent_nano),
        "expected": exact(one.expected_nano),
        "left": exact(one.left_nano),
        "forecast": exact(one.forecast_nano),
        "needed_a_month": exact(one.needed_nano),
        "shortfall_accrued": exact(one.shortfall_nano),
        "by_month": [
            {"period": month.period, "spent": exact(month.spent_nano),
             "shortfall": exact(month.shortfall_nano)}
            for month in one.months
        ],
    }  # fmt: skip


def _revalued(one: Revaluation) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "service_period": one.service_period,
        "unrealised": exact(one.difference_nano),
        "text": one.text,
    }


@click.command()
@click.argument("period", default="")
@json_option
@click.pass_obj
def commitments(app: App, period: str) -> None:
    """Burn down what was promised to providers (prices.yaml, commitments), as of PERIOD.

    Spent is what usage and capacity accrued, as invoices corrected it. The shortfall is accrued
    straight-line over the term: what should have been spent by now, less what was. PERIOD is by
    default the month of today.

    Examples:  tallybook commitments
    tallybook commitments 2026-12 --json
    """
    found = burn_downs(app.store, _month(app, period))
    rows = [
        [
            one.commitment.id, one.commitment.provider,
            f"{one.commitment.first} to {one.commitment.until}", f"{one.elapsed} of {one.term}",
            exact(one.commitment.amount_nano), exact(one.spent_nano), exact(one.expected_nano),
            exact(one.forecast_nano), exact(one.needed_nano), exact(one.shortfall_nano),
        ]
        for one in found
    ]  # fmt: skip
    heads = ("commitment", "provider", "term", "months", "amount", "spent", "expected", "forecast",
             "needed a month", "shortfall")  # fmt: skip
    text = table(heads, rows, right=(4, 5, 6, 7, 8, 9)) if rows else "no commitment is declared"
    app.answer({"commitments": [_burnt(one) for one in found]}, text)


@click.command()
@click.argument("period", default="")
@json_option
@click.pass_obj
def prepaid(app: App, period: str) -> None:
    """Show prepaid credits (prices.yaml, credits) as they stand after PERIOD was accrued.

    They are used in the order in which they expire. PERIOD is by default the month of today.

    Examples:  tallybook prepaid 2026-10
    tallybook prepaid --json
    """
    found = accruals(app.store, _month(app, period)).credits
    rows = [
        [
            one.credit.id, one.credit.provider, one.credit.bought_on, one.credit.expires_on,
            exact(one.opening_nano), exact(one.bought_nano), exact(one.used_nano),
            exact(one.expired_nano), exact(one.closing_nano), exact(one.balance_nano),
        ]
        for one in found
    ]  # fmt: skip
    heads = ("credit", "provider", "bought on", "expires on", "opening", "bought", "used",
             "expired", "closing", "at cost")  # fmt: skip
    text = table(heads, rows, right=(4, 5, 6, 7, 8, 9)) if rows else "no credit is declared"
    app.answer({"credits": [_credit(one) for one in found]}, text)


@click.command()
@period_argument
@click.argument("account", default="")
@click.option("--absorb", "decision", flag_value="absorb", help="It stays central.")
@click.option("--recharge", "decision", flag_value="recharge", help="To whose usage it came from.")
@click.option("--write-off", "decision", flag_value="write_off", help="It takes two people.")
@click.option("--withdraw", "decision", flag_value="withdraw", help="Take back what was decided.")
@click.option("--reason", default="", help="Why.")
@click.option("--approved-by", default="", help="Who agrees, for a write-off.")
@click.option("--into", default="", callback=filled,
              help="The month to post into; else PERIOD, or the open one.")  # fmt: skip
@json_option
@click.pass_obj
def dispose(
    app: App,
    period: Period,
    account: str,
    decision: str | None,
    reason: str,
    approved_by: str,
    into: str,
) -> None:
    """Decide what becomes of a variance, of absorption or of suspense about PERIOD.

    Without an account: what stands there, and what was decided. What is recharged stands on the
    teams' statements as a line of kind variance. A closed month stays closed.

    Examples:  tallybook dispose 2026-10
    tallybook --as controller dispose 2026-10 Variance:price --recharge --reason "X raised prices"
    tallybook dispose 2026-10 Suspense:X --write-off --reason "3.00" --approved-by cfo
    """
    if not account:
        if decision:
            raise WrongUsageError("no account is named", next_step="write: Variance:price")
        found = disposable(app.store, period)
        heads = ("account", "amount", "central now", "decision", "by", "reason")
        text = table(heads, [_disposable_row(one) for one in found], right=(1, 2))
        app.answer({"period": str(period), "accounts": [_disposable_value(x) for x in found]}, text)
        return
    chosen = next((name for name in DECISIONS if name == decision), None)
    if chosen is None:
        raise WrongUsageError(
            f"nothing is decided about {account}",
            next_step="write one of --absorb, --recharge, --write-off, --withdraw",
        )
    done = post_disposition(
        app.store,
        period,
        account,
        chosen,
        reason=reason,
        approved_by=approved_by,
        into=parse_period(into) if into else None,
        clock=app.clock,
        actor=app.actor,
    )
    charged = {team: exact(nano) for team, nano in done.charged_nano.items()}
    value = {"period": done.period, "service_period": done.service_period, "account": account,
             "decision": chosen, "act": done.act, "entries": list(done.entries),
             "charged": charged}  # fmt: skip
    posted = f"{len(done.entries)} entries in {done.period}" if done.entries else "nothing new"
    listed = "".join(f"\n  {team} {amount}" for team, amount in charged.items())
    app.answer(value, f"{account} of {period}: {chosen}, {posted} ({done.act}){listed}")


def _disposable_row(one: Disposable) -> list[str]:
    amounts = [exact(one.amount_nano), exact(one.central_nano)]
    return [one.account, *amounts, one.decision or "open", one.actor, one.reason]


def _disposable_value(one: Disposable) -> dict[str, Any]:
    return {
        "account": one.account,
        "amount": exact(one.amount_nano),
        "central": exact(one.central_nano),
        "decision": one.decision or "open",
        "actor": one.actor,
        "reason": one.reason,
    }


def _month(app: App, period: str) -> Period:
    """The month that is named, else the one of today in the company's zone."""
    if period:
        return parse_period(period)
    with app.store.read() as tx:
        calendar = latest_books(tx)[0].calendar
    return calendar.period_of(app.clock.now_us())
