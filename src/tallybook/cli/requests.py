"""`requests`: what one user action costs."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tallybook.cli.app import App, table
from tallybook.cli.options import json_option, period_argument
from tallybook.clock import Period
from tallybook.live.form import request_values
from tallybook.live.requests import Cost, Kind, Requests
from tallybook.live.requests import requests as requests_of
from tallybook.money import format_share, format_units

_SHOWN = 15
_MODELS_SHOWN = 5
_PICO = 12
_PLACES = 6  # a request costs fractions of a cent
_NAMES = ("requests", "median", "p95", "p99", "dearest", "cost")
_RIGHT = (1, 2, 3, 4, 5, 6)


@click.command()
@period_argument
@click.option("--feature", default="", help="Only calls of this feature.")
@json_option
@click.pass_obj
def requests(app: App, period: Period, feature: str) -> None:
    """What a whole request costs in PERIOD: per trace, per agent run and per feature request.

    Percentiles are nearest-rank on exact costs at the rate card. The dear tail, the traces above
    the 95th percentile, is set beside typical ones: depth, retries, context and models.

    Example:  tallybook requests 2026-10
              tallybook requests 2026-10 --feature refund-bot --json
    """
    found = requests_of(app.store, period, feature)
    app.answer(request_values(found), _text(found, feature))


def _text(found: Requests, feature: str) -> str:
    if not (found.traces or found.untraced):
        if feature:
            return f"no sealed call of {found.period} is of the feature {feature}"
        if found.is_sealed:
            return f"no call of {found.period} stands: each was corrected, and is of another month"
        return f"no call of {found.period} is sealed; run it first: tallybook run {found.period}"
    parts = [f"{found.period}, {found.currency}, at the rate card; of what is sealed"]
    every = [("traces", found.traces), ("calls without a trace", found.untraced)]
    rows = [[name, *_cells(one)] for name, one in every if one]
    parts.append(table(("", *_NAMES), rows, _RIGHT) + _not_known([one for _, one in every if one]))
    if found.features:
        rows = [[_owner(one), *_cells(one)] for one in found.features[:_SHOWN]]
        parts.append(table((_first("feature request", found.features), *_NAMES), rows, _RIGHT))
    if found.agents:
        rows = [[one.agent or "(none told)", *_cells(one)] for one in found.agents[:_SHOWN]]
        parts.append(table((_first("agent run", found.agents), *_NAMES), rows, _RIGHT))
    if found.tail and found.typical:
        parts.append(_tail(found.tail, found.typical))
        dear = [
            [one.trace, _money(one.cost_pico), str(one.calls), str(one.depth), str(one.retries),
             f"{one.growth:,}"]
            for one in found.dearest
        ]  # fmt: skip
        names = ("dearest traces", "cost", "calls", "depth", "retries", "context growth")
        parts.append(table(names, dear, (1, 2, 3, 4, 5)))
    return "\n\n".join(parts)


def _first(name: str, rows: Sequence[Cost]) -> str:
    """What a table lists, and of how many where it does not list all."""
    return name if len(rows) <= _SHOWN else f"{name}, {_SHOWN} of {len(rows):,}"


def _not_known(every: Sequence[Cost]) -> str:
    unpriced, unknown = sum(one.unpriced for one in every), sum(one.unknown for one in every)
    if not (unpriced or unknown):
        return ""
    calls = sum(one.calls for one in every)
    return (
        f"\nnot known: unpriced {unpriced:,} calls, unknown {unknown:,} calls, of {calls:,};"
        " only what is known of their cost is in these figures"
    )


def _tail(tail: Kind, typical: Kind) -> str:
    rows = [
        ["traces", f"{tail.traces:,}", f"{typical.traces:,}"],
        ["cost, median", _money(tail.cost_pico), _money(typical.cost_pico)],
        ["calls, median", f"{tail.calls:,}", f"{typical.calls:,}"],
        ["depth, median", str(tail.depth), str(typical.depth)],
        ["retries, all", f"{tail.retries:,}", f"{typical.retries:,}"],
        ["cost of retries", _money(tail.retried_pico), _money(typical.retried_pico)],
        ["largest context, median", f"{tail.most_context:,}", f"{typical.most_context:,}"],
        ["context growth, median", f"{tail.growth:,}", f"{typical.growth:,}"],
    ]
    rows += [
        [f"share of {model}", _share(tail, model), _share(typical, model)]
        for model in [*tail.models][:_MODELS_SHOWN]
    ]
    return table(("what makes the tail dear", "above p95", "typical"), rows, (1, 2))


def _share(kind: Kind, model: str) -> str:
    cost, _ = kind.models.get(model, (0, 0))
    return format_share(cost, sum(held for held, _ in kind.models.values()))


def _owner(one: Cost) -> str:
    return f"{one.team}/{one.feature}" if one.feature else f"{one.team} (no feature)"


def _cells(one: Cost) -> Sequence[str]:
    amounts = (one.p50_pico, one.p95_pico, one.p99_pico, one.most_pico, one.cost_pico)
    return [f"{one.requests:,}", *map(_money, amounts)]


def _money(pico: int) -> str:
    """An amount to a millionth, cut: the machine form has all of it."""
    return format_units(pico, _PICO)[: _PLACES - _PICO]
