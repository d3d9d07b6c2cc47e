"""Verify the chain: recompute everything that the books claim about themselves (INV-15).

Kinds of fault:

    hash         a field of the link or of its postings is not what was hashed
    link         the link does not name the hash of the one before it
    sequence     a number is missing or comes out of turn
    id           the id does not fit kind and number
    balance      fewer than two postings, a zero one, a sum that is not zero; an act with postings
    period       an entry posted into a closed period
    head         a close that names another link before it; a printed head that is gone
    orphan       postings without a link
    unreadable   a value of a type that was never written
    fold         a balance as SQL folds it differs from the postings as they were hashed; looked at
                 only when nothing else is wrong

A chain whose newest links were cut off after the last close, or rewritten whole with all hashes
after them, is consistent in itself. Only a head that was printed elsewhere, in the seal of a
statement, shows it: pass it as ``expected_head``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tallybook.ledger.balance import balances
from tallybook.ledger.chain import (
    ENTRY,
    GENESIS,
    ID_LETTERS,
    LINK_FIELDS,
    POSTING_FIELDS,
    link_hash,
    link_id,
)
from tallybook.ledger.journal import with_postings
from tallybook.ledger.model import POSTINGS_MIN, ActKind
from tallybook.store import Tx, sql_text

AT_ONCE = 2_000
LOWEST, HIGHEST = -(2**63), 2**63 - 1
WHOLE_NUMBERS = frozenset({"seq", "recorded_us", "line", "policy_version", "amount_nano"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not what was written: its kind, and where with the figures."""

    kind: str
    where: str


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


@dataclass(slots=True)
class _Walk:
    """What is known after the links read so far; ``next`` is where to read on."""

    seq: int = 0
    hash: str = GENESIS
    entries: int = 0
    head_found: bool = False
    closed: set[str] = field(default_factory=set)
    next: int = LOWEST


def verify(tx: Tx, expected_head: str = "") -> Verification:
    """Recompute every hash, number, sum and balance of the chain.

    Args:
        tx: a transaction; one snapshot is verified.
        expected_head: the hash of any link as printed in a seal; empty: none is expected.

    Raises:
        StoreError: the file cannot be read as a database (it is damaged below the chain).
    """
    walk = _Walk(head_found=expected_head in ("", GENESIS))
    faults: list[Fault] = []
    while walk.next <= HIGHEST:
        if _walked_plainly(tx, walk, expected_head):
            continue
        links = tx.rows(sql_text(__package__, "links"), first=walk.next, most=AT_ONCE)
        if not links:
            break
        for link, postings in with_postings(tx, links):
            faults += _link_faults(walk, link, postings, expected_head)
    faults += (
        Fault("orphan", f"postings of link {row.seq!r}, which is not on the chain")
        for row in tx.rows(sql_text(__package__, "orphans"))
    )
    if not walk.head_found:
        faults.append(
            Fault("head", f"no link has the expected hash {expected_head}; the last is {walk.seq}")
        )
    # A forged amount may be more than SQL can sum, and its link is at fault already.
    if not faults:
        faults += _fold_faults(tx)
    return Verification(not faults, walk.entries, walk.hash, tuple(faults))


def _walked_plainly(tx: Tx, walk: _Walk, expected_head: str) -> bool:
    """Walk over the next links if they are entries without any fault; else over none.

    Here the database writes the text that is hashed, many links at a time. It can only miss: a text
    that is not the canonical one has another hash, and then each link is looked at by itself.
    """
    links = tx.plain_rows(sql_text(__package__, "sealed_links"), first=walk.next, most=AT_ONCE)
    if not links:
        return False
    bounds = {"first": links[0][0], "last": links[-1][0]}
    postings = tx.plain_rows(sql_text(__package__, "sealed_postings"), **bounds)
    if postings is None or len(postings) != len(links):
        return False
    last, found, closed = walk.hash, walk.head_found, walk.closed
    numbers = range(walk.seq + 1, walk.seq + 1 + len(links))
    for number, link, (of, is_balanced, body) in zip(numbers, links, postings, strict=True):
        seq, prev_hash, held, period, is_plain, head, tail = link
        covered = f'{head[:-1]},"postings":[{body}],{tail[1:]}'
        if not (
            number == seq == of
            and is_plain
            and is_balanced
            and prev_hash == last
            and sha256(covered.encode()).hexdigest() == held
            and period not in closed
        ):
            return False
        found |= held == expected_head
        last = held
    walk.seq, walk.next = numbers[-1], numbers.stop
    walk.hash, walk.head_found = last, found
    walk.entries += len(links)
    return True


