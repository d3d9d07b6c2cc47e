"""The cost layer: what was incurred, the same under every model (INV-12 a)."""

from __future__ import annotations

from collections import defaultdict

from tallybook.allocate.model import AllocatedLine, CostCell, Month

UNOWNED = "unowned"
"""The ``detail`` of a line that only the fallback gave an owner."""


def cost_layer(month: Month) -> list[AllocatedLine]:
    """Meter, pool and evaluation lines (worked example, C1 to C4)."""
    return [*_meter(month), *_pools(month), *_evaluation(month)]


def cost_line(cell: CostCell, group: str, amount_nano: int) -> AllocatedLine:
    """A line on ``Cost:<provider>`` with the dimensions of the cell."""
    return AllocatedLine(
        group=group,
        account=f"Cost:{cell.provider}",
        amount_nano=amount_nano,
        team=cell.team,
        feature=cell.feature,
        purpose=cell.purpose,
        kind=cell.kind,
        provider=cell.provider,
        service=cell.service,
        detail=UNOWNED if cell.fallback else "",
    )


def _meter(month: Month) -> list[AllocatedLine]:
    lines: list[AllocatedLine] = []
    accrued: dict[str, int] = defaultdict(int)
    for cell in month.cells:
        group = f"meter:{cell.provider}"
        debit = cost_line(cell, group, cell.card_nano)
        lines.append(debit)
        lines.append(
            AllocatedLine(
                group=group,
                account="Variance:rate_card",
                amount_nano=cell.variance_nano,
                team=cell.team,
                feature=cell.feature,
                purpose=cell.purpose,
                kind=cell.kind,
                provider=cell.provider,
                service=cell.service,
                detail=debit.detail,
            )
        )
        accrued[cell.provider] += cell.card_nano + cell.variance_nano
    # Accrued clears the entry: it takes exactly minus the debits, so nothing can drift.
    lines += [
        AllocatedLine(f"meter:{provider}", f"Accrued:{provider}", -nano, provider=provider)
        for provider, nano in accrued.items()
    ]
    return lines


def _pools(month: Month) -> list[AllocatedLine]:
    lines = []
    for pool in month.pools:
        group = f"pool:{pool.pool}"
        lines += [
            AllocatedLine(group, f"Pool:{pool.pool}", pool.policy_nano),
            AllocatedLine(
                group, "Variance:pool", pool.actual_nano - pool.policy_nano, detail=pool.pool
            ),
            AllocatedLine(group, f"Source:{pool.pool}", -pool.actual_nano),
        ]
    return lines


def _evaluation(month: Month) -> list[AllocatedLine]:
    lines = []
    pool = month.policy.evaluation.pool
    for cell in month.cells:
        if month.is_pooled(cell):
            lines.append(cost_line(cell, "evaluation", -cell.card_nano))
            lines.append(
                AllocatedLine(
                    "evaluation",
                    f"Pool:{pool}",
                    cell.card_nano,
                    kind="evaluation",
                    provider=cell.provider,
                )
            )
    return lines
