"""What the books of the year must hold, and what they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from tallybook.ledger.balance import booked
from tallybook.post.beside import is_of_close
from tallybook.reconcile.model import ProviderResult
from tallybook.sim.invoices.forms import exchange_pico
from tallybook.sim.invoices.model import Cause, MonthBill
from tallybook.sim.oracle import NANO, Expectation
from tallybook.sim.world.prove import require
from tallybook.store import Store

NAMED_BY_CAUSE: Final = ("price", "volume", "timing")
"""Kinds whose cause must be found too; of the others the kind says all."""
SLACK_NANO: Final = 1_000
"""A millionth: what is accrued is rounded once for each day, month, team and cause."""


def prove_books(
    store: Store, period: str, want: Expectation, beside: Mapping[str, Fraction]
) -> None:
    """Every account holds about a month what the oracle says, whenever it was posted.

    Args:
        store: the books.
        period: the month.
        want: what usage, pools and capacity book.
        beside: what stands beside them, by account.

    Raises:
        BrokenError: naming the accounts that hold something else.
    """
    found: defaultdict[str, int] = defaultdict(int)
    with store.read() as tx:
        for key, nano in booked(tx, period).items():
            if not is_of_close(key):
                found[key.account] += nano
    faults = []
    for account in sorted({*want.balances, *beside, *found}):
        exact = want.balances.get(account, Fraction(0)) + beside.get(account, Fraction(0))
        slack = want.parts.get(account, 0) + (SLACK_NANO if account in beside else 0)
        if abs(exact * NANO - found[account]) > slack:
            faults.append(f"{account}: expected {int(exact * NANO)}, found {found[account]}")
    require("oracle", ok=not faults, detail=f"{period}, in nano: {'; '.join(faults)}")


def truth_of(bill: MonthBill) -> dict[Cause, int]:
    """What was put in, under the names that the books must find."""
    found: dict[Cause, int] = defaultdict(int)
    for (kind, cause), pico in bill.truth.items():
        found[kind, cause if kind in NAMED_BY_CAUSE else ""] += pico
    found["fx", ""] += exchange_pico(bill)
    return {name: pico for name, pico in found.items() if pico}


def named_in(each: ProviderResult) -> dict[Cause, int]:
    """What the books found."""
    found: dict[Cause, int] = defaultdict(int)
    for one in each.variances:
        kind = str(one.kind)
        found[kind, one.cause if kind in NAMED_BY_CAUSE else ""] += one.amount_pico
    return {name: pico for name, pico in found.items() if pico}
