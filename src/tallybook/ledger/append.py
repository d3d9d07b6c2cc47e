"""Append an entry or an act: the only two ways in which the books grow."""

from __future__ import annotations

from tallybook.clock import format_instant
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.chain import ACT, ENTRY, add_link, head
from tallybook.ledger.model import Act, ActKind, Entry, Link, Reason
from tallybook.ledger.state import (
    CLOSED,
    OPEN,
    SOFT_CLOSED,
    RecordedAct,
    admits,
    last_turn,
    period_state,
    standing_close,
)
from tallybook.store import Tx


def append_entry(tx: Tx, entry: Entry, actor: str, now_us: int) -> Link:
    """Book an entry.

    Args:
        tx: a writing transaction.
        entry: balanced by construction.
        actor: who acts.
        now_us: recorded time, microseconds since the epoch, UTC.

    Raises:
        PeriodError: the entry's period is closed, or soft-closed and the entry comes from usage.
        LedgerError: the entry claims to be a reversal, no actor, or text that is not Unicode.
    """
    if entry.reason is Reason.REVERSAL:
        raise LedgerError(
            f"an entry that says it reverses {entry.corrects or 'nothing'}",
            next_step="call reverse, which negates the entry exactly and only once",
        )
    return book(tx, entry, actor, now_us)


def append_act(tx: Tx, act: Act, actor: str, now_us: int) -> Link:
    """Record an act. A close also keeps the link before it, as ``head`` and ``seq`` in its details.

    Args:
        tx: a writing transaction.
        act: what was decided.
        actor: who decided.
        now_us: recorded time, microseconds since the epoch, UTC.

    Raises:
        PeriodError: a close of a closed period, a soft close of one that is not open, or a
            reopening of an open one.
        LedgerError: no actor, details of a close that name another head, or text not Unicode.
    """
    _require_actor(actor)
    details = dict(act.details)
    if act.kind is ActKind.CLOSE:
        _require_not_closed(tx, act.period, "it cannot be closed again")
        details = _with_head(tx, details)
    if act.kind is ActKind.SOFT_CLOSE:
        _require_soft_closable(tx, act.period)
    if act.kind is ActKind.REOPEN and period_state(tx, act.period) == OPEN:
        raise PeriodError(
            f"{act.period} is open, so there is nothing to reopen",
            next_step="post into it",
        )
    fields = {
        "reason": str(act.kind),
        "period": act.period,
        "service_period": "",
        "recorded_us": now_us,
        "actor": actor,
        "text": act.text,
        "versions": dict(act.versions),
        "corrects": "",
        "details": details,
    }
    return add_link(tx, ACT, fields)


def book(tx: Tx, entry: Entry, actor: str, now_us: int) -> Link:
    """Write an entry of any reason; `append_entry` and `reverse` are its only callers.

    Raises:
        PeriodError: the entry's period is closed, or soft-closed and the entry comes from usage.
        LedgerError: no actor, or text that is not Unicode.
    """
    _require_actor(actor)
    _require_admitted(tx, entry)
    fields = {
        "reason": str(entry.reason),
        "period": entry.period,
        "service_period": entry.service_period,
        "recorded_us": now_us,
        "actor": actor,
        "text": entry.text,
        "versions": dict(entry.versions),
        "corrects": entry.corrects,
        "details": dict(entry.details),
    }
    return add_link(tx, ENTRY, fields, entry.postings)


def _about(entry: Entry) -> str:
    return f"({entry.reason}: {entry.text}) " if entry.text else f"({entry.reason}) "


def _with_head(tx: Tx, details: dict[str, object]) -> dict[str, object]:
    last = head(tx)
    kept = {"head": last.hash, "seq": last.seq}
    if any(details.get(name, value) != value for name, value in kept.items()):
        raise LedgerError(
            f"the close names link {details.get('seq')} {details.get('head')} as the one before "
            f"it, which is {last.seq} {last.hash}",
            next_step="leave head and seq out; they are filled in",
        )
    return details | kept


def _require_actor(actor: str) -> None:
    if not actor.strip():
        raise LedgerError("nobody is named as acting", next_step="say who acts, with --as NAME")


def _require_admitted(tx: Tx, entry: Entry) -> None:
    refused = f"an entry {_about(entry)}cannot be posted into it"
    _require_not_closed(tx, entry.period, refused)
    if not admits(tx, entry.period, entry.reason):
        raise PeriodError(
            f"{_turned(tx, entry.period, SOFT_CLOSED)} and takes finance entries only; {refused}",
            where=entry.period,
            next_step=f"usage of {entry.period} that comes now posts into the month after it: "
            f"run that month; or reopen it with: tallybook reopen {entry.period} --reason ...",
        )


def _require_soft_closable(tx: Tx, period: str) -> None:
    _require_not_closed(tx, period, "it cannot be soft-closed")
    if period_state(tx, period) == SOFT_CLOSED:
        raise PeriodError(
            f"{_turned(tx, period, SOFT_CLOSED)}; it cannot be soft-closed again",
            where=period,
            next_step=f"close it: tallybook close {period}",
        )


def _turned(tx: Tx, period: str, state: str) -> str:
    turn = last_turn(tx, period)
    assert turn is not None, "a period that is not open was turned by an act"
    return f"{period} was {state} by {_told(turn)}"


def _told(act: RecordedAct) -> str:
    return f"{act.actor} at {format_instant(act.recorded_us)} ({act.id})"


def _require_not_closed(tx: Tx, period: str, refused: str) -> None:
    if standing_close(tx, period) is None:
        return
    raise PeriodError(
        f"{_turned(tx, period, CLOSED)}; {refused}",
        where=period,
        next_step=f"post into an open period and name {period} as the service period, or reopen it "
        f"with: tallybook reopen {period} --reason ...",
    )
