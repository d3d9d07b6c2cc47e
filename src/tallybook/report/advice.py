"""The recommended chargeback model: from exact figures to the view, the JSON and the text.

What each team would bear more or less is the difference of two columns of the comparison, so it
says what the two statements would say, and adds up to zero with central.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from tallybook.allocate.compare import CURRENT
from tallybook.allocate.recommend import Reason, Recommendation
from tallybook.money import format_cents
from tallybook.report.figures import signed_money
from tallybook.report.model import Advice, ModelColumn, ReasonRow

CENTRAL = "central"
_CENTRAL_BESIDE_A_NAMESAKE = "(central)"
_TITLES = {
    "size": "Size",
    "budgeting": "How the company budgets",
    "difference": "How different the use cases are",
}
_KNOWN = "All reasons that are known point to it."
_TEXT_WIDTH = 90
_INDENT = "    "


def advice_view(found: Recommendation, columns: Sequence[ModelColumn]) -> Advice:
    """The recommendation ready to draw.

    Args:
        found: the model and its reasons.
        columns: of the comparison, the policy as it stands among them.
    """
    by_model = {column.model: column for column in columns}
    labels = {model: column.label for model, column in by_model.items()}
    now, then = by_model[CURRENT], by_model[found.model]
    return Advice(
        model=found.model,
        label=labels[found.model],
        lead=_lead(found, labels),
        agree=found.agree,
        reasons=tuple(_row(reason, labels) for reason in found.reasons),
        moves_cents={
            team: then.borne_cents.get(team, 0) - now.borne_cents.get(team, 0)
            for team in found.moves_nano
        },
        central_move_cents=then.central_cents - now.central_cents,
    )


def advice_json(advice: Advice) -> dict[str, Any]:
    """The machine form; amounts with two decimals.

    Returns:
        ``model``, ``agree``, ``reasons`` (``name``, ``figure``, ``points_to``, ``says``), and
        ``moves`` by team and ``central``, summing to zero. Where a team has the id ``central``, the
        other is ``(central)``, which no id can be.
    """
    central = _CENTRAL_BESIDE_A_NAMESAKE if CENTRAL in advice.moves_cents else CENTRAL
    return {
        "model": advice.model,
        "agree": advice.agree,
        "reasons": [
            {
                "name": row.name,
                "figure": row.figure,
                "points_to": list(row.points_to),
                "says": row.says,
            }
            for row in advice.reasons
        ],
        "moves": {
            **{team: format_cents(cents) for team, cents in advice.moves_cents.items()},
            central: format_cents(advice.central_move_cents),
        },
    }


def advice_lines(advice: Advice, teams: Sequence[tuple[str, str]]) -> list[str]:
    """The recommendation as lines of text.

    Args:
        advice: the recommendation.
        teams: (id, name) in the order of the page.
    """
    lines = textwrap.wrap(advice.lead, _TEXT_WIDTH)
    for row in advice.reasons:
        lines += ["", f"{row.title}: {row.towards}"]
        for text in (row.figure, row.says):
            lines += textwrap.wrap(
                text, _TEXT_WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT
            )
    moves = [(name, advice.moves_cents.get(team, 0)) for team, name in teams]
    moves.append(("Central", advice.central_move_cents))
    width = max(len(name) for name, _ in moves)
    spelled = [(name, signed_money(cents)) for name, cents in moves]
    figures = max(len(text) for _, text in spelled)
    return [
        *lines,
        "",
        f"{advice.label} instead of the policy as applied: what each would bear more or less",
        *(f"{_INDENT}{name.ljust(width)}  {text.rjust(figures)}" for name, text in spelled),
    ]


def _lead(found: Recommendation, labels: dict[str, str]) -> str:
    stated = [reason for reason in found.reasons if reason.points_to]
    support = sum(found.model in reason.points_to for reason in stated)
    if found.agree:
        everything = support == len(found.reasons)
        why = f"All {support} reasons point to it." if everything else _KNOWN
    else:
        apart = "; ".join(
            f"{_TITLES[each.name].lower()} points to {_either([labels[x] for x in each.points_to])}"
            for each in stated
        )
        verb = "points" if support == 1 else "point"
        why = f"The reasons disagree, {support} of {len(stated)} {verb} to it: {apart}."
    if found.tied:
        others = _either([labels[model] for model in found.tied])
        why += f" As many point to {others}; it is preferred, as none is fairer this month."
    return " ".join(filter(None, (f"{labels[found.model]} is recommended.", why, found.caution)))


def _row(reason: Reason, labels: dict[str, str]) -> ReasonRow:
    named = [labels[model] for model in reason.points_to]
    return ReasonRow(
        name=reason.name,
        title=_TITLES[reason.name],
        figure=reason.figure,
        points_to=reason.points_to,
        towards=_either(named) if named else "no model",
        says=reason.says,
    )


def _either(names: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``; labels that hold commas keep apart by semicolons."""
    *first, last = names
    comma = "; " if any("," in name for name in names) else ", "
    return f"{comma.join(first)} or {last}" if first else last
