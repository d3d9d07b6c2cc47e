"""`customers`: for whom a month's calls were made."""

from __future__ import annotations

import click

from tallybook.cli.app import App, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.meter.resolve.merge import TOLD_FOR
from tallybook.money import cents_of_lines, cumulative_nano, format_cents, format_share
from tallybook.report.customers import Customers, Tally, customers_values, together
from tallybook.report.customers import customers as customers_of

_SHOWN = 20
_RIGHT = (1, 2, 3, 4)
_UNKNOWN = "?"


@click.command()
@period_argument
@click.option("--by", type=click.Choice(TOLD_FOR), default=TOLD_FOR[0], show_default=True)
@click.option("--team", default="", help="Only calls that this team started.")
@click.option("--feature", default="", help="Only calls that this feature started.")
@click.option("--names", is_flag=True, help="Say who stands behind the ids of customers.")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=_SHOWN,
    show_default=True,
    help="How many to show.",
)
@json_option
@click.pass_obj
def customers(
    app: App,
    period: Period,
    by: str,
    team: str,
    feature: str,
    names: bool,  # noqa: FBT001 - click gives flags by position
    most: int,
) -> None:
    """For whom the calls of PERIOD were made: calls and cost by customer of their origin.

    A call that an agent or a tool makes on the way is made for the customer of who started it. What
    a source claims that is not trusted is not believed. All rows and the calls of nobody's add up
    to the month at the rate card; a "?" is what nobody knows. The machine form has every row.

    Examples:  tallybook customers 2026-10
    tallybook customers 2026-10 --by cohort --feature refund-bot --json
    """
    found = customers_of(app.store, period, by, team=team, feature=feature, names=names)
    app.answer(customers_values(found), _text(found, most))


def _text(found: Customers, most: int) -> str:
    total = found.total
    if not total.calls:
        return f"no call of {found.period} that was asked for stands, of what is sealed"
    lines = [(row.name or row.id, row.tally) for row in found.rows[:most]]
    if rest := found.rows[most:]:
        lines.append((f"{len(rest):,} more", together([row.tally for row in rest])))
    lines.append((f"no {found.by} stated", found.unstated))
    nanos = cumulative_nano([tally.cost_pico for _, tally in lines])
    cents = cents_of_lines(nanos, [f"{i:09d}" for i in range(len(lines))], found.period)
    rows = [
        [name, *_cells(tally, amount, total)]
        for (name, tally), amount in zip(lines, cents, strict=True)
    ]
    rows.append(["total", *_cells(total, sum(cents), total)])
    head = f"{found.period}, {found.currency}, at the rate card"
    if found.team or found.feature:
        head += f"; started by {' '.join(filter(None, (found.team, found.feature)))}"
    parts = [head, table((found.by, "calls", "tokens", "cost", "share"), rows, _RIGHT)]
    remarks = [
        f"{count:,} of these calls {words}"
        for count, words in (
            (total.unpriced, "have no price; nobody knows what they cost"),
            (total.unknown, "are of unknown usage; only what is known is counted"),
        )
        if count
    ]
    return "\n\n".join([*parts, *(["\n".join(remarks)] if remarks else [])])


def _cells(tally: Tally, cents: int, total: Tally) -> list[str]:
    return [
        f"{tally.calls:,}",
        f"{tally.tokens:,}" if tally.is_counted else _UNKNOWN,
        format_cents(cents, grouped=True) if tally.is_costed else _UNKNOWN,
        format_share(tally.cost_pico, total.cost_pico) if tally.is_costed else _UNKNOWN,
    ]