def _link_faults(
    walk: _Walk, link: Any, postings: list[Any], expected_head: str
) -> Iterator[Fault]:
    place = f"link {link.seq} ({link.id})"
    yield from _place_faults(walk, link, place)
    fields = {name: getattr(link, name) for name in LINK_FIELDS}
    strange = _strange(fields) + [
        name
        for row in postings
        for name in _strange(dict(zip(POSTING_FIELDS, row[1:], strict=True)))
    ]
    if strange:
        yield Fault("unreadable", f"{place}: {', '.join(strange)}")
    else:
        computed = link_hash(fields, [row[1:] for row in postings])
        if computed != link.hash:
            yield Fault("hash", f"{place}: computed {computed}, stored {link.hash}")
        walk.head_found |= computed == expected_head == link.hash
        yield from _content_faults(walk, link, postings, place)
    walk.seq, walk.hash, walk.next = link.seq, link.hash, link.seq + 1


def _strange(values: Mapping[str, object]) -> list[str]:
    """Columns that hold another type than was ever written; SQLite would let them."""
    return [
        f"{name} is a {type(value).__name__}"
        for name, value in values.items()
        if type(value) is not (int if name in WHOLE_NUMBERS else str)
    ]


def _place_faults(walk: _Walk, link: Any, place: str) -> Iterator[Fault]:
    if link.seq != walk.seq + 1:
        yield Fault("sequence", f"{place} follows link {walk.seq}")
    if link.prev_hash != walk.hash:
        yield Fault("link", f"{place} names {link.prev_hash}, the link before is {walk.hash}")
    if link.kind not in ID_LETTERS or link.id != link_id(link.kind, link.seq):
        yield Fault("id", f"{place} is of kind {link.kind!r}")


def _content_faults(walk: _Walk, link: Any, postings: list[Any], place: str) -> Iterator[Fault]:
    """The rules that the link broke; what it changes is kept in ``walk``."""
    amounts_nano = [row.amount_nano for row in postings]
    if link.kind == ENTRY:
        walk.entries += 1
        short = len(postings) < POSTINGS_MIN
        if short or 0 in amounts_nano or sum(amounts_nano) != 0:
            yield Fault(
                "balance", f"{place}: {len(postings)} postings, sum {sum(amounts_nano)} nano"
            )
        if link.period in walk.closed:
            yield Fault("period", f"{place} posts into {link.period} while it is closed")
        return
    if postings:
        yield Fault("balance", f"{place} is an act with {len(postings)} postings")
    if link.reason == ActKind.CLOSE:
        walk.closed.add(link.period)
        yield from _close_faults(walk, link, place)
    if link.reason == ActKind.REOPEN:
        walk.closed.discard(link.period)


def _close_faults(walk: _Walk, link: Any, place: str) -> Iterator[Fault]:
    try:
        details = json.loads(link.details)
        named = (details["seq"], details["head"])
    except (ValueError, KeyError, TypeError):
        yield Fault("head", f"{place}: its details name no link before it")
        return
    if named != (walk.seq, walk.hash):
        yield Fault(
            "head",
            f"{place} names link {named[0]} {named[1]}, the one before is {walk.seq} {walk.hash}",
        )


def _fold_faults(tx: Tx) -> Iterator[Fault]:
    rows = tx.rows(sql_text(__package__, "hashed"))
    fold = Counter({(row.account, row.team, row.feature): row.nano for row in rows})
    stored = {(row.account, row.team, row.feature): row.nano for row in balances(tx)}
    for key in sorted(stored.keys() | fold.keys()):
        if stored.get(key, 0) != fold[key]:
            yield Fault(
                "fold",
                f"{'/'.join(filter(None, key))}: SQL {stored.get(key, 0)}, hashed {fold[key]} nano",
            )
