"""Issued statements: kept as the bytes that were issued, read back, never changed."""

from __future__ import annotations

import json
from hashlib import sha256

from tallybook.errors import CorruptedError, LedgerError
from tallybook.report.body import body_digest, from_body, json_text
from tallybook.report.model import StatementSet
from tallybook.store import Tx


def issued(tx: Tx, period: str, version: int | None = None) -> StatementSet | None:
    """An issued statement set; the newest version unless one is named; None without one.

    Raises:
        CorruptedError: the stored body is not what was issued.
    """
    row = tx.row(
        "SELECT version, status, body, body_sha256, seal FROM statement WHERE period = :period"
        " AND (:version = 0 OR version = :version) ORDER BY version DESC",
        period=period,
        version=version or 0,
    )
    if row is None:
        return None
    try:
        found = from_body(json.loads(row.body))
        stored = (found.period, found.version, found.status, found.seal, json_text(found))
        same = stored == (period, row.version, row.status, row.seal, row.body)
        same = same and body_digest(found) == found.body_sha256 == row.body_sha256
    except (ValueError, KeyError, TypeError, LedgerError):
        same = False
    if not same:
        raise CorruptedError(
            f"the statements of {period} version {row.version} are not what was issued",
            where="statement",
            next_step="restore the book from a backup, then run: tallybook verify",
        )
    return found


def next_version(tx: Tx, period: str) -> int:
    """The number that the next issue of a period takes."""
    last = tx.scalar("SELECT MAX(version) FROM statement WHERE period = :period", period=period)
    return int(last or 0) + 1


def store_issue(tx: Tx, issue: StatementSet, text: str, now_us: int) -> str:
    """Keep an issue for ever; returns the digest of its whole text."""
    tx.run(
        "INSERT INTO statement (period, version, status, body, body_sha256, seal, issued_us)"
        " VALUES (:period, :version, :status, :body, :body_sha256, :seal, :issued_us)",
        period=issue.period,
        version=issue.version,
        status=issue.status,
        body=text,
        body_sha256=issue.body_sha256,
        seal=issue.seal,
        issued_us=now_us,
    )
    return sha256(text.encode()).hexdigest()


def totals_of(issue: StatementSet | None) -> dict[str, int]:
    """Each team's total in cents; empty without an issue."""
    return {each.team: each.total_cents for each in issue.statements} if issue else {}
