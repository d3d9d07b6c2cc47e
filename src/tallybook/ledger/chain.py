"""The chain: each link's hash covers the hash before it and every field of the link (INV-15).

What is hashed is what is stored: JSON columns enter as the text in the table, so that even another
spelling of the same value is seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from tallybook.errors import LedgerError
from tallybook.ledger.model import Link, Posting, PostingKey
from tallybook.store import Tx, canonical_json, sql_text

GENESIS = "0" * 64
"""The hash before the first link."""

ENTRY = "entry"
ACT = "act"
ID_LETTERS = {ENTRY: "E", ACT: "A"}

LINK_FIELDS = (
    "seq",
    "id",
    "kind",
    "reason",
    "period",
    "service_period",
    "recorded_us",
    "actor",
    "text",
    "versions",
    "corrects",
    "details",
    "prev_hash",
)
"""Columns of a link that its hash covers: all but the hash."""

POSTING_FIELDS = ("line", *PostingKey._fields, "amount_nano")
"""Columns of a posting that the hash of its link covers: all, ``seq`` being the link's."""


def head(tx: Tx) -> Link:
    """The newest link; before the first, number 0, no id and `GENESIS`."""
    row = tx.row(sql_text(__package__, "head"))
    return Link(row.seq, row.id, row.hash) if row else Link(0, "", GENESIS)


def link_id(kind: str, seq: int) -> str:
    """``E-000001`` for an entry, ``A-000002`` for an act."""
    return f"{ID_LETTERS[kind]}-{seq:06}"


def link_hash(fields: Mapping[str, object], postings: Iterable[Sequence[object]]) -> str:
    """SHA-256 over the canonical JSON of a link.

    Args:
        fields: the columns of `LINK_FIELDS`.
        postings: the values of `POSTING_FIELDS` of each posting, in line order.

    Raises:
        UnicodeEncodeError: text that is not Unicode.
    """
    covered = {name: fields[name] for name in LINK_FIELDS}
    covered["postings"] = [list(posting) for posting in postings]
    return hashlib.sha256(canonical_json(covered).encode()).hexdigest()


def add_link(
    tx: Tx, kind: str, fields: Mapping[str, object], postings: Sequence[Posting] = ()
) -> Link:
    """Write one link after the head, its postings first: the database checks them with the link.

    Args:
        tx: a writing transaction.
        kind: `ENTRY` or `ACT`.
        fields: `LINK_FIELDS` but ``seq``, ``id``, ``kind`` and ``prev_hash``; ``versions`` and
            ``details`` as mappings.
        postings: of an entry, in line order.

    Raises:
        LedgerError: a text that is not Unicode.
    """
    last = head(tx)
    seq = last.seq + 1
    link = {
        **fields,
        "seq": seq,
        "id": link_id(kind, seq),
        "kind": kind,
        "versions": canonical_json(fields["versions"]),
        "details": canonical_json(fields["details"]),
        "prev_hash": last.hash,
    }
    lines = [(line, *posting.key, posting.amount_nano) for line, posting in enumerate(postings, 1)]
    try:
        link["hash"] = link_hash(link, lines)
    except UnicodeEncodeError as fault:
        raise LedgerError(
            f"a text holds {fault.object[fault.start : fault.end]!r}, which is not Unicode",
            next_step="correct the text at its source",
        ) from fault
    tx.run_tuples(sql_text(__package__, "insert_posting"), [(seq, *values) for values in lines])
    tx.run(sql_text(__package__, "insert_link"), **link)
    return Link(seq, str(link["id"]), str(link["hash"]))
