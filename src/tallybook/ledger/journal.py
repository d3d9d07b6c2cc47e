"""Read the journal: entries in the order in which they were recorded, with their postings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallybook.errors import LedgerError
from tallybook.ledger.chain import ENTRY
from tallybook.ledger.model import Posting, PostingKey, Reason
from tallybook.store import Tx, sql_text

LINKS_PER_READ = 200


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry as it stands on the chain; ``details`` and ``versions`` are read from their JSON."""

    seq: int
    id: str
    reason: Reason
    period: str
    service_period: str
    recorded_us: int
    actor: str
    text: str
    versions: Mapping[str, str | int]
    corrects: str
    details: Mapping[str, Any]
    prev_hash: str
    hash: str
    postings: tuple[Posting, ...]


def entries(tx: Tx, period: str | None = None) -> Iterator[JournalEntry]:
    """Entries that post into a period, or all, oldest first.

    Postings are read some links at a time, so a long journal does not fill the memory; the
    transaction must stay open while reading.
    """
    links = tx.rows(sql_text(__package__, "entries"), period=period or "")
    for link, postings in with_postings(tx, links):
        yield _entry(link, postings)


def entry_of(tx: Tx, entry_id: str) -> JournalEntry:
    """One entry.

    Raises:
        LedgerError: no link has this id, or it is an act.
    """
    link = tx.row(sql_text(__package__, "entry"), entry_id=entry_id)
    if link is None or link.kind != ENTRY:
        what = "is not in the journal" if link is None else f"is an act ({link.reason}), no entry"
        raise LedgerError(
            f"{entry_id} {what}", where=entry_id, next_step="look it up with: tallybook journal"
        )
    return next(_entry(row, postings) for row, postings in with_postings(tx, [link]))


def with_postings(tx: Tx, links: Sequence[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """Each link's row with the rows of its postings, in line order; ``links`` by number."""
    for start in range(0, len(links), LINKS_PER_READ):
        window = links[start : start + LINKS_PER_READ]
        found: dict[int, list[Any]] = {link.seq: [] for link in window}
        bounds = {"first_seq": window[0].seq, "last_seq": window[-1].seq}
        for posting in tx.rows(sql_text(__package__, "postings"), **bounds):
            if posting.seq in found:
                found[posting.seq].append(posting)
        for link in window:
            yield link, found[link.seq]


def _entry(link: Any, postings: list[Any]) -> JournalEntry:
    return JournalEntry(
        link.seq,
        link.id,
        Reason(link.reason),
        link.period,
        link.service_period,
        link.recorded_us,
        link.actor,
        link.text,
        json.loads(link.versions),
        link.corrects,
        json.loads(link.details),
        link.prev_hash,
        link.hash,
        tuple(_posting(row) for row in postings),
    )


def _posting(row: Any) -> Posting:
    _, _, *key, amount_nano = row
    return Posting.of(PostingKey(*key), amount_nano)
