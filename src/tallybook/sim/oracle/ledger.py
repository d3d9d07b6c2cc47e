"""Postings as exact fractions, their balances, and how far a booked balance may be from them.

The ledger books whole nanos, and the amounts of an entry are rounded together. Rounded cumulatively
along the cells of the entry, or split by largest remainder, each of them is less than one nano from
its exact amount. So a booked balance is a sum of `parts` amounts, each less than one nano off, and
lies strictly within `parts` nanos of the exact one. What is made from rounded amounts (a share of
their total, a rate below one on each, minus their sum) takes along their error, which is less than
the number of their cells; so the cells of an entry's `base` count too, and those of the whole entry
for an account that takes minus the sum. The bound is generous by a few dozen nanos.
Where every amount of an entry and of its base is a whole number of nanos there is nothing to round,
and a balance made of such entries alone must be equal.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

NANO = 10**9


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount, debit positive; `cell` is what it is booked for, within `entry`."""

    entry: str
    account: str
    amount: Fraction
    cell: tuple[str, ...] = ()
    base: str = ""


def balances(postings: Iterable[Posting]) -> dict[str, Fraction]:
    """Balance by account, without those that are zero."""
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for posting in postings:
        found[posting.account] += posting.amount
    return {account: amount for account, amount in sorted(found.items()) if amount}


def parts(postings: Iterable[Posting]) -> dict[str, int]:
    """By account, the most rounded amounts that its booked balance is made of; 0: exact."""
    amounts: defaultdict[tuple[str, str, tuple[str, ...]], Fraction] = defaultdict(Fraction)
    cells: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    bases: defaultdict[str, set[str]] = defaultdict(set)
    for posting in postings:
        amounts[posting.entry, posting.account, posting.cell] += posting.amount
        cells[posting.entry].add(posting.cell)
        bases[posting.entry] |= {posting.base} - {""}
    rough = {entry for (entry, _, _), amount in amounts.items() if (amount * NANO).denominator > 1}
    found = {account: 0 for _, account, _ in amounts}
    for entry, account, _ in amounts:
        found[account] += bool(({entry} | bases[entry]) & rough)
    for entry, account in {(entry, account) for entry, account, _ in amounts}:
        beneath = bases[entry] | ({entry} if is_clearing(account) else set())
        found[account] += sum(len(cells[base]) for base in beneath & rough)
    return found


def is_clearing(account: str) -> bool:
    """Accounts that take minus the sum of the other amounts of their entry."""
    return account.startswith(("Accrued:", "Source:", "Absorption:", "Memo:Contra"))


def agrees(expected: Fraction, booked_nano: int, parts: int) -> bool:
    """Whether a booked balance is the expected one: exactly, or strictly within `parts` nanos."""
    off = abs(expected * NANO - booked_nano)
    return off < parts if parts else off == 0
