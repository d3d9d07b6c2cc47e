"""INV-01, 02, 03 and 15: the journal and its chain."""

from __future__ import annotations

from tallybook.check.kept import kept_faults
from tallybook.check.model import Finding, finding
from tallybook.ledger.journal import entries
from tallybook.ledger.model import Reason
from tallybook.ledger.verify import verify
from tallybook.money import NANO_PER_CENT
from tallybook.report.body import body_digest
from tallybook.report.issued import issued
from tallybook.store import Store, Tx

GUARDED = (
    "document", "command", "pool_actual", "publication", "sheet", "chain", "posting", "statement",
    "provider_invoice", "invoice_version", "invoice_line", "variance_decision",
    "adjusting", "adjusting_step", "dispute", "dispute_step",
)  # fmt: skip


def balance(store: Store) -> Finding:
    """INV-01: every entry's postings sum to zero, are two or more, none zero."""
    with store.read() as tx:
        rows = tx.rows(
            "SELECT c.id, COUNT(p.line) AS postings, COALESCE(SUM(p.amount_nano), 0) AS total,"
            " COUNT(CASE WHEN p.amount_nano = 0 THEN 1 END) AS zeros"
            " FROM chain c LEFT JOIN posting p ON p.seq = c.seq"
            " WHERE c.kind = 'entry' GROUP BY c.id"
        )
    faults = [
        f"{row.id}: {row.postings} postings sum to {row.total} nano, {row.zeros} are zero"
        for row in rows
        if row.total or row.zeros or row.postings < 2  # noqa: PLR2004 - two sides
    ]
    return finding("INV-01", len(rows), faults, "every entry sums to zero")


def exact(store: Store) -> Finding:
    """INV-02: every stored amount is an integer."""
    columns = {"posting": "amount_nano", "pool_actual": "amount_nano"}
    examined, faults = 0, []
    with store.read() as tx:
        for table, column in columns.items():
            examined += int(tx.scalar(f"SELECT COUNT(*) FROM {table}"))
            if wrong := tx.not_whole(table, column):
                faults.append(f"{table}.{column}: {wrong} amounts are not integers")
    return finding("INV-02", examined, faults, "every stored amount is an integer")


def append_only(store: Store) -> Finding:
    """INV-03: the guards stand, and every reversal is the exact negation of one entry."""
    with store.read() as tx:
        guards = tx.guards()
        faults = [
            f"the guard {table}_no_{verb} is missing"
            for table in GUARDED
            for verb in ("update", "delete")
            if f"{table}_no_{verb}" not in guards
        ]
        every = {entry.id: entry for entry in entries(tx)}
    reversals = [entry for entry in every.values() if entry.reason is Reason.REVERSAL]
    for entry in reversals:
        original = every.get(entry.corrects)
        undone = sorted((p.key, -p.amount_nano) for p in entry.postings)
        if original is None or undone != sorted((p.key, p.amount_nano) for p in original.postings):
            faults.append(f"{entry.id} is not the negation of {entry.corrects}")
    proven = f"{2 * len(GUARDED)} guards stand, {len(reversals)} reversals negate exactly"
    return finding("INV-03", len(every), faults, proven)


def tamper_evidence(store: Store) -> Finding:
    """INV-15: the chain is whole, issued statements tie to the ledger, files are as sealed."""
    with store.read() as tx:
        result = verify(tx)
        faults = [f"{fault.kind} at {fault.where}" for fault in result.faults]
        faults += [f"database: {text}" for text in tx.integrity()]
        faults += [f"{fault.kind} at {fault.where}" for fault in kept_faults(store, tx)]
        faults += _untied(tx)
        files = tx.scalar("SELECT COUNT(*) FROM sealed_file")
    proven = f"chain head {result.head[:16]}.., {files} sealed files unchanged"
    return finding("INV-15", result.entries, faults, proven)


def _untied(tx: Tx) -> list[str]:
    """Issued statements that the charge accounts, or the act of closing, do not agree with.

    What an earlier version charged is tied as of its close: later postings are another version's.
    """
    faults = []
    for row in tx.rows("SELECT period, version FROM statement ORDER BY period, version"):
        issue = issued(tx, row.period, row.version)
        assert issue is not None, "the row was just read"
        held = tx.scalar(
            "SELECT COALESCE(SUM(p.amount_nano), 0) FROM posting p JOIN chain c ON c.seq = p.seq"
            " WHERE p.account LIKE 'Charge:%' AND substr(p.source, 1, 5) <> 'roll:'"
            " AND c.period = :period AND c.seq <="
            " COALESCE((SELECT MIN(r.seq) FROM chain r WHERE r.period = :period"
            " AND r.reason = 'reopen' AND r.seq > (SELECT s.seq FROM chain s"
            " WHERE s.hash = :seal)), c.seq)",
            period=row.period,
            seal=issue.seal,
        )
        if held != issue.charged_total_cents * NANO_PER_CENT:
            faults.append(
                f"{row.period}: statements charge {issue.charged_total_cents} cents, the ledger"
                f" holds {held} nano"
            )
        act = tx.scalar("SELECT details FROM chain WHERE hash = :seal", seal=issue.seal)
        if act is None or body_digest(issue) not in act:
            faults.append(f"{row.period}: the seal names no close of this statement")
    return faults
