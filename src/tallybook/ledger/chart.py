"""The chart of accounts: which families there are, and what an account's name must look like.

An account is its family and the parts below it, joined by colons: ``Cost:openai``,
``Charge:support:refund-bot:usage``. Families are declared here and nowhere else; the parts below
are the caller's, because the ledger does not know what it books.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from tallybook.errors import LedgerError

PART_SEPARATOR = ":"
NAMES_REMEMBERED = 65_536


class Family(StrEnum):
    """First part of an account's name."""

    COST = "Cost"
    POOL = "Pool"
    VARIANCE = "Variance"
    ABSORPTION = "Absorption"
    SUSPENSE = "Suspense"
    CHARGE = "Charge"
    ACCRUED = "Accrued"
    PAYABLE = "Payable"
    PREPAID = "Prepaid"
    TAX = "Tax"
    SOURCE = "Source"
    MEMO = "Memo"
    ROUNDING = "Rounding"
    CLEARING = "Clearing"
    RESULT = "Result"


CENTRAL = frozenset({Family.COST, Family.POOL, Family.VARIANCE, Family.ABSORPTION, Family.SUSPENSE})
"""Families whose balances no team bears (INV-12); with ``Charge`` they make the ledger cost."""

WHOLE_FAMILIES = frozenset({Family.ROUNDING})
"""Families that are one account, so that their bare name is enough."""


@lru_cache(maxsize=NAMES_REMEMBERED)
def check_account(account: str) -> Family:
    """The family of an account, if the chart declares it.

    Raises:
        LedgerError: an undeclared family, a family without a part below it, an empty or padded
            part, or a control character.
    """
    name, *parts = account.split(PART_SEPARATOR)
    try:
        family = Family(name)
    except ValueError as fault:
        raise LedgerError(
            f"account {account!r} belongs to no declared family",
            next_step=f"begin it with one of {', '.join(Family)}",
        ) from fault
    if not parts and family not in WHOLE_FAMILIES:
        raise LedgerError(
            f"account {account!r} names a whole family",
            next_step=f"name one account in it, such as {account}:<part>",
        )
    for part in parts:
        if not part or part != part.strip() or not part.isprintable():
            raise LedgerError(
                f"account {account!r} has the part {part!r}, which is empty, padded or unprintable",
                next_step="leave no part empty and put no blanks around colons",
            )
    return family


def is_memo(account: str) -> bool:
    """Whether an account is shown and not booked: outside every total and export."""
    return account.partition(PART_SEPARATOR)[0] == Family.MEMO
