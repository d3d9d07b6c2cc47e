"""`undelivered`: what was billed for answers that nobody waited for."""

from __future__ import annotations

import click

from tallybook.cli.app import App, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.money import PICO_SCALE, format_share, format_units
from tallybook.report.undelivered import Tally, Undelivered, undelivered_values
from tallybook.report.undelivered import undelivered as undelivered_of

_PLACES = 6  # a call costs fractions of a cent
_NAMES = ("team", "feature", "model", "calls", "output", "delivered", "undelivered", "whole calls")
_RIGHT = (3, 4, 5, 6, 7)
_UNKNOWN = "?"


@click.command()
@period_argument
@click.option("--team", default="", help="Only what this team answers for.")
@json_option
@click.pass_obj
def undelivered(app: App, period: Period, team: str) -> None:
    """What PERIOD paid for answers that their callers did not wait for, by owner and model.

    A provider bills an answer to its end, whoever hangs up. Of such calls: output tokens billed and
    delivered, the cost of what was not delivered, and of the whole calls as the latest run rated
    them, at the rate card. A "?" is what nobody told; it is in no sum.

    Example:  tallybook undelivered 2026-10
              tallybook undelivered 2026-10 --team support --json
    """
    found = undelivered_of(app.store, period, team)
    app.answer(undelivered_values(found), _text(found))


def _text(found: Undelivered) -> str:
    if not found.rows:
        return f"no caller left a call of {found.period} before its end, as far as was told"
    total = found.total
    rows = [[row.team, row.feature or "-", row.model, *_cells(row.tally)] for row in found.rows]
    rows.append(["all", "", "", *_cells(total)])
    share = format_share(total.undelivered_pico, found.month_pico)
    parts = [
        f"{found.period}, {found.currency}, at the rate card; callers that left before the end",
        table(_NAMES, rows, _RIGHT),
        f"{share} of the month's {_money(found.month_pico)} was not delivered"
        if total.is_measured
        else f"nobody knows how much of the month's {_money(found.month_pico)} was not delivered",
    ]
    parts += [
        f"{_calls(count)}: {why}"
        for count, why in (
            (total.untold, "nobody told how much arrived; they are in whole calls alone"),
            (total.unknown, "nobody told what they used; only what is known is counted"),
            (total.unpriced, "their model has no price; nobody knows what they cost"),
        )
        if count
    ]
    return "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2:])


def _cells(tally: Tally) -> list[str]:
    is_told = tally.untold < tally.calls
    return [
        f"{tally.calls:,}",
        f"{tally.output:,}" if is_told else _UNKNOWN,
        f"{tally.delivered:,}" if is_told else _UNKNOWN,
        _money(tally.undelivered_pico) if tally.is_measured else _UNKNOWN,
        _money(tally.cost_pico) if tally.costed else _UNKNOWN,
    ]


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


def _money(pico: int) -> str:
    """An amount to a millionth, cut: the machine form has all of it."""
    return format_units(pico, PICO_SCALE)[: _PLACES - PICO_SCALE]
