"""Budget per use case. ``actual``: usage at rate card. ``committed``: budget or usage if larger.

A committed feature is charged its budget in force at month end; usage beyond it is the overrun, on
its own line; the unused part goes to ``Absorption:budget``, which is central. A transfer moves
burn, not a separate amount. A feature without a budget on file is charged as ``actual``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tallybook.allocate.cost_layer import cost_line
from tallybook.allocate.model import AllocatedLine, CostCell, Month, PoolShare
from tallybook.allocate.models.direct import at_rate_card, by_driver
from tallybook.money import apportion

MODEL = "use_case_budget"
GROUP = f"charge:{MODEL}"
UNUSED, OVERRUN = "unused commitment", "overrun"


def charge(month: Month, shares: Sequence[PoolShare]) -> list[AllocatedLine]:
    """Usage, or the commitment, by feature; pools by driver."""
    actual: list[CostCell] = []
    committed: dict[tuple[str, str], list[CostCell]] = defaultdict(list)
    for cell in month.charged_cells(MODEL):
        if _is_committed(month, cell.team, cell.feature):
            committed[cell.team, cell.feature].append(cell)
        else:
            actual.append(cell)
    lines = at_rate_card(actual, GROUP)
    for (team, feature), cells in sorted(committed.items()):
        lines += _committed(month, team, feature, cells)
    lines += _untouched(month, set(committed))
    return [*lines, *by_driver(month, shares, MODEL)]


def _committed(
    month: Month, team: str, feature: str, cells: Sequence[CostCell]
) -> list[AllocatedLine]:
    budget = month.budgets[feature]
    used = sum(cell.card_nano for cell in cells)
    lines = [cost_line(cell, GROUP, -cell.card_nano) for cell in cells]
    lines += [
        _usage(team, feature, purpose, nano)
        for purpose, nano in _within_budget(month, feature, cells, min(used, budget)).items()
    ]
    if used > budget:
        lines.append(_usage(team, feature, "", used - budget, OVERRUN))
    else:
        lines += _unused(team, feature, budget - used)
    return lines


def _within_budget(
    month: Month, feature: str, cells: Sequence[CostCell], within_nano: int
) -> dict[str, int]:
    """The usage that the budget covers, by purpose, in proportion to each purpose's usage."""
    used: dict[str, int] = defaultdict(int)
    for cell in cells:
        used[cell.purpose] += cell.card_nano
    purposes = sorted(used)
    weights = [max(used[purpose], 0) for purpose in purposes]
    if not any(weights):
        return {}
    salt = f"{MODEL}:{month.period}:{feature}"
    return dict(zip(purposes, apportion(within_nano, weights, purposes, salt=salt), strict=True))


def _untouched(month: Month, seen: set[tuple[str, str]]) -> list[AllocatedLine]:
    """A committed budget that nobody touched is charged too: that is what a commitment is."""
    lines = []
    for feature, budget in sorted(month.budgets.items()):
        team = month.owner_of.get(feature, "")
        known = team not in ("", month.unowned) and (team, feature) not in seen
        if known and _is_committed(month, team, feature):
            lines += _unused(team, feature, budget)
    return lines


def _is_committed(month: Month, team: str, feature: str) -> bool:
    """A commitment binds the team that owns the feature at month end, once."""
    policy = month.policy.policy_for(team)
    return (
        policy.model == MODEL
        and policy.charge == "committed"
        and feature in month.budgets
        and month.owner_of.get(feature) == team
    )


def _unused(team: str, feature: str, nano: int) -> list[AllocatedLine]:
    return [
        _usage(team, feature, "", nano, UNUSED),
        AllocatedLine(GROUP, "Absorption:budget", -nano, team=team, feature=feature),
    ]


def _usage(team: str, feature: str, purpose: str, nano: int, detail: str = "") -> AllocatedLine:
    return AllocatedLine(
        GROUP,
        f"Charge:{team}:usage",
        nano,
        team=team,
        feature=feature,
        purpose=purpose,
        kind="usage",
        detail=detail,
    )
