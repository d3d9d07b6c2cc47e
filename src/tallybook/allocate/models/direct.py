"""What the charging models share: a cell charged to its payer, and pools charged by driver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tallybook.allocate.cost_layer import cost_line
from tallybook.allocate.model import AllocatedLine, CostCell, Month, PoolShare
from tallybook.allocate.transfers import standing


def charge_line(cell: CostCell, group: str) -> AllocatedLine:
    """A line on ``Charge:<team>:<kind>`` at the rate card, with the dimensions of the cell."""
    return AllocatedLine(
        group,
        f"Charge:{cell.team}:{cell.kind}",
        cell.card_nano,
        team=cell.team,
        feature=cell.feature,
        purpose=cell.purpose,
        kind=cell.kind,
        provider=cell.provider,
        service=cell.service,
        detail=standing(cell.team, cell.origin, cell.transfer),
    )


def at_rate_card(cells: Iterable[CostCell], group: str) -> list[AllocatedLine]:
    """Dr ``Charge`` usage or transfer, Cr ``Cost``: each cell at the frozen card."""
    lines = []
    for cell in cells:
        lines.append(charge_line(cell, group))
        lines.append(cost_line(cell, group, -cell.card_nano))
    return lines


def by_driver(month: Month, shares: Sequence[PoolShare], model: str) -> list[AllocatedLine]:
    """Dr ``Charge`` pool or evaluation, Cr ``Pool``: the driver share of each team on ``model``."""
    lines = []
    for share in shares:
        kind = "evaluation" if share.is_evaluation else "pool"
        group = f"charge:{model}:{share.pool}"
        for team, nano in share.amounts_nano.items():
            if month.model_of(team) == model:
                lines.append(
                    AllocatedLine(
                        group,
                        f"Charge:{team}:{kind}",
                        nano,
                        team=team,
                        kind=kind,
                        detail=share.label,
                    )
                )
                lines.append(AllocatedLine(group, f"Pool:{share.pool}", -nano, team=team))
    return lines
