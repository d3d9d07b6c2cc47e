"""What a saving pays: the incentive that a model gives to each team.

A team's usage shrinks by one currency unit of value at rate card, all of its calls and tokens in
the same proportion; nothing else in the month changes, so no transfer price does. The saving is its
charge before, less its charge after, per unit saved.

A charge depends on other teams' usage only through driver weights and the tokens of `proportional`,
and on a team's own features only through committed budgets. So cells are merged to what matters
before anything is computed, so that a company of hundreds of teams takes seconds. Merging moves
the apportionment of a last nano, never more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tallybook.allocate.model import AllocatedLine, CostCell, Month, PoolShare, Weight
from tallybook.allocate.models import proportional, real_cost, showback, use_case_budget
from tallybook.allocate.pools import pool_shares
from tallybook.books.model import PolicyVersion
from tallybook.money import NANO_PER_UNIT, PICO_PER_NANO, cumulative_share

_CHARGE: Mapping[str, Callable[[Month, Sequence[PoolShare]], list[AllocatedLine]]] = {
    module.MODEL: module.charge for module in (real_cost, proportional, use_case_budget, showback)
}


def savings(month: Month, policies: Mapping[str, PolicyVersion]) -> dict[str, dict[str, Fraction]]:
    """What one unit less of usage at rate card saves each team, under each policy.

    Args:
        month: the month.
        policies: by name; they may differ in the models of the teams and in nothing else.

    Returns:
        by policy and team: units of charge saved per unit of usage saved. A team whose usage is
        worth less than one unit saves half of it; a team without usage is left out.

    Raises:
        AllocationError: the policy cannot be carried out.
    """
    own = _by_team(month, _merged(month, by_feature=True))
    crowd = _by_team(month, _merged(month, by_feature=False))
    budgets: dict[str, dict[str, int]] = defaultdict(dict)
    for feature, nano in month.budgets.items():
        budgets[month.owner_of.get(feature, "")][feature] = nano
    found: dict[str, dict[str, Fraction]] = {name: {} for name in policies}
    month = replace(month, uses=())  # a price is owed for an invocation, not for what it cost
    for team in month.payers:
        less = _less(own.get(team, []))
        if not less:
            continue
        others = [cell for other, cells in crowd.items() if other != team for cell in cells]
        alone = replace(month, budgets=budgets.get(team, {}))
        before = _charges(alone, team, own[team], others, policies)
        after = _charges(alone, team, less, others, policies)
        saved_nano = _value(own[team]) - _value(less)
        for name in policies:
            found[name][team] = Fraction(before[name] - after[name], saved_nano)
    return found


def _less(cells: Sequence[CostCell]) -> list[CostCell]:
    """The usage worth one unit less, exactly; nothing if it is worth nothing."""
    value_nano = _value(cells)
    if value_nano <= 0:
        return []
    rate = (
        Fraction(value_nano - NANO_PER_UNIT, value_nano)
        if value_nano >= NANO_PER_UNIT
        else Fraction(1, 2)
    )
    cards = cumulative_share([cell.card_nano for cell in cells], rate)
    return [
        replace(
            cell,
            calls=cell.calls * rate,
            tokens=cell.tokens * rate,
            card_pico=nano * PICO_PER_NANO,
            card_nano=nano,
        )
        for cell, nano in zip(cells, cards, strict=True)
    ]


def _charges(
    month: Month,
    team: str,
    cells: Sequence[CostCell],
    others: Sequence[CostCell],
    policies: Mapping[str, PolicyVersion],
) -> dict[str, int]:
    everyone = replace(month, cells=(*others, *cells))
    shares = [
        replace(share, amounts_nano={team: share.amounts_nano.get(team, 0)})
        for share in pool_shares(everyone)
    ]
    charged = {}
    for name, policy in policies.items():
        model = policy.policy_for(team).model
        # Under every other model a team's charge follows from its own cells and its pool shares.
        seen = everyone.cells if model == proportional.MODEL else tuple(cells)
        lines = _CHARGE[model](replace(month, policy=policy, cells=seen), shares)
        charged[name] = sum(
            line.amount_nano
            for line in lines
            if line.team == team and line.account.startswith("Charge:")
        )
    return charged


def _merged(month: Month, *, by_feature: bool) -> Iterable[CostCell]:
    """Cells by team and purpose, and by feature where a budget may bind it; none of the central."""
    sums: dict[tuple[str, str, str], tuple[Weight, Weight, int]] = {}
    for cell in month.cells:
        if cell.team == month.unowned:
            continue
        bound = by_feature and month.owner_of.get(cell.feature) == cell.team
        feature = cell.feature if bound and cell.feature in month.budgets else ""
        key = (cell.team, feature, cell.purpose)
        calls, tokens, nano = sums.get(key, (0, 0, 0))
        sums[key] = (calls + cell.calls, tokens + cell.tokens, nano + cell.card_nano)
    for (team, feature, purpose), (calls, tokens, nano) in sorted(sums.items()):
        yield CostCell(
            provider="",
            team=team,
            feature=feature,
            purpose=purpose,
            kind="usage",
            service="",
            executor=team,
            fallback=False,
            calls=calls,
            tokens=tokens,
            card_pico=nano * PICO_PER_NANO,
            card_nano=nano,
            variance_nano=0,
        )


def _by_team(month: Month, cells: Iterable[CostCell]) -> dict[str, list[CostCell]]:
    found: dict[str, list[CostCell]] = {team: [] for team in month.payers}
    for cell in cells:
        found.setdefault(cell.team, []).append(cell)
    return found


def _value(cells: Iterable[CostCell]) -> int:
    return sum(cell.card_nano for cell in cells)
