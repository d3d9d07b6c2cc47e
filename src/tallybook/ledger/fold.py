"""Postings without a link, and balances folded a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tallybook.ledger.balance import balances
from tallybook.ledger.walk import Fault
from tallybook.store import Tx, sql_text


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


def fold_faults(tx: Tx) -> Iterator[Fault]:
    """Balances that SQL folds otherwise than the postings say."""
    rows = tx.rows(sql_text(__package__, "hashed"))
    fold = Counter({(row.account, row.team, row.feature): row.nano for row in rows})
    stored = {(row.account, row.team, row.feature): row.nano for row in balances(tx)}
    for key in sorted(stored.keys() | fold.keys()):
        if stored.get(key, 0) != fold[key]:
            yield Fault(
                "fold",
                f"{'/'.join(filter(None, key))}: SQL {stored.get(key, 0)}, hashed {fold[key]} nano",
            )
