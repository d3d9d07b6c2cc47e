"""Budgets, requests, proposals and burn as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from tallybook.budget.burn import Burn, ahead, never
from tallybook.budget.calibrate import Calibration
from tallybook.budget.forecast import Forecast
from tallybook.budget.model import Request
from tallybook.budget.overview import BudgetState, used_share
from tallybook.cli.app import table
from tallybook.cli.budget_state import BudgetMonth
from tallybook.clock import Calendar, format_instant
from tallybook.money import (
    PICO_PER_NANO,
    cents_of_nano,
    format_cents,
    half_even,
    nano_of_pico,
    parse_units,
)

BAR = 20


def list_text(month: BudgetMonth) -> str:
    """Every budget in a row, with a bar of what is used."""
    if not month.states:
        return f"{month.period} has no budgets; add them to budgets.yaml and apply"
    rows = [
        (
            state.budget + _aside(state),
            state.team,
            money(state.limit_nano),
            "?" if state.used_pico is None else money(nano_of_pico(state.used_pico)),
            used_share(state) or "?",
            bar(state),
            state.over,
            _acted(state),
        )
        for state in month.states
    ]
    heads = ("budget", "team", "in force", "used", "share", "", "at the amount", "acted on")
    text = table(heads, rows, (2, 3, 4))
    waiting = sum(state.open_requests for state in month.states)
    more = f"\n\n{waiting} requests wait: tallybook budget requests {month.period}"
    return f"Budgets of {month.period}, {month.currency}\n\n{text}{more if waiting else ''}"


def show_text(month: BudgetMonth, found: Burn, requests: Sequence[Request]) -> str:
    """One budget whole."""
    state = found.state
    lines = [f"{state.budget}  {state.name}, {month.period}, {month.currency}", ""]
    lines += [f"  {'in all' if state.since else 'monthly':<16}{money(state.monthly_nano):>16}"]
    if state.since:
        lines[-1] += f"   since {state.since}; it does not reset"
    if state.is_default:
        lines[-1] += "   the default: it has no budget of its own"
    lines += [f"  {words:<16}{amount:>16}   {by}" for words, amount, by in _increases(month, state)]
    lines += [f"  in force now    {money(state.limit_nano):>16}"]
    if state.month_end_nano != state.limit_nano:
        lines += [f"  at month end    {money(state.month_end_nano):>16}"]
    if state.used_pico is not None and state.remaining_pico is not None:
        lines += [
            f"  used            {money(nano_of_pico(state.used_pico)):>16}   {used_share(state)}"
        ]
        lines += [f"  remaining       {money(nano_of_pico(state.remaining_pico)):>16}"]
        lines += ["", f"  {bar(state)}"]
    elif state.since and state.scope in ("feature", "team", "unit"):
        lines += [
            "  used                           ?   a month since then has usage and was not run"
        ]
    lines += ["", f"  at the amount: {state.over}"]
    lines += [f"  may approve more: {', '.join(state.approvers) or 'nobody; name approvers'}"]
    if state.calls_acted:
        lines += [f"  acted on: {_acted(state)} calls"]
    if state.used_pico is not None:
        lines += [f"  {words}" for words in _burn_words(found, month.books.calendar)]
    if requests:
        lines += ["", requests_text(requests)]
    return "\n".join(lines)


def requests_text(requests: Sequence[Request]) -> str:
    """Requests in rows, with what became of them."""
    if not requests:
        return "no request waits"
    rows = [
        (
            str(one.id),
            one.budget,
            str(one.period or "new"),
            money(one.amount_nano),
            one.requested_by,
            one.reason,
            _decided(one),
        )
        for one in requests
    ]
    heads = ("request", "budget", "month", "asked", "by", "for", "decision")
    return table(heads, rows, (0, 3))


def burn_text(month: BudgetMonth, found: Sequence[Burn]) -> str:
    """Every budget whose use is known, with where it is going."""
    if not found:
        return f"{month.period} has no budgets whose use is known"
    rows = []
    for one in found:
        told, state = one.forecast, one.state
        used = money(nano_of_pico(state.used_pico or 0))
        rows.append(
            (
                state.budget,
                used,
                money(state.limit_nano),
                bar(state),
                money(nano_of_pico(told.per_day_pico)) if told else "?",
                _when(told, state, month.books.calendar),
                _end(told, state),
            )
        )
    heads = ("budget", "used", "in force", "", "a day", "runs out (8 in 10)", "month end (8 in 10)")
    calendar = month.books.calendar
    changes = [
        f"{one.state.budget}: {text}" for one in found for text in _change_words(one, calendar)
    ]
    text = table(heads, rows, (1, 2, 4, 6))
    more = "\n\n" + "\n".join(changes) if changes else ""
    at = format_instant(month.at_us)
    return f"Burn of {month.period}, {month.currency}, at {at}: provisional\n\n{text}{more}"


def proposal_text(made: Request) -> str:
    """A proposal: its estimate, what would be cheaper, its limit and who may decide."""
    told = made.details
    asked = told["estimate"]
    tokens = ", ".join(f"{name} {count:,}" for name, count in told["tokens"].items())
    lines = [
        f"request {made.id}: {told['name']} ({made.subject}) of {told['team']}",
        "",
        f"  {told['calls']:,} calls a month, each {tokens}",
        f"  on {asked['provider']}/{asked['model']}: {_plain(asked['monthly'])} a month",
    ]
    if told["alternatives"]:
        rows = [
            (f"{one['provider']}/{one['model']}", _plain(one["monthly"]), _plain(one["saves"]))
            for one in told["alternatives"]
        ]
        shown = table(("cheaper, for the same classes", "a month", "saves"), rows, (1, 2))
        lines += ["", *(f"  {line}" for line in shown.split("\n"))]
    else:
        lines += ["  no cheaper model that prices the same classes"]
    lines += [
        "",
        f"  monthly limit  {_plain(told['limit'])} (suggested {_plain(told['suggested'])})",
        f"  may decide     {', '.join(told['approvers'])}",
        f"  next: one of them runs: tallybook budget approve {made.id} --books FOLDER",
    ]
    return "\n".join(lines)


def calibration_text(found: Sequence[Calibration], months: int) -> str:
    """Budgets with what they did, month by month."""
    if not found:
        return f"no budget stood in the last {months} months that were run"
    rows = []
    for one in found:
        shares = ", ".join(f"{state.period} {used_share(state) or '?'}" for state in one.months)
        acted: dict[str, int] = {}
        for state in one.months:
            for act, calls in state.calls_acted.items():
                acted[act] = acted.get(act, 0) + calls
        told = ", ".join(f"{act} {calls:,}" for act, calls in sorted(acted.items()))
        fits = "" if one.suggested_nano is None else money(one.suggested_nano)
        rows.append((one.finding, one.budget, money(one.months[-1].limit_nano), shares, told, fits))
    heads = ("finding", "budget", "in force", "used", "calls acted on", "would fit")
    return table(heads, rows, (2, 5))


def _plain(text: str) -> str:
    """A decimal text in cents, thousands grouped."""
    return money(nano_of_pico(parse_units(text, 12)))


def bar(state: BudgetState) -> str:
    """What is used as a bar; what is beyond the amount is marked."""
    if state.used_pico is None or not state.limit_nano:
        return ""
    filled = half_even(state.used_pico * BAR, state.limit_nano * PICO_PER_NANO)
    over = "!" if filled > BAR else ""
    filled = min(max(filled, 0), BAR)
    return "[" + "#" * filled + "." * (BAR - filled) + "]" + over


def money(nano: int) -> str:
    """An amount in cents, thousands grouped."""
    return format_cents(cents_of_nano(nano), grouped=True)


def _aside(state: BudgetState) -> str:
    if state.since:
        return f" (since {state.since})"
    return " (default)" if state.is_default else ""


def _increases(month: BudgetMonth, state: BudgetState) -> list[tuple[str, str, str]]:
    budgets, key = month.books.budgets, (state.scope, state.subject, month.period)
    rows = [
        (row.from_us, money(row.amount_nano), f"approved by {row.approved_by} on {row.approved_on}")
        for row in budgets.increases
        if ("feature", row.feature, row.period) == key
    ]
    for grant in budgets.grants:
        if (grant.scope, grant.subject, grant.period) != key:
            continue
        ends = "" if grant.holds(None) else f" until {format_instant(grant.until_us)}"
        by = f"approved by {grant.approved_by} at {format_instant(grant.from_us)}{ends}"
        rows.append((grant.from_us, money(grant.amount_nano), f"{by}, for {grant.requested_by}"))
    return [("increase", amount, by) for _, amount, by in sorted(rows)]


def _decided(one: Request) -> str:
    if one.decision is None:
        return "waits"
    done = one.decision
    amount = f" {money(done.amount_nano)}" if done.verdict == "approved" else ""
    ends = f" until {format_instant(done.until_us)}" if done.until_us else ""
    why = f": {done.reason}" if done.reason else ""
    return f"{done.verdict}{amount} by {done.decided_by}{ends}{why}"


def _acted(state: BudgetState) -> str:
    return ", ".join(f"{act} {calls:,}" for act, calls in sorted(state.calls_acted.items()))


def _when(told: Forecast | None, state: BudgetState, calendar: Calendar) -> str:
    if told is None:
        return "too early to tell"
    out = told.runs_out_us
    if state.remaining_pico is not None and state.remaining_pico <= 0:
        return "has run out"
    if not out.low:
        return never(state)
    low, middle, high = (_day(us, state, calendar) for us in (out.low, out.middle, out.high))
    return f"{middle} ({low} .. {high})"


def _end(told: Forecast | None, state: BudgetState) -> str:
    if told is None or state.since:
        return "-" if state.since else "?"
    low, middle, high = (
        money(nano_of_pico(pico))
        for pico in (told.month_end_pico.low, told.month_end_pico.middle, told.month_end_pico.high)
    )
    return f"{middle} ({low} .. {high})"


def _burn_words(one: Burn, calendar: Calendar) -> list[str]:
    told = one.forecast
    if told is None:
        return ["runs out: too early to tell; three whole days of usage are needed"]
    days = f"mean of {told.days} days"
    out = f"{_when(told, one.state, calendar)}; in {told.out_of_ten} futures of 10"
    words = [
        f"burns {money(nano_of_pico(told.per_day_pico))} a day ({days})",
        f"runs out: {out} {ahead(one.state)}",
    ]
    words += [] if one.state.since else [f"month end: {_end(told, one.state)}"]
    return [*words, *_change_words(one, calendar)]


def _change_words(one: Burn, calendar: Calendar) -> list[str]:
    last = one.last
    if last is None:
        return []
    text = f"the last increase, {money(last.amount_nano)} by {last.approved_by},"
    if one.forecast is None or last.without is None:
        return [f"{text} counts since {format_instant(last.from_us)}"]
    before, now = last.without.runs_out_us.middle, one.forecast.runs_out_us.middle
    if before == now:
        return [f"{text} changes nothing {'in this month' if not one.state.since else 'so far'}"]
    was, became = (_day(us, one.state, calendar) for us in (before, now))
    return [f"{text} moved the day it runs out from {was} to {became}"]


def _day(us: int, state: BudgetState, calendar: Calendar) -> str:
    return calendar.date_of(us) if us else never(state)
