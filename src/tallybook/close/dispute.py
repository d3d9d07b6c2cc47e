"""Disputes: a team says that a line of its statement is wrong, by the date that it names.

A dispute moves no money. It ends by an adjusting entry that was posted, or by a rejection with a
reason; until then it is an open item.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from tallybook.clock import Period, format_instant
from tallybook.close.adjust import adjusting_of
from tallybook.close.duties import require_duty, role_of, same_person
from tallybook.errors import LedgerError, PeriodError
from tallybook.post.basis import latest_books
from tallybook.store import Tx
from tallybook.store.commands import Command, log_command

Ending = Literal["adjusted", "rejected"]
_PREFIX: Final = "D-"


@dataclass(frozen=True, slots=True)
class Disputed:
    """The line of an issued statement that is disputed, as the statements have it."""

    period: str
    version: int
    line: str
    team: str
    amount_cents: int
    until: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as it stands; ``ending`` is empty while it is open.

    ``adjusting`` is the adjusting entry that settled it; ``said`` the reason that ended it.
    """

    id: str
    period: str
    version: int
    line: str
    team: str
    amount_cents: int
    reason: str
    actor: str
    role: str
    at_us: int
    ending: str = ""
    adjusting: str = ""
    ended_by: str = ""
    said: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody has settled it."""
        return not self.ending


def disputes(tx: Tx) -> list[Dispute]:
    """Every dispute, the oldest first."""
    rows = tx.rows(
        "SELECT d.id, d.period, d.version, d.line, d.team, d.amount_cents, d.reason, d.actor,"
        " d.role, d.at_us, COALESCE(s.step, '') AS ending, COALESCE(s.adjusting, '') AS adjusting,"
        " COALESCE(s.actor, '') AS ended_by, COALESCE(s.reason, '') AS said"
        " FROM dispute AS d LEFT JOIN dispute_step AS s ON s.dispute = d.id ORDER BY d.id"
    )
    return [Dispute(*tuple(row)) for row in rows]


def dispute(
    tx: Tx, about: Disputed, *, reason: str, today: str, actor: str, now_us: int
) -> Dispute:
    """Dispute a line of an issued statement.

    Args:
        tx: a write transaction.
        about: the line as issued; ``until`` is the last day for it, empty if none is named.
        reason: what is wrong.
        today: the day in the company's zone, as ``2026-11-12``.
        actor: who disputes.
        now_us: when.

    Raises:
        PeriodError: the day has passed, or no reason is given.
        LedgerError: the line is disputed already.
    """
    if not reason.strip():
        raise PeriodError("a dispute needs a reason", next_step="give one with --reason")
    if about.until and today > about.until:
        raise PeriodError(
            f"{about.line} of {about.period} could be disputed until {about.until}; it is {today}",
            where=about.line,
            next_step="ask finance for an adjustment: tallybook adjust",
        )
    standing = [each for each in disputes(tx) if each.line == about.line and each.is_open]
    if standing:
        raise LedgerError(
            f"{about.line} is disputed already: {standing[0].id} by {standing[0].actor} at"
            f" {format_instant(standing[0].at_us)}",
            where=about.line,
            next_step="wait for its settlement: tallybook open-items",
        )
    number = int(tx.scalar("SELECT COUNT(*) FROM dispute")) + 1
    made = Dispute(
        f"{_PREFIX}{number:04}", about.period, about.version, about.line, about.team,
        about.amount_cents, reason.strip(), actor, role_of(latest_books(tx)[0].org, actor), now_us,
    )  # fmt: skip
    names = ("id", "period", "version", "line", "team", "amount_cents", "reason", "actor", "role",
             "at_us")  # fmt: skip
    tx.run(
        f"INSERT INTO dispute ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})",
        **{name: getattr(made, name) for name in names},
    )
    args = {"line": about.line, "reason": reason}
    log_command(tx, Command("dispute", args, actor), now_us, {}, made.id)
    return made


def settle_dispute(
    tx: Tx, dispute_id: str, ending: Ending, *, adjusting: str, reason: str, actor: str, now_us: int
) -> None:
    """End a dispute: by an adjusting entry that was posted, or by a rejection.

    Raises:
        LedgerError: there is no such dispute, it has ended, or the entry is not posted.
        PeriodError: no reason, who disputed rejects it themselves, or the actor is no approver.
    """
    found = {each.id: each for each in disputes(tx)}.get(dispute_id)
    if found is None or not found.is_open:
        what = "there is no dispute" if found is None else f"{found.ending} already is dispute"
        raise LedgerError(f"{what} {dispute_id}", next_step="see them: tallybook open-items")
    if not reason.strip():
        raise PeriodError("a settlement needs a reason", next_step="give one with --reason")
    if same_person(found.actor, actor):
        raise PeriodError(
            f"{actor} raised {dispute_id} and cannot settle it; it takes two people",
            next_step="have another settle it: --as NAME",
        )
    role = require_duty(tx, actor, "approver", f"settle {dispute_id}")
    if ending == "adjusted":
        _require_posted(tx, found, adjusting)
    tx.run(
        "INSERT INTO dispute_step (dispute, number, step, adjusting, actor, role, reason, at_us)"
        " VALUES (:dispute, 1, :step, :adjusting, :actor, :role, :reason, :at_us)",
        dispute=dispute_id,
        step=ending,
        adjusting=adjusting,
        actor=actor,
        role=role,
        reason=reason.strip(),
        at_us=now_us,
    )
    args = {"dispute": dispute_id, "ending": ending, "adjusting": adjusting, "reason": reason}
    log_command(tx, Command("dispute", args, actor), now_us, {}, ending)


def _require_posted(tx: Tx, found: Dispute, adjusting: str) -> None:
    entry = adjusting_of(tx, adjusting)
    if entry.state != "posted":
        raise LedgerError(
            f"{adjusting} is {entry.state}, not posted",
            where=found.id,
            next_step=f"tallybook adjust {entry.period} --post {adjusting}",
        )
    if not any(line.team == found.team for line in entry.lines):
        raise LedgerError(
            f"{adjusting} has no line of {found.team}, whose {found.line} is disputed",
            where=found.id,
            next_step="name the adjusting entry that corrects that team",
        )


def due_day(period: Period, days: int) -> str:
    """The last day on which a line of a month may be disputed: so many days after its last."""
    return (date.fromisoformat(period.last_day()) + timedelta(days=days)).isoformat()
