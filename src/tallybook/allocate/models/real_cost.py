"""Real cost plus markup: each call at the month's frozen rate card.

The markup is on usage and attributed transfers, never on pools, pooled evaluation or transfer
prices. It stands for the driver share of the pools that are recovered by markup; what it recovers
more or less stays on ``Absorption:markup``, which is central.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tallybook.allocate.model import AllocatedLine, CostCell, Month, PoolShare
from tallybook.allocate.models.direct import at_rate_card, by_driver
from tallybook.money import cumulative_share

MODEL = "real_cost"
GROUP = f"charge:{MODEL}"


def charge(month: Month, shares: Sequence[PoolShare]) -> list[AllocatedLine]:
    """Usage and transfer at rate card, markup, absorption, and pools charged by driver."""
    recovered = {pool.id for pool in month.policy.pools if pool.recovered_by == "markup"}
    by_markup = [share for share in shares if share.pool in recovered and not share.is_evaluation]
    rest = [share for share in shares if share not in by_markup]
    cells = month.charged_cells(MODEL)
    return [
        *at_rate_card(cells, GROUP),
        *_markup(month, cells),
        *_absorbed(month, by_markup),
        *by_driver(month, rest, MODEL),
    ]


def _markup(month: Month, cells: Sequence[CostCell]) -> list[AllocatedLine]:
    base: dict[tuple[str, str], int] = defaultdict(int)
    for cell in cells:
        base[cell.team, cell.feature] += cell.card_nano
    lines = []
    for team in sorted({team for team, _ in base}):
        features = sorted(feature for owner, feature in base if owner == team)
        rate = month.policy.policy_for(team).markup
        parts = cumulative_share([base[team, feature] for feature in features], rate)
        lines += [
            AllocatedLine(
                "markup", f"Charge:{team}:markup", nano, team=team, feature=feature, kind="markup"
            )
            for feature, nano in zip(features, parts, strict=True)
        ]
        lines.append(AllocatedLine("markup", "Absorption:markup", -sum(parts), team=team))
    return lines


def _absorbed(month: Month, shares: Sequence[PoolShare]) -> list[AllocatedLine]:
    lines = []
    for share in shares:
        group = f"absorb:{share.pool}"
        for team, nano in share.amounts_nano.items():
            if month.model_of(team) == MODEL:
                lines += [
                    AllocatedLine(group, "Absorption:markup", nano, team=team, detail=share.pool),
                    AllocatedLine(group, f"Pool:{share.pool}", -nano, team=team),
                ]
    return lines
