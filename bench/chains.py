"""A long journal made in bulk, for the measure of verifying it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bench.company import PERIOD
from tallybook.ledger.chain import GENESIS, LINK_FIELDS, POSTING_FIELDS, link_hash
from tallybook.store import Store, canonical_json
from tallybook.store.engine import BOOK

ENTRIES = 500_000
_CHUNK = 10_000
_VERSIONS = canonical_json(
    {"code": "0.1.0", "events": "0" * 32, "manifest": 9, "org": 3, "policy": 2, "sheet": 12}
)
_LINK = (*LINK_FIELDS, "hash")


def make_chain(home: Path, count: int) -> None:
    """Make books with ``count`` entries of two postings, each with the hash that a run gives it."""
    Store.create(home).close()
    with sqlite3.connect(home / BOOK) as database:
        database.execute("PRAGMA synchronous=OFF")
        links: list[tuple[object, ...]] = []
        postings: list[tuple[object, ...]] = []
        for link, lines in _links(count):
            links.append(link)
            postings += ((link[0], *line) for line in lines)
            if len(links) == _CHUNK or link[0] == count:
                _insert(database, "posting", ("seq", *POSTING_FIELDS), postings)
                _insert(database, "chain", _LINK, links)
                database.commit()
                links, postings = [], []
    database.close()


def _links(count: int) -> Iterator[tuple[tuple[object, ...], list[tuple[object, ...]]]]:
    last = GENESIS
    for seq in range(1, count + 1):
        fields: dict[str, object] = {
            "seq": seq,
            "id": f"E-{seq:06}",
            "kind": "entry",
            "reason": "meter",
            "period": PERIOD,
            "service_period": PERIOD,
            "recorded_us": 1_790_000_000_000_000 + seq,
            "actor": "bench",
            "text": "Metered usage at rate card, accrued at contract: anthropic",
            "versions": _VERSIONS,
            "corrects": "",
            "details": "{}",
            "prev_hash": last,
        }
        lines = [_line(1, "Cost:anthropic", seq, seq), _line(2, "Accrued:anthropic", seq, -seq)]
        last = link_hash(fields, lines)
        yield (*(fields[name] for name in LINK_FIELDS), last), lines


def _line(number: int, account: str, seq: int, nano: int) -> tuple[object, ...]:
    return (
        number, account, f"team-{seq % 200:03d}", f"feature-{seq % 2000:04d}", "production",
        "usage", "anthropic", "", "", "meter:anthropic", PERIOD, f"{PERIOD}-01.1", 1, nano,
    )  # fmt: skip


def _insert(
    database: sqlite3.Connection,
    table: str,
    names: tuple[str, ...],
    rows: list[tuple[object, ...]],
) -> None:
    marks = ", ".join("?" * len(names))
    database.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
