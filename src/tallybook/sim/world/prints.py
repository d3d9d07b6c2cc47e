"""What is on disk, as values that can be compared: before and after, here and there."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from tallybook.store import Store, canonical_json
from tallybook.store.lake import OBSERVED
from tallybook.store.seal import DERIVED, SealedFile

Row = tuple[Any, ...]

_TABLES: Final = (
    "document", "pool_actual", "publication", "sheet", "chain", "posting", "statement",
    "command",
)  # fmt: skip
_INTAKE: Final = (
    "SELECT (SELECT COUNT(*) FROM claim), (SELECT COUNT(*) FROM quarantine),"
    " (SELECT COALESCE(SUM(rows), 0) FROM inbox), (SELECT COUNT(*) FROM standing)"
)
_STATEMENTS: Final = (
    "SELECT period, version, status, body, body_sha256, seal FROM statement ORDER BY 1, 2"
)


def books_print(store: Store) -> Row:
    """The books: the head of the chain and the size of every table that only grows (INV-08).

    The number of logged commands comes last: trying again may log once more.
    """
    counts = ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in _TABLES)
    with store.read() as tx:
        head = tx.scalar("SELECT hash FROM chain ORDER BY seq DESC")
        row = tx.row(f"SELECT {counts}")
    assert row is not None, "counting gives a row"
    return (head, *row)


def intake_print(store: Store) -> Row:
    """Ids claimed, records quarantined, events kept.

    Rows that were made of several events are no events.
    """
    with store.read() as tx:
        row = tx.row(_INTAKE)
        files = store.lake.snapshot_in(tx, kinds=OBSERVED).files
    assert row is not None, "counting gives a row"
    claims, quarantined, waiting, standing = tuple(row)
    made = sum(_made(store, file) for file in files) if standing else 0
    return claims, quarantined, waiting + sum(file.rows for file in files) - made


def _made(store: Store, file: SealedFile) -> int:
    """How many rows of a file were made of several events; a file of a digest never changes."""
    if file.sha256 not in _MADE:
        records = store.lake.identities(file)[1] if file.kind == "events" else []
        _MADE[file.sha256] = records.count(DERIVED)
    return _MADE[file.sha256]


_MADE: Final[dict[str, int]] = {}


def statements_print(store: Store) -> dict[str, Row]:
    """Every issued statement set, whole, by period and version."""
    with store.read() as tx:
        return {f"{row.period} v{row.version}": tuple(row) for row in tx.rows(_STATEMENTS)}


def final_digest(store: Store) -> str:
    """A digest of all balances and of the bodies of all issued statements.

    It holds neither hash nor number of an entry, so it is the same for the same content.
    """
    with store.read() as tx:
        balances = tx.rows(
            "SELECT account, team, feature, service_period, SUM(amount_nano) FROM posting"
            " GROUP BY 1, 2, 3, 4 HAVING SUM(amount_nano) <> 0 ORDER BY 1, 2, 3, 4"
        )
        bodies = tx.rows("SELECT period, version, body_sha256 FROM statement ORDER BY 1, 2")
    value = [[list(row) for row in rows] for rows in (balances, bodies)]
    return sha256(canonical_json(value).encode()).hexdigest()
