"""Append an entry or an act: the only two ways in which the books grow."""

from __future__ import annotations

from tallybook.clock import format_instant
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.chain import ACT, ENTRY, add_link, head
from tallybook.ledger.model import Act, ActKind, Entry, Link, Reason
from tallybook.ledger.state import standing_close
from tallybook.store import Tx


def append_entry(tx: Tx, entry: Entry, actor: str, now_us: int) -> Link:
    """Book an entry.

    Args:
        tx: a writing transaction.
        entry: balanced by construction.
        actor: who acts.
        now_us: recorded time, microseconds since the epoch, UTC.

    Raises:
        PeriodError: the entry's period is closed.
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
        PeriodError: a close of a closed period, or a reopening of an open one.
        LedgerError: no actor, details of a close that name another head, or text not Unicode.
    """
    _require_actor(actor)
    details = dict(act.details)
    if act.kind is ActKind.CLOSE:
        _require_open(tx, act.period, "it cannot be closed again")
        details = _with_head(tx, details)
    if act.kind is ActKind.REOPEN and standing_close(tx, act.period) is None:
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
        PeriodError: the entry's period is closed.
        LedgerError: no actor, or text that is not Unicode.
    """
    _require_actor(actor)
    _require_open(tx, entry.period, f"an entry {_about(entry)}cannot be posted into it")
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


def _require_open(tx: Tx, period: str, refused: str) -> None:
    close = standing_close(tx, period)
    if close is None:
        return
    raise PeriodError(
        f"{period} was closed by {close.actor} at {format_instant(close.recorded_us)} "
        f"({close.id}); {refused}",
        where=period,
        next_step=f"post into an open period and name {period} as the service period, or reopen it "
        f"with: tallybook reopen {period} --reason ...",
    )
