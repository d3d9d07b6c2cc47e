"""Showback: shown, not charged. Balanced memo lines only, outside every total and export."""

from __future__ import annotations

from collections.abc import Sequence

from tallybook.allocate.model import AllocatedLine, Month, PoolShare

MODEL = "showback"
GROUP = "memo"


def charge(month: Month, shares: Sequence[PoolShare]) -> list[AllocatedLine]:
    """Dr ``Memo:Shown:<team>``, Cr ``Memo:Contra``: usage at rate card and every driver share."""
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
        )
        for cell in month.charged_cells(MODEL)
    ]
    for share in shares:
        kind = "evaluation" if share.is_evaluation else "pool"
        lines += [
            AllocatedLine(
                GROUP, f"Memo:Shown:{team}", nano, team=team, kind=kind, detail=share.pool
            )
            for team, nano in share.amounts_nano.items()
            if month.model_of(team) == MODEL
        ]
    shown = sum(line.amount_nano for line in lines)
    return [*lines, AllocatedLine(GROUP, "Memo:Contra", -shown)]
