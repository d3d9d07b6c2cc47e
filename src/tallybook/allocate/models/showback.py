"""Showback: shown, not charged. Balanced memo lines only, outside every total and export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tallybook.allocate.model import AllocatedLine, Month, PoolShare
from tallybook.allocate.transfers import shown_legs, standing

MODEL = "showback"
GROUP = "memo"


def charge(month: Month, shares: Sequence[PoolShare]) -> list[AllocatedLine]:
    """Dr ``Memo:Shown:<team>``, Cr ``Memo:Contra``: usage at rate card, every driver share, prices.

    A transfer price is shown as it would be charged: owed plus, earned minus.
    """
    lines = [
        AllocatedLine(
            GROUP,
            f"Memo:Shown:{cell.team}",
            cell.card_nano,
            team=cell.team,
            feature=cell.feature,
            purpose=cell.purpose,
            kind=cell.kind,
            provider=cell.provider,
            service=cell.service,
            detail=standing(cell.team, cell.origin, cell.transfer),
        )
        for cell in month.charged_cells(MODEL)
    ]
    for share in shares:
        kind = "evaluation" if share.is_evaluation else "pool"
        lines += [
            AllocatedLine(
                GROUP, f"Memo:Shown:{team}", nano, team=team, kind=kind, detail=share.label
            )
            for team, nano in share.amounts_nano.items()
            if month.model_of(team) == MODEL
        ]
    lines += [
        replace(leg, group=GROUP, account=f"Memo:Shown:{leg.team}")
        for leg in shown_legs(month, MODEL)
    ]
    shown = sum(line.amount_nano for line in lines)
    return [*lines, AllocatedLine(GROUP, "Memo:Contra", -shown)]
