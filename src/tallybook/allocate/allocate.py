"""The act: cells, pools, budgets and policy become lines in two layers."""

from __future__ import annotations

from tallybook.allocate.cost_layer import cost_layer
from tallybook.allocate.flows import pool_flows
from tallybook.allocate.model import AllocatedLine, Allocation, Month
from tallybook.allocate.models import proportional, real_cost, showback, use_case_budget
from tallybook.allocate.pools import pool_shares
from tallybook.allocate.transfers import price_lines


def allocate(month: Month) -> Allocation:
    """Allocate a month: every rated line and pool amount exactly once (INV-10, INV-12).

    Args:
        month: cells at rate card, transfer prices owed, policy, pools, budgets.

    Returns:
        lines whose groups each sum to zero; zero amounts are left out.

    Raises:
        AllocationError: the policy cannot be carried out.
    """
    shares = pool_shares(month)
    charge = [
        *real_cost.charge(month, shares),
        *proportional.charge(month, shares),
        *use_case_budget.charge(month, shares),
        *price_lines(month),
    ]
    return Allocation(
        cost=_without_zeros(cost_layer(month)),
        charge=_without_zeros(charge),
        memo=_without_zeros(showback.charge(month, shares)),
        shares=shares,
        flows=pool_flows(month),
    )


def _without_zeros(lines: list[AllocatedLine]) -> tuple[AllocatedLine, ...]:
    return tuple(line for line in lines if line.amount_nano)
