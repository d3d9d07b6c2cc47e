"""INV-05 and 09: late usage, and statements that can be made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tallybook.allocate.allocate import allocate
from tallybook.check.model import Finding, finding
from tallybook.clock import Period
from tallybook.ledger.balance import booked, posting_periods
from tallybook.ledger.journal import JournalEntry, entries
from tallybook.ledger.model import PostingKey, Reason
from tallybook.ledger.state import standing_cutoff
from tallybook.post.basis import basis_at
from tallybook.post.compute import charged, month_of, pool_actuals
from tallybook.post.late import shut_periods
from tallybook.post.run import is_from_events, targets
from tallybook.post.sheet import Versions, latest_sheet, sheet_versions
from tallybook.report.rebuild import rebuild
from tallybook.store import Store, Tx

_OF_A_MONTH = frozenset(
    (
        Reason.METER, Reason.POOL, Reason.EVALUATION, Reason.POOL_FLOW, Reason.CHARGE,
        Reason.MARKUP, Reason.ABSORPTION, Reason.TRANSFER, Reason.MEMO, Reason.ROUNDING,
    )
)  # fmt: skip
"""Reasons of entries that post into the month that they are about, and no other."""


def late_is_posted(store: Store) -> Finding:
    """INV-05: original + corrections are what a closed month would have been, had all been on time.

    Each closed month with late usage is computed again from all events that are booked about it,
    under what its close froze. What posted elsewhere says so: it is an adjustment, later, and names
    what it corrects.
    """
    faults: list[str] = []
    with store.read() as tx:
        every = shut_periods(tx)
        closed = [name for name in every if _has_late(tx, name)]
        moved = [entry for entry in entries(tx) if entry.period != entry.service_period]
        known = {str(row.id) for row in tx.rows("SELECT id FROM chain")}
        faults += _scattered(tx)
    for entry in moved:
        faults += _misnamed(entry, known)
    for period in closed:
        faults += _short(store, period)
    proven = f"{len(closed)} months with late usage are as if on time, {len(moved)} adjustments"
    return finding("INV-05", len(every) + len(moved), faults, proven)


def reproducible(store: Store) -> Finding:
    """INV-09: every issued statement, made again from events and versions, is the same bytes."""
    found = rebuild(store)
    faults = [f"S-{one.period} v{one.version}: {one.difference}" for one in found if not one.same]
    return finding("INV-09", len(found), faults, f"{len(found)} statement versions made again")


def _has_late(tx: Tx, period: str) -> bool:
    close, held = standing_cutoff(tx, period), sheet_versions(tx, period)
    later = close and held and held[1].manifest != close.versions["manifest"]
    return bool(later) or any(other != period for other in posting_periods(tx, period))


def _misnamed(entry: JournalEntry, known: set[str]) -> Iterator[str]:
    if entry.reason in _OF_A_MONTH:
        yield f"{entry.id} is about {entry.service_period} and no adjustment"
    if entry.period < entry.service_period:
        yield f"{entry.id} posts into {entry.period} about {entry.service_period}, a later month"
    if entry.corrects not in known:
        yield f"{entry.id} is about {entry.service_period} and corrects nothing that there is"


def _short(store: Store, period: str) -> Iterator[str]:
    """Balances of a closed month that its events do not give under what its close froze."""
    with store.read() as tx:
        close, sheet = standing_cutoff(tx, period), latest_sheet(tx, period)
        held = booked(tx, period)
    assert close is not None, "the period is shut"
    if sheet is None:
        yield f"{period}: it takes no usage and has no cost sheet"
        return
    frozen = Versions.of(close.versions)
    basis = basis_at(store, Period.parse(period), replace(frozen, manifest=sheet.versions.manifest))
    with store.read() as tx:
        actuals = pool_actuals(tx, period, frozen.pools)
    made = charged(store, basis)
    wanted = targets(allocate(month_of(basis, made.lines, actuals, made.uses)), basis)
    yield from _differences(period, wanted, held)


def _differences(
    period: str, wanted: Mapping[PostingKey, int], held: Mapping[PostingKey, int]
) -> Iterator[str]:
    ours = {key: nano for key, nano in held.items() if is_from_events(key)}
    for key in sorted(wanted.keys() | ours.keys()):
        if ours.get(key, 0) != wanted.get(key, 0):
            yield (
                f"{period}: {key.account} ({key.source}) is {ours.get(key, 0)} with its"
                f" corrections, on time it would be {wanted.get(key, 0)} nano"
            )


def _scattered(tx: Tx) -> Iterator[str]:
    """Open months that have run, of which something still stands in another month.

    A reopened month keeps its adjustments elsewhere until its next run.
    """
    for row in tx.rows("SELECT DISTINCT period FROM sheet ORDER BY period"):
        period = str(row.period)
        held = sheet_versions(tx, period)
        is_open = standing_cutoff(tx, period) is None
        for other in posting_periods(tx, period):
            if other != period and is_open and held and _has_run_since(tx, period):
                held_there = booked(tx, period, other).items()
                rest = sum(abs(nano) for key, nano in held_there if is_from_events(key))
                if rest:
                    yield f"{period} is open and {rest} nano about it stand in {other}"


def _has_run_since(tx: Tx, period: str) -> bool:
    """Whether something about a period posted into it since it was reopened."""
    found = tx.scalar(
        "SELECT COUNT(*) FROM chain WHERE kind = 'entry' AND period = :period"
        " AND service_period = :period AND seq >"
        " (SELECT COALESCE(MAX(seq), 0) FROM chain WHERE period = :period AND reason = 'reopen')",
        period=period,
    )
    return bool(found)
