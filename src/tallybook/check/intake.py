"""INV-06, 07 and 08: what came in, came in once and whole."""

from __future__ import annotations

from tallybook.check.model import Finding, finding
from tallybook.ledger.model import USAGE_REASONS
from tallybook.store import Store
from tallybook.store.lake import OBSERVED
from tallybook.store.seal import DERIVED, content_digest


def idempotent(store: Store) -> Finding:
    """INV-06: every event's id is claimed, and no id is in the books twice."""
    snapshot = store.lake.snapshot(kinds=OBSERVED)
    with store.lake.session(snapshot) as session:
        rows, ids, told = session.rows(
            "SELECT COUNT(*), COUNT(DISTINCT key),"
            " COALESCE(SUM(CAST(record <> $derived AS BIGINT)), 0)"
            " FROM events",
            {"derived": DERIVED},
        )[0]
    with store.read() as tx:
        waiting = int(tx.scalar("SELECT COALESCE(SUM(rows), 0) FROM inbox"))
        claims = int(tx.scalar("SELECT COUNT(*) FROM claim"))
    faults = []
    if rows != ids:
        faults.append(f"{rows} sealed events have {ids} ids")
    if rows != snapshot.rows:
        faults.append(f"the manifest lists {snapshot.rows} events, the files hold {rows}")
    if claims < told + waiting:
        faults.append(f"{claims} claims for {told} sealed and {waiting} waiting events")
    return finding("INV-06", rows + waiting, faults, f"{claims} ids claimed, none twice")


def order_free(store: Store) -> Finding:
    """INV-07: each file's order-independent digest is that of its events."""
    snapshot = store.lake.snapshot(kinds=OBSERVED)
    faults = []
    for file in snapshot.files:
        keys, records = store.lake.identities(file)
        found = f"{content_digest(keys, records):032x}"
        if found != file.digest:
            faults.append(
                f"{file.path}: digest {found[:12]}.., the manifest says {file.digest[:12]}.."
            )
    return finding("INV-07", snapshot.rows, faults, f"{len(snapshot.files)} content digests agree")


def atomic(store: Store) -> Finding:
    """INV-08: nothing half done: no posting without its entry, no usage without its cost sheet."""
    with store.read() as tx:
        orphans = tx.scalar(
            "SELECT COUNT(*) FROM posting p WHERE NOT EXISTS"
            " (SELECT 1 FROM chain c WHERE c.seq = p.seq)"
        )
        unsheeted = tx.rows(
            "SELECT c.id, c.period, c.reason FROM chain c WHERE c.kind = 'entry' AND NOT EXISTS"
            " (SELECT 1 FROM sheet s WHERE s.period = c.service_period)"
        )
        unissued = tx.rows(
            "SELECT c.id, c.period FROM chain c WHERE c.kind = 'act' AND c.reason = 'close'"
            " AND NOT EXISTS (SELECT 1 FROM statement s WHERE s.seal = c.hash)"
        )
        examined = int(tx.scalar("SELECT COUNT(*) FROM chain"))
    faults = [f"{orphans} postings belong to no entry"] if orphans else []
    faults += [
        f"{row.id} of {row.period} has no cost sheet"
        for row in unsheeted
        if row.reason in USAGE_REASONS
    ]
    faults += [f"the close {row.id} of {row.period} issued no statement" for row in unissued]
    return finding("INV-08", examined, faults, "no command is half done")
