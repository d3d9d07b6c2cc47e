"""What of the journal leaves in plain text accounting, whichever program reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tallybook.errors import LedgerError
from tallybook.ledger.chart import PART_SEPARATOR, Family, check_account, is_memo
from tallybook.ledger.journal import JournalEntry
from tallybook.ledger.model import Posting
from tallybook.money import NANO_SCALE, format_units

ROOTS = {
    Family.COST: "Expenses",
    Family.POOL: "Expenses",
    Family.CHARGE: "Expenses",
    Family.VARIANCE: "Expenses",
    Family.ABSORPTION: "Expenses",
    Family.ROUNDING: "Expenses",
    Family.ACCRUED: "Liabilities",
    Family.PAYABLE: "Liabilities",
    Family.SOURCE: "Liabilities",
    Family.PREPAID: "Assets",
    Family.TAX: "Assets",
    Family.SUSPENSE: "Equity",
    Family.CLEARING: "Equity",
    Family.RESULT: "Equity",
}
DIMENSIONS = (
    "team",
    "feature",
    "purpose",
    "kind",
    "provider",
    "service",
    "detail",
    "source",
    "service_period",
    "price_version",
)
REPLACED = "\N{REPLACEMENT CHARACTER}"
"""stands for a sign that the other program cannot take"""


def exported(entries: Iterable[JournalEntry]) -> list[tuple[JournalEntry, Sequence[Posting]]]:
    """Each entry with its postings outside memo; entries of memo alone are left out.

    Raises:
        LedgerError: the postings of an entry outside memo do not sum to zero.
    """
    kept: list[tuple[JournalEntry, Sequence[Posting]]] = []
    for entry in entries:
        postings = [posting for posting in entry.postings if not is_memo(posting.account)]
        rest = sum(posting.amount_nano for posting in postings)
        if rest:
            raise LedgerError(
                f"outside memo the postings of {entry.id} sum to {format_units(rest, NANO_SCALE)}",
                where=entry.id,
                next_step="run `tallybook check INV-01`",
            )
        if postings:
            kept.append((entry, postings))
    return kept


def family_and_parts(account: str) -> tuple[Family, list[str]]:
    """An account's family, which has a root, and the parts after it.

    Raises:
        LedgerError: a memo account, or one that the chart does not declare.
    """
    family = check_account(account)
    if family not in ROOTS:
        raise LedgerError(f"account {account!r} is outside every export")
    _, *parts = account.split(PART_SEPARATOR)
    return family, parts


def dimensions_of(posting: Posting) -> Iterator[tuple[str, str]]:
    """What a posting says beside account and amount: names and values, empty ones left out."""
    for dimension in DIMENSIONS:
        if value := getattr(posting, dimension):
            yield dimension, value
    if posting.policy_version:
        yield "policy_version", str(posting.policy_version)
