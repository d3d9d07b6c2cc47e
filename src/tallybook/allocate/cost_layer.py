"""The cost layer: what was incurred, the same under every model (INV-12 a)."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

from tallybook.allocate.flows import pool_flows
from tallybook.allocate.model import AllocatedLine, CostCell, Month

FLOWS = "pools"
"""The group of what pools pass on to pools."""

UNOWNED = "unowned"
"""The ``detail`` of a line that only the fallback gave an owner."""


def cost_layer(month: Month) -> list[AllocatedLine]:
    """Meter, pool and evaluation lines (worked example, C1 to C4), and what pools pass on."""
    return [
        *_meter(month),
        *_pools(month),
        *_capacity(month),
        *_evaluation(month),
        *_flows(month),
    ]


def cost_line(cell: CostCell, group: str, amount_nano: int) -> AllocatedLine:
    """A line on ``Cost:<provider>`` with the dimensions of the cell."""
    return AllocatedLine(
        group=group,
        account=f"Cost:{account_part(cell.provider)}",
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
        AllocatedLine(
            f"meter:{provider}", f"Accrued:{account_part(provider)}", -nano, provider=provider
        )
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


def _capacity(month: Month) -> list[AllocatedLine]:
    """Dr ``Pool``, Cr ``Accrued`` of the provider that will bill it, else ``Source``."""
    lines = []
    for one in month.capacity:
        group = f"capacity:{one.id}"
        bills = f"Accrued:{account_part(one.provider)}" if one.provider else f"Source:{one.id}"
        lines += [
            AllocatedLine(
                group, f"Pool:{one.pool}", one.amount_nano, provider=one.provider, detail=one.id
            ),
            AllocatedLine(group, bills, -one.amount_nano, provider=one.provider, detail=one.id),
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


def _flows(month: Month) -> list[AllocatedLine]:
    """Dr ``Pool`` of the taker, Cr ``Pool`` of the giver; ``detail`` names the other one.

    Two pools that serve each other keep both flows: ``kind`` tells what came from what went.
    """
    lines = []
    for flow in pool_flows(month):
        lines += [
            AllocatedLine(
                FLOWS, f"Pool:{flow.taker}", flow.amount_nano, kind="received", detail=flow.giver
            ),
            AllocatedLine(
                FLOWS, f"Pool:{flow.giver}", -flow.amount_nano, kind="given", detail=flow.taker
            ),
        ]
    return lines


@lru_cache(maxsize=4096)
def account_part(name: str) -> str:
    """A name from outside as one part of an account's name: ``azure:eu`` is ``azure%3Aeu``.

    What a part cannot hold is written as percent codes of its UTF-8 bytes: colons, percent signs,
    what does not print, and blanks at the ends. Different names stay different.
    """
    inner = name.strip()
    start = name.index(inner) if inner else len(name)
    end = start + len(inner)
    return "".join(
        sign
        if start <= at < end and sign.isprintable() and sign not in "%:"
        else "".join(f"%{byte:02X}" for byte in sign.encode())
        for at, sign in enumerate(name)
    )
