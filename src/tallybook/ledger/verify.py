"""Verify the chain: recompute everything that the books claim about themselves (INV-15).

Kinds of fault:

    hash         a field of the link or of its postings is not what was hashed
    link         the link does not name the hash of the one before it
    sequence     a number is missing or comes out of turn
    id           the id does not fit kind and number
    balance      fewer than two postings, a zero one, a sum that is not zero; an act with postings
    period       an entry posted into a closed period, or usage into a soft-closed one
    head         a close that names another link before it; a printed head that is gone
    orphan       postings without a link, or more of them or fewer than stand with their links
    unreadable   a value of a type that was never written
    fold         the balances are not made of the postings that were hashed; looked at only when
                 nothing else is wrong

A chain whose newest links were cut off after the last close, or rewritten whole with all hashes
after them, is consistent in itself. Only a head that was printed elsewhere, in the seal of a
statement, shows it: pass it as ``expected_head``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tallybook.ledger.abreast import walked_abreast
from tallybook.ledger.chain import GENESIS
from tallybook.ledger.fold import fold_faults, folded, orphan_faults
from tallybook.ledger.walk import Fault, Walk, walk_on
from tallybook.store import Tx


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: no faults means ok.

    Args:
        ok: whether there are no faults.
        entries: number of entries read, acts not counted.
        head: stored hash of the newest link.
        faults: in the order of the chain.
    """

    ok: bool
    entries: int
    head: str
    faults: tuple[Fault, ...]


def verify(
    tx: Tx, expected_head: str = "", *, home: Path | None = None, processes: int = 1
) -> Verification:
    """Recompute every hash, number, sum and balance of the chain.

    Args:
        tx: a transaction; one snapshot is verified.
        expected_head: the hash of any link as printed in a seal; empty: none is expected.
        home: the folder of these books; with it a long chain is shared out.
        processes: among how many processes.

    Raises:
        StoreError: the file cannot be read as a database (it is damaged below the chain).
    """
    if home and processes > 1:
        found = walked_abreast(tx, home, expected_head, processes)
        if found and (found.head_found or expected_head in ("", GENESIS)):
            return Verification(ok=True, entries=found.entries, head=found.hash, faults=())
    walk = Walk(head_found=expected_head in ("", GENESIS))
    faults = [*walk_on(tx, walk, expected_head)]
    faults += orphan_faults(tx, walk.postings)
    if not walk.head_found:
        faults.append(
            Fault("head", f"no link has the expected hash {expected_head}; the last is {walk.seq}")
        )
    # A forged amount may be more than SQL can sum, and its link is at fault already.
    if not faults:
        faults += fold_faults(walk, folded(tx))
    return Verification(not faults, walk.entries, walk.hash, tuple(faults))
