"""The four models side by side: from exact amounts to the view, the JSON and the text.

Cents cross per model from the lines that the model would post, exactly as on its statements, so
that every column adds up to the ledger cost and says what the statements say. The page is
`tallybook.report.html.compare_html`.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tallybook.allocate.compare import CURRENT, MODELS, Comparison, Outcome
from tallybook.allocate.recommend import Recommendation
from tallybook.allocate.subsidy import Causes
from tallybook.attribute.model import TransferUse
from tallybook.books.model import Org
from tallybook.clock import Period
from tallybook.ledger.model import PostingKey
from tallybook.money import (
    cents_of_lines,
    cents_of_nano,
    format_cents,
    format_percent,
    format_ratio,
    format_share,
    whole_parts,
)
from tallybook.post.run import unversioned_key
from tallybook.report.advice import advice_json, advice_lines, advice_view
from tallybook.report.central import central_nano
from tallybook.report.cents import to_cents
from tallybook.report.figures import count, money, signed_money
from tallybook.report.lines import CHARGE, posted_figures
from tallybook.report.model import BreakdownRow, ComparisonView, ModelColumn, PriceRow

PLACES = 4
_LABELS = {
    "showback": "Showback",
    "proportional": "Proportional",
    "real_cost": "Real cost",
    "use_case_budget": "Budget",
}
_CENTRAL = "central"
_TEXT_WIDTH = 90
_CAUSES = ("model_price", "fine_tuning", "input_output_mix", "cache")


def comparison_view(
    found: Comparison,
    causes: Mapping[str, Causes],
    advised: Recommendation,
    org: Org,
    period: Period,
) -> ComparisonView:
    """The comparison ready to draw: the four models and, last, the policy as it stands.

    Args:
        found: the outcomes.
        causes: the subsidy under `proportional` by team.
        advised: the model that suits the company.
        org: names of teams, currency, and whether the company is made up.
        period: the month.
    """
    names = {team.id: team.name for team in org.teams}
    cost = cents_of_nano(found.ledger_cost_nano)
    currency = org.company.currency
    columns = tuple(
        _column(name, outcome, found.period, org.unowned_team)
        for name, outcome in found.outcomes.items()
    )
    return ComparisonView(
        currency=currency,
        period_label=period.label(),
        ledger_cost_cents=cost,
        columns=columns,
        teams=tuple((team, names.get(team, team)) for team in sorted(found.fair_nano)),
        breakdown=tuple(_row(team, each, found.period) for team, each in causes.items()),
        simulated=org.company.simulated,
        recommendation=_reason(found, cost, currency),
        advice=advice_view(advised, columns),
        prices=price_rows(found.uses),
    )


def price_rows(uses: Iterable[TransferUse]) -> tuple[PriceRow, ...]:
    """What each team owes each other team for a service, summed before it is rounded to cents."""
    calls: dict[tuple[str, str, str], int] = defaultdict(int)
    amounts: dict[tuple[str, str, str], int] = defaultdict(int)
    for use in uses:
        key = (use.team, use.executor, use.service)
        calls[key] += use.calls
        amounts[key] += use.amount_nano
    return tuple(PriceRow(*key, calls[key], cents_of_nano(amounts[key])) for key in sorted(amounts))


def comparison_json(found: Comparison, view: ComparisonView) -> dict[str, Any]:
    """The machine form: amounts with two decimals, unfairness and saving with four.

    Returns:
        ``period``, ``ledger_cost``, ``models`` by name (``teams``, ``shown``, ``central``,
        ``unfairness``, ``saving``), ``current`` in the same form for the policy as it stands,
        ``breakdown`` by team and cause, ``transfer_prices`` (a list of ``payer``, ``owner``,
        ``service``, ``calls``, ``amount``), and ``recommendation``: that of `advice_json`, and
        which model is the fairest this month (``fairest``, ``reason``).
    """
    forms = {column.model: _form(column) for column in view.columns}
    return {
        "period": found.period,
        "ledger_cost": format_cents(view.ledger_cost_cents),
        "models": {model: forms[model] for model in MODELS},
        CURRENT: forms[CURRENT],
        "breakdown": {
            row.team: {
                "model_price": format_cents(row.model_price_cents),
                "input_output_mix": format_cents(row.mix_cents),
                "cache": format_cents(row.cache_cents),
                "fine_tuning": format_cents(row.fine_tuning_cents),
                "total": format_cents(row.total_cents),
            }
            for row in view.breakdown
        },
        "transfer_prices": [
            {
                "payer": row.payer,
                "owner": row.owner,
                "service": row.service,
                "calls": row.calls,
                "amount": format_cents(row.amount_cents),
            }
            for row in view.prices
        ],
        "recommendation": {
            **advice_json(view.advice),
            "fairest": found.fairest,
            "reason": view.recommendation,
        },
    }


def comparison_text(view: ComparisonView) -> str:
    """The comparison as text: who bears what, what saving pays, why tokens alone are unfair."""
    labels = [column.label for column in view.columns]
    bearers = [
        [name, *(money(column.borne_cents.get(team, 0)) for column in view.columns)]
        for team, name in view.teams
    ]
    totals = [
        ["Central", *(money(column.central_cents) for column in view.columns)],
        ["Ledger cost", *(money(view.ledger_cost_cents) for _ in labels)],
    ]
    measures = [
        ["Unfairness", *(column.unfairness for column in view.columns)],
        [
            "Shown, not charged",
            *(f"({money(x.shown_cents)})" if x.shown_cents else "" for x in view.columns),
        ],
    ]
    saving = [
        [name, *(column.saving.get(team, "") for column in view.columns)]
        for team, name in view.teams
    ]
    title = f"What saving one {view.currency} of usage pays"
    simulated = ["*** SIMULATED DATA: no company, no provider, no money ***", ""]
    return "\n".join(
        [
            *(simulated if view.simulated else []),
            f"Four models, {view.period_label}, {view.currency}",
            "",
            *_aligned(["Borne by", *labels], bearers, totals, measures, [[title], *saving]),
            *_breakdown_lines(view),
            *_price_lines(view),
            "",
            *advice_lines(view.advice, view.teams),
            "",
            *textwrap.wrap(view.recommendation, _TEXT_WIDTH),
        ]
    )


def _column(name: str, outcome: Outcome, period: str, unowned: str) -> ModelColumn:
    """A model's column; its cents are those that the model's statements would show."""
    held: dict[PostingKey, int] = defaultdict(int)
    for line in outcome.lines:
        held[unversioned_key(line, period)] += line.amount_nano
    figures = posted_figures(held)
    charged = {key.team for key in held if key.account.startswith(f"{CHARGE}:")}
    cents, central = to_cents(period, figures, central_nano(held, unowned))
    borne, shown = dict.fromkeys(outcome.borne_nano, 0), dict.fromkeys(outcome.shown_nano, 0)
    for key, amount in cents.items():
        (borne if key.team in charged else shown)[key.team] += amount
    return ModelColumn(
        model=name,
        label=_label(outcome),
        borne_cents=borne,
        shown_cents=sum(shown.values()),
        shown_by_team_cents=shown,
        central_cents=sum(central.values()),
        unfairness=_ratio(outcome),
        saving={
            team: format_ratio(saved.numerator, saved.denominator, PLACES)
            for team, saved in outcome.saving.items()
        },
    )


def _label(outcome: Outcome) -> str:
    policy = outcome.policy
    if policy is None:
        return "As applied"
    label = _LABELS[policy.model]
    if policy.model == "real_cost":
        label += f" + {format_percent(policy.markup)}"
    elif policy.model == "use_case_budget":
        label += f", {policy.charge}"
    return label


def _ratio(outcome: Outcome) -> str:
    return format_ratio(outcome.unfairness.numerator, outcome.unfairness.denominator, PLACES)


def _share(outcome: Outcome) -> str:
    return format_share(outcome.unfairness.numerator, outcome.unfairness.denominator)


def _row(team: str, causes: Causes, period: str) -> BreakdownRow:
    parts = whole_parts([getattr(causes, name) for name in _CAUSES])
    price, tuning, mix, cache = cents_of_lines(parts, _CAUSES, salt=f"subsidy:{team}:{period}")
    return BreakdownRow(
        team=team,
        model_price_cents=price,
        mix_cents=mix,
        cache_cents=cache,
        fine_tuning_cents=tuning,
        total_cents=price + tuning + mix + cache,
    )


def _reason(found: Comparison, cost_cents: int, currency: str) -> str:
    best, *others = sorted(MODELS, key=lambda model: found.outcomes[model].unfairness)
    figures = [f"{_label(found.outcomes[name])} {_share(found.outcomes[name])}" for name in others]
    return (
        f"{_label(found.outcomes[best])} is the fairest: {_share(found.outcomes[best])} of"
        f" {currency} {money(cost_cents)} sits with someone who did not cause it."
        f" {', '.join(figures)}; as applied {_share(found.outcomes[CURRENT])}."
    )


def _form(column: ModelColumn) -> dict[str, Any]:
    return {
        "teams": {team: format_cents(cents) for team, cents in column.borne_cents.items()},
        "shown": {team: format_cents(cents) for team, cents in column.shown_by_team_cents.items()},
        "central": format_cents(column.central_cents),
        "unfairness": column.unfairness,
        "saving": dict(column.saving),
    }


def _breakdown_lines(view: ComparisonView) -> list[str]:
    if not view.breakdown:
        return []
    names = dict(view.teams)
    heads = ["Proportional less cost", "Model price", "Input/output", "Cache", "Fine-tuning", "All"]
    rows = [
        [
            names.get(row.team, row.team),
            *(
                signed_money(cents)
                for cents in (
                    row.model_price_cents,
                    row.mix_cents,
                    row.cache_cents,
                    row.fine_tuning_cents,
                    row.total_cents,
                )
            ),
        ]
        for row in view.breakdown
    ]
    return ["", *_aligned(heads, rows)]


def _price_lines(view: ComparisonView) -> list[str]:
    if not view.prices:
        return []
    names = dict(view.teams)
    rows = [
        [
            f"{names.get(row.payer, row.payer)} to {names.get(row.owner, row.owner)}",
            row.service,
            count(row.calls) or "0",
            money(row.amount_cents),
        ]
        for row in view.prices
    ]
    return ["", *_aligned(["Owed at transfer prices", "Service", "Calls", "Amount"], rows)]


def _aligned(heads: Sequence[str], *blocks: Sequence[Sequence[str]]) -> list[str]:
    """Blocks of rows under one heading, ruled apart; a row of one cell is a heading of its own."""
    full = [list(heads), *(list(row) for block in blocks for row in block if len(row) > 1)]
    widths = [max(len(row[i]) for row in full) for i in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        first, *rest = row
        cells = [first.ljust(widths[0]) if rest else first]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=False)]
        return "  ".join(cells).rstrip()

    rule = "-" * len("  ".join("-" * width for width in widths))
    lines = [line(heads)]
    for block in blocks:
        lines += [rule, *(line(row) for row in block)]
    return lines
