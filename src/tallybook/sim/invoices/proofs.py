"""What the books of the year must hold, and what they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from tallybook.clock import Period
from tallybook.ledger.balance import booked, trial_balance
from tallybook.post.beside import is_of_close
from tallybook.reconcile.model import ProviderResult
from tallybook.sim.invoices.forms import exchange_pico
from tallybook.sim.invoices.model import Cause, MonthBill
from tallybook.sim.oracle import NANO, Expectation
from tallybook.sim.world.prove import require
from tallybook.store import Store

NAMED_BY_CAUSE: Final = ("price", "volume", "timing")
"""Kinds whose cause must be found too; of the others the kind says all."""
NOMINAL: Final = ("Absorption", "Charge", "Cost", "Memo", "Pool", "Rounding", "Variance")
SLACK_OF_YEAR: Final = 100
"""How many such accounts a year has."""
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


def nominal(balances: Mapping[str, Fraction]) -> Fraction:
    """What stands on accounts of the year, which its end closes to the result."""
    held = (x for account, x in balances.items() if account.partition(":")[0] in NOMINAL)
    return sum(held, Fraction(0))


def prove_rolled(store: Store, last: Period, year: int, want: Fraction) -> None:
    """The last month closed the year: its accounts hold nothing, its result holds all of it.

    Args:
        store: the books.
        last: the month up to which they are looked at.
        year: the fiscal year.
        want: what stood on the accounts of the year.

    Raises:
        BrokenError: an account of the year holds something, or the result something else.
    """
    with store.read() as tx:
        rows = trial_balance(tx, str(last))
    left = [
        row.account for row in rows if row.account.partition(":")[0] in NOMINAL and row.closing_nano
    ]
    require("year's end", ok=not left, detail=f"{last}: left on {', '.join(left)}")
    prove_result(store, year, want)


def prove_result(store: Store, year: int, want: Fraction) -> None:
    """The result of a year is what it was closed at, and no other year has one.

    Raises:
        BrokenError: it is not.
    """
    with store.read() as tx:
        results = {
            row.account: row.closing_nano
            for row in trial_balance(tx)
            if row.account.startswith("Result:")
        }
    found = results.pop(f"Result:FY{year}", 0)
    told = f"FY{year}: expected {int(want * NANO)} nano, found {found}, and {results}"
    ok = not results and abs(want * NANO - found) <= SLACK_NANO * SLACK_OF_YEAR
    require("year's end", ok=ok, detail=told)


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
