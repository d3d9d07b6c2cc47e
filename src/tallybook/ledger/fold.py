"""What is stored, and what balances are made of, beside what was hashed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tallybook.ledger.walk import Fault, Walk
from tallybook.store import Tx, sql_text


class Folded(NamedTuple):
    """What all balances together are made of: postings, and the sums of their sides in nano."""

    postings: int
    debit_nano: int
    credit_nano: int


def folded(tx: Tx) -> Folded | None:
    """What the balances of all periods are made of; None: they cannot be summed."""
    rows = tx.plain_rows(sql_text(__package__, "sides"))
    if rows is None:
        return None
    postings, debit_nano, credit_nano = rows[0]
    return Folded(postings, int(debit_nano), int(credit_nano))


def orphan_faults(tx: Tx, read: int) -> Iterator[Fault]:
    """Postings whose link is not there.

    Args:
        tx: a transaction.
        read: how many postings were read with their links.
    """
    stored = tx.scalar("SELECT COUNT(*) FROM posting")
    if stored == read:
        return
    rows = tx.rows(sql_text(__package__, "orphans"))
    for row in rows:
        yield Fault("orphan", f"postings of link {row.seq!r}, which is not on the chain")
    if not rows:
        yield Fault("orphan", f"{stored} postings are stored, {read} stand with their links")


def fold_faults(walk: Walk, found: Folded | None) -> Iterator[Fault]:
    """Whether balances are made of the postings that were hashed, and of no other.

    Args:
        walk: at its end; every entry on it balances, so that its credits are its debits.
        found: the balances of the same snapshot.
    """
    if not found:
        yield Fault("fold", "the balances are more than can be summed")
        return
    hashed = Folded(walk.postings, walk.debit_nano, walk.debit_nano)
    if found != hashed:
        yield Fault("fold", f"balances are made of {_told(found)}; hashed were {_told(hashed)}")


def _told(made: Folded) -> str:
    return f"{made.postings} postings, debit {made.debit_nano}, credit {made.credit_nano} nano"
