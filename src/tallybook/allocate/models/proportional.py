"""Proportional by volume: one amount, split by tokens, every token alike.

The amount is the rate-card value of the usage of the teams on this model; the split is made once,
at the lowest grain (feature, purpose), and summed upward.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tallybook.allocate.cost_layer import cost_line
from tallybook.allocate.model import AllocatedLine, Month, PoolShare, Weight
from tallybook.allocate.models.direct import by_driver
from tallybook.money import apportion

MODEL = "proportional"
GROUP = f"charge:{MODEL}"


def charge(month: Month, shares: Sequence[PoolShare]) -> list[AllocatedLine]:
    """Usage by tokens, pools by driver. A transfer moves tokens, not a separate amount."""
    return [*_usage(month), *by_driver(month, shares, MODEL)]


def _usage(month: Month) -> list[AllocatedLine]:
    cells = month.charged_cells(MODEL)
    tokens: dict[tuple[str, str, str], Weight] = defaultdict(int)
    for cell in cells:
        tokens[cell.team, cell.feature, cell.purpose] += cell.tokens
    if not any(tokens.values()):
        return []  # nothing to split by: the cost stays central, listed as such
    grains = sorted(tokens)
    parts = apportion(
        sum(cell.card_nano for cell in cells),
        [tokens[grain] for grain in grains],
        ["\x1f".join(grain) for grain in grains],
        salt=f"{MODEL}:{month.period}",
    )
    debits = [
        AllocatedLine(
            GROUP,
            f"Charge:{team}:usage",
            nano,
            team=team,
            feature=feature,
            purpose=purpose,
            kind="usage",
        )
        for (team, feature, purpose), nano in zip(grains, parts, strict=True)
    ]
    return debits + [cost_line(cell, GROUP, -cell.card_nano) for cell in cells]
