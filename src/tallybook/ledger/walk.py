"""The walk along the chain: each link recomputed from its columns, its faults named.

The database writes the text that is hashed, many links at a time: its JSON functions spell a value
as `chain.link_hash` does. That can only miss: a text that is not the canonical one has another
hash. Every act, and every link of which anything is not plain, is read and looked at by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

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
from tallybook.ledger.model import POSTINGS_MIN, USAGE_REASONS, ActKind
from tallybook.store import Tx, canonical_json, sql_text

LINKS_AT_ONCE = 500
POSTINGS_AT_ONCE = 2_000
"""What is held at a time: it fits a processor's cache. One link with more is read alone."""
LOWEST, HIGHEST = -(2**63), 2**63 - 1
WHOLE_NUMBERS = frozenset({"seq", "recorded_us", "line", "policy_version", "amount_nano"})
_NONE = (None, 0, None, 0, "")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not what was written: its kind, and where with the figures."""

    kind: str
    where: str


@dataclass(slots=True)
class Walk:
    """What is known after the links read so far.

    Args:
        seq: number of the last link read; 0 before the first.
        hash: its hash as stored.
        entries: entries read, acts not counted.
        head_found: whether a link has the hash that was asked for.
        closed: periods that are closed after that link.
        soft_closed: those that take finance entries only after it.
        next: where to read on.
        postings: how many were read with their links.
        debit_nano: sum of those above zero.
    """

    seq: int = 0
    hash: str = GENESIS
    entries: int = 0
    head_found: bool = False
    closed: set[str] = field(default_factory=set)
    soft_closed: set[str] = field(default_factory=set)
    next: int = LOWEST
    postings: int = 0
    debit_nano: int = 0

    def turn(self, kind: str, period: str) -> None:
        """Take note of an act that may change what a period takes."""
        if kind in (ActKind.SOFT_CLOSE, ActKind.CLOSE, ActKind.REOPEN):
            for held, turned in (
                (self.closed, ActKind.CLOSE), (self.soft_closed, ActKind.SOFT_CLOSE)
            ):  # fmt: skip
                if kind == turned:
                    held.add(period)
                else:
                    held.discard(period)

    @property
    def shut(self) -> set[str]:
        """Periods of which not every entry is plain."""
        return self.closed | self.soft_closed


def walk_on(tx: Tx, walk: Walk, expected_head: str = "", last: int = HIGHEST) -> Iterator[Fault]:
    """Read the links from ``walk.next`` to ``last`` and tell their faults, in their order.

    Args:
        tx: a transaction.
        walk: where to begin; changed on the way.
        expected_head: the hash of any link, looked for on the way; empty: none.
        last: number of the last link to read, if it is there.
    """
    while walk.next <= last:
        yield from _window(tx, walk, expected_head, last)


def _window(tx: Tx, walk: Walk, expected_head: str, last: int) -> Iterator[Fault]:
    sql = sql_text(__package__, "sealed_bound")
    bound = tx.plain_rows(sql, first=walk.next, most=POSTINGS_AT_ONCE)
    # A number that is not whole is damage; what stands on it is found as an orphan.
    until = min(last, bound[0][0]) if bound and type(bound[0][0]) is int else last
    reach = {"first": walk.next, "last": until, "most": LINKS_AT_ONCE}
    links = tx.plain_rows(sql_text(__package__, "sealed_links", tx.dialect), **reach)
    postings = None
    if links is not None:
        ends = {"first": links[0][0], "last": links[-1][0]} if links else {"first": 1, "last": 0}
        postings = tx.plain_rows(sql_text(__package__, "sealed_postings", tx.dialect), **ends)
    if links is None or postings is None:
        yield from _looked_at(tx, walk, expected_head, reach)
    else:
        yield from _stepped(tx, walk, expected_head, links, postings)
    if walk.next == reach["first"]:
        walk.next = until + 1


def _stepped(
    tx: Tx,
    walk: Walk,
    expected_head: str,
    links: list[tuple[Any, ...]],
    postings: list[tuple[Any, ...]],
) -> Iterator[Fault]:
    following = iter(postings)
    of, count, sum_nano, debit_nano, body = next(following, _NONE)
    closed, ending = _told(walk.shut), ""
    for seq, prev_hash, held, head, tail in links:
        if of == seq:
            if not ending or not head.endswith(f'"id":"E-{seq:06}"{ending}'):
                ending = _ending(head, seq, closed)
            covered = f'{head[:-1]},"postings":{body},"prev_hash":"{prev_hash}",{tail[1:]}'
            is_plain = (
                ending
                and seq == walk.seq + 1
                and not sum_nano
                # A zero stands at the end of its posting. One posting alone, if it is not zero,
                # has a sum: there are two at least.
                and ",0]" not in body
                and prev_hash == walk.hash
                and sha256(covered.encode()).hexdigest() == held
            )
            if is_plain:
                walk.seq, walk.hash = seq, held
                walk.entries += 1
                walk.postings += count
                walk.debit_nano += int(debit_nano)
                if held == expected_head:
                    walk.head_found = True
            of, count, sum_nano, debit_nano, body = next(following, _NONE)
            if is_plain:
                continue
        reach = {"first": seq, "last": seq, "most": 1}
        yield from _looked_at(tx, walk, expected_head, reach)
        closed, ending = _told(walk.shut), ""
    if links:
        walk.next = walk.seq + 1


def _ending(head: str, seq: int, closed: set[str]) -> str:
    """What follows its number in the text of a plain entry, as in that of the next; else empty."""
    # Quotes in a value are escaped, so these words stand here only as written by us.
    _, is_entry, rest = head.rpartition(f'"id":"E-{seq:06}","kind":"entry","period":')
    return f',"kind":"entry","period":{rest}' if is_entry and rest[:-1] not in closed else ""


def _told(periods: set[str]) -> set[str]:
    return {canonical_json(period) for period in periods}


def _looked_at(tx: Tx, walk: Walk, expected_head: str, reach: Mapping[str, int]) -> Iterator[Fault]:
    """The faults of some links, each looked at by itself."""
    links = tx.rows(sql_text(__package__, "links"), **reach)
    for link, postings in with_postings(tx, links):
        walk.postings += len(postings)
        yield from _link_faults(walk, link, postings, expected_head)


def _link_faults(walk: Walk, link: Any, postings: list[Any], expected_head: str) -> Iterator[Fault]:
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


def _place_faults(walk: Walk, link: Any, place: str) -> Iterator[Fault]:
    if link.seq != walk.seq + 1:
        yield Fault("sequence", f"{place} follows link {walk.seq}")
    if link.prev_hash != walk.hash:
        yield Fault("link", f"{place} names {link.prev_hash}, the link before is {walk.hash}")
    if link.kind not in ID_LETTERS or link.id != link_id(link.kind, link.seq):
        yield Fault("id", f"{place} is of kind {link.kind!r}")


def _content_faults(walk: Walk, link: Any, postings: list[Any], place: str) -> Iterator[Fault]:
    """The rules that the link broke; what it changes is kept in ``walk``."""
    amounts_nano = [row.amount_nano for row in postings]
    walk.debit_nano += sum(nano for nano in amounts_nano if nano > 0)
    if link.kind == ENTRY:
        walk.entries += 1
        short = len(postings) < POSTINGS_MIN
        if short or 0 in amounts_nano or sum(amounts_nano) != 0:
            yield Fault(
                "balance", f"{place}: {len(postings)} postings, sum {sum(amounts_nano)} nano"
            )
        if link.period in walk.closed:
            yield Fault("period", f"{place} posts into {link.period} while it is closed")
        if link.period in walk.soft_closed and link.reason in USAGE_REASONS:
            where = f"{place} posts usage ({link.reason}) into {link.period}"
            yield Fault("period", f"{where} while it is soft-closed")
        return
    if postings:
        yield Fault("balance", f"{place} is an act with {len(postings)} postings")
    walk.turn(link.reason, link.period)
    if link.reason == ActKind.CLOSE:
        yield from _close_faults(walk, link, place)


def _close_faults(walk: Walk, link: Any, place: str) -> Iterator[Fault]:
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
