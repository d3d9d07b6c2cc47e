"""Reverse an entry: post its exact negation, once (INV-03)."""

from __future__ import annotations

from tallybook.clock import Period, format_instant
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.append import book
from tallybook.ledger.journal import JournalEntry, entry_of
from tallybook.ledger.model import Entry, Link, Posting, Reason
from tallybook.ledger.state import admits, period_state
from tallybook.store import Tx, sql_text


def reverse(tx: Tx, entry_id: str, actor: str, text: str, now_us: int, *, period: str = "") -> Link:
    """Post the negation of an entry, so that every balance is as if the entry had never been.

    It posts into the entry's period, or, if that does not take it, into the next period that does:
    one that is soft-closed takes the reversal of what is not from usage. The service periods stay
    as they were.

    Args:
        tx: a writing transaction.
        entry_id: ``"E-000001"``.
        actor: who acts.
        text: why.
        now_us: recorded time, microseconds since the epoch, UTC.
        period: a later period that it shall post into; empty: as said above.

    Raises:
        PeriodError: the period that was named does not take it.
        LedgerError: no such entry, or it was reversed before (names that reversal).
    """
    original = entry_of(tx, entry_id)
    _require_first(tx, entry_id)
    if period and not admits(tx, period, original.reason):
        raise PeriodError(
            f"{period} is {period_state(tx, period)} and takes no reversal of {entry_id} "
            f"({original.reason})",
            where=period,
            next_step="leave the period out: it posts into the next one that takes it",
        )
    negation = Entry(
        reason=Reason.REVERSAL,
        period=period or _admitting_period(tx, original),
        service_period=original.service_period,
        text=text,
        postings=tuple(Posting.of(p.key, -p.amount_nano) for p in original.postings),
        versions=original.versions,
        corrects=entry_id,
    )
    return book(tx, negation, actor, now_us)


def _require_first(tx: Tx, entry_id: str) -> None:
    earlier = tx.row(sql_text(__package__, "reversal_of"), entry_id=entry_id)
    if earlier:
        raise LedgerError(
            f"{entry_id} was reversed before: by {earlier.id} in {earlier.period}, by "
            f"{earlier.actor} at {format_instant(earlier.recorded_us)}",
            where=entry_id,
            next_step="an entry is reversed once; post a new entry if the reversal was wrong",
        )


def _admitting_period(tx: Tx, original: JournalEntry) -> str:
    period = Period.parse(original.period)
    while not admits(tx, str(period), original.reason):
        period = period.next()
    return str(period)
