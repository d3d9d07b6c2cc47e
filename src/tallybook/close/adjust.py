"""Adjusting entries by hand: prepared by one, approved by another, then posted.

Draft, approved, posted; or rejected. The draft is fixed when it is prepared: its digest stands in
the approval, which is an act on the chain, so what was approved is what is posted. Only what no run
makes may be touched: cost and pools hold what calls and policy come to (INV-12 d), rounding and
results are a close's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from tallybook.books.model import Org
from tallybook.clock import Calendar, Period
from tallybook.close.duties import require_another, require_duty
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.append import append_act, append_entry
from tallybook.ledger.chart import Family, check_account
from tallybook.ledger.model import Act, ActKind, Entry, Posting, Reason
from tallybook.ledger.reverse import reverse
from tallybook.ledger.state import admits, period_state, standing_cutoff
from tallybook.money import NANO_SCALE, format_units, parse_amount
from tallybook.post.basis import latest_books
from tallybook.post.sheet import sheet_versions
from tallybook.store import Tx, canonical_json, faults
from tallybook.store.commands import Command, log_command

FAMILY: Final = "adjust"
"""the group of its postings, before the colon and the id"""
KIND: Final = "adjustment"
_PREFIX: Final = "J-"
ADJUSTING: Final = re.compile(r"J-\d{4,}")
"""what the id of an adjusting entry looks like"""
_ALLOWED: Final = (
    Family.CHARGE, Family.VARIANCE, Family.ABSORPTION, Family.SUSPENSE, Family.ACCRUED,
    Family.PAYABLE, Family.PREPAID, Family.TAX,
)  # fmt: skip
_NOT_HERE: Final = {
    Family.COST: "it holds what calls come to: correct the events or the prices, or use Variance:",
    Family.POOL: "it holds the policy amount: enter what it really cost with tallybook pool",
    Family.SOURCE: "it mirrors what a pool really cost: enter that with tallybook pool",
}


@dataclass(frozen=True, slots=True)
class AdjustingLine:
    """One side of an adjusting entry, in nano; debit positive."""

    account: str
    team: str
    feature: str
    amount_nano: int


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to an adjusting entry: approved, posted, rejected or reversed."""

    step: str
    link: str
    actor: str
    role: str
    reason: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Adjusting:
    """An adjusting entry with what happened to it.

    Args:
        id: ``"J-0001"``.
        period: the month it posts to; ``service_period`` the month it is about.
        text: what statements say; ``reason`` why it is right, for whoever asks later.
        support: a reference or a file's name; ``support_sha256`` the file's digest, if it was one.
        reverses: whether its reversal posts into the month after.
        lines: they sum to zero.
        digest: of all above, which the approval names.
    """

    id: str
    period: str
    service_period: str
    text: str
    reason: str
    support: str
    support_sha256: str
    reverses: bool
    lines: tuple[AdjustingLine, ...]
    digest: str
    actor: str
    role: str
    at_us: int
    steps: tuple[Step, ...] = ()

    @property
    def state(self) -> str:
        """``draft``, ``approved``, ``posted``, ``rejected`` or ``reversed``."""
        return self.steps[-1].step if self.steps else "draft"

    @property
    def is_pending(self) -> bool:
        """Whether somebody still has to decide: a month does not close over it."""
        return self.state in ("draft", "approved")


def prepare(
    tx: Tx,
    period: Period,
    lines: Sequence[AdjustingLine],
    *,
    about: Period | None = None,
    text: str,
    reason: str,
    support: str,
    support_sha256: str = "",
    reverses: bool = False,
    actor: str,
    now_us: int,
) -> Adjusting:
    """Prepare an adjusting entry; nothing is posted.

    Args:
        tx: a write transaction.
        period: the month to post into; open or soft-closed.
        lines: its sides.
        about: the month that it is about; by default the same.
        text: what statements say, in a few words.
        reason: why it is right.
        support: what proves it: a reference, or the name of a file.
        support_sha256: the file's digest, if it is one.
        reverses: post its reversal into the month after.
        actor: who prepares.
        now_us: when.

    Raises:
        LedgerError: it does not balance, an account is not for it, a team or feature is not known
            or not charged, or nothing is said in text, reason or support.
        PeriodError: the month does not take it, or the actor is no preparer.
    """
    service = str(about or period)
    role = require_duty(tx, actor, "preparer", "prepare an adjusting entry")
    _require_said(text, reason, support)
    _require_period(tx, period, service)
    books, _ = latest_books(tx)
    model_of = {team: books.policy.at(Period.parse(service)).policy_for(team).model
                for team in {line.team for line in lines}}  # fmt: skip
    for line in lines:
        _check_line(line, books.org, books.calendar, service, model_of[line.team])
    number = int(tx.scalar("SELECT COUNT(*) FROM adjusting")) + 1
    said = (text.strip(), reason.strip(), support.strip(), support_sha256)
    made = Adjusting(
        f"{_PREFIX}{number:04}", str(period), service, *said, reverses, tuple(lines), "", actor,
        role, now_us,
    )  # fmt: skip
    made = replace(made, digest=_digest(made))
    _entry(tx, made)
    _keep(tx, made)
    args = {"period": str(period), "id": made.id, "digest": made.digest, "reason": made.reason}
    log_command(tx, Command("adjust", args, actor), now_us, {}, f"{made.id} prepared")
    return made


def approve(tx: Tx, adjusting_id: str, *, reason: str = "", actor: str, now_us: int) -> Adjusting:
    """Approve a draft; another person than the one who prepared it.

    Raises:
        LedgerError: no such entry, or it is no draft.
        PeriodError: the actor prepared it, or is no approver.
    """
    found = _in_state(adjusting_of(tx, adjusting_id), ("draft",), "approved")
    require_another(found.actor, actor, f"adjusting entry {found.id}", "--as")
    role = require_duty(tx, actor, "approver", f"approve {found.id}")
    details = {
        "adjusting": found.id, "digest": found.digest, "prepared_by": found.actor,
        "prepared_as": found.role, "role": role, "support": found.support,
        "support_sha256": found.support_sha256,
    }  # fmt: skip
    act = Act(ActKind.SIGNOFF, found.period, reason.strip() or found.reason, details)
    link = append_act(tx, act, actor, now_us)
    return _step(tx, found, Step("approved", link.id, actor, role, reason.strip(), now_us))


def reject(tx: Tx, adjusting_id: str, *, reason: str, actor: str, now_us: int) -> Adjusting:
    """Reject what is not posted; its preparer may take it back so.

    Raises:
        LedgerError: no such entry, or it is posted.
        PeriodError: no reason is given.
    """
    found = _in_state(adjusting_of(tx, adjusting_id), ("draft", "approved"), "rejected")
    if not reason.strip():
        raise PeriodError("a rejection needs a reason", next_step="give one with --reason")
    role = "" if actor == found.actor else require_duty(tx, actor, "approver", "reject it")
    return _step(tx, found, Step("rejected", "", actor, role, reason.strip(), now_us))


def post(tx: Tx, adjusting_id: str, *, actor: str, now_us: int) -> Adjusting:
    """Post what was approved; with its reversal in the month after, if it was prepared so.

    Raises:
        LedgerError: no such entry, it is not approved, or is not what was approved.
        PeriodError: a month does not take it.
    """
    found = _in_state(adjusting_of(tx, adjusting_id), ("approved",), "posted")
    if found.digest != _digest(found):
        raise LedgerError(
            f"{found.id} is not what was approved: its digest is {_digest(found)}, approved was"
            f" {found.digest}",
            where="adjusting",
            next_step="restore the book from a backup, then run: tallybook verify",
        )
    link = append_entry(tx, _entry(tx, found), actor, now_us)
    faults.reached("adjust.posted")
    if found.reverses:
        after = str(Period.parse(found.period).next())
        text = f"Reversal of {found.id} in the month after, as prepared"
        reverse(tx, link.id, actor, text, now_us, period=after)
    role = require_duty(tx, actor, "approver", f"post {found.id}")
    return _step(tx, found, Step("posted", link.id, actor, role, "", now_us))


def undo(tx: Tx, adjusting_id: str, *, reason: str, actor: str, now_us: int) -> Adjusting:
    """Reverse what was posted, in its month or the next that takes it.

    Raises:
        LedgerError: no such entry, it is not posted, or its reversal is posted already.
        PeriodError: no reason, or the actor is no approver.
    """
    found = _in_state(adjusting_of(tx, adjusting_id), ("posted",), "reversed")
    if not reason.strip():
        raise PeriodError("a reversal needs a reason", next_step="give one with --reason")
    role = require_duty(tx, actor, "approver", f"reverse {found.id}")
    link = reverse(tx, found.steps[-1].link, actor, reason.strip(), now_us)
    return _step(tx, found, Step("reversed", link.id, actor, role, reason.strip(), now_us))


def adjustings(tx: Tx, period: str = "") -> list[Adjusting]:
    """Every adjusting entry, or those of one month, the oldest first."""
    steps: dict[str, list[Step]] = {}
    for row in tx.rows(
        "SELECT adjusting, step, link, actor, role, reason, at_us FROM adjusting_step"
        " ORDER BY adjusting, number"
    ):
        steps.setdefault(str(row[0]), []).append(Step(*tuple(row)[1:]))
    rows = tx.rows(
        "SELECT id, period, service_period, text, reason, support, support_sha256, reverses, lines,"
        " digest, actor, role, at_us FROM adjusting WHERE :period = '' OR period = :period"
        " ORDER BY id",
        period=period,
    )
    return [_read(row, steps.get(str(row.id), [])) for row in rows]


def adjusting_of(tx: Tx, adjusting_id: str) -> Adjusting:
    """One adjusting entry.

    Raises:
        LedgerError: there is none of this id.
    """
    for each in adjustings(tx):
        if each.id == adjusting_id:
            return each
    raise LedgerError(
        f"there is no adjusting entry {adjusting_id!r}",
        next_step="see a month's: tallybook adjust PERIOD",
    )


def line_of(text: str) -> AdjustingLine:
    """Read ``ACCOUNT=AMOUNT``; of a charge ``Charge:TEAM:FEATURE=AMOUNT``, or without a feature.

    Raises:
        LedgerError: it has another form.
        MoneyError: the amount is none.
    """
    name, is_there, amount = text.rpartition("=")
    if not is_there:
        raise LedgerError(
            f"{text!r} is no line", next_step="write it as Charge:support:refund-bot=-12.50"
        )
    account = name.strip()
    nano = parse_amount(amount.strip())
    family, _, rest = account.partition(":")
    if family != Family.CHARGE:
        return AdjustingLine(account, "", "", nano)
    team, _, feature = rest.partition(":")
    return AdjustingLine(f"{Family.CHARGE}:{team}:{KIND}", team, feature, nano)


def _require_said(text: str, reason: str, support: str) -> None:
    for what, value in (("text", text), ("reason", reason), ("support", support)):
        if not value.strip() or not value.isprintable():
            raise LedgerError(
                f"an adjusting entry needs a {what} in plain words",
                next_step=f"give it with --{what}",
            )


def _require_period(tx: Tx, period: Period, service: str) -> None:
    if not admits(tx, str(period), Reason.MANUAL):
        raise PeriodError(
            f"{period} is {period_state(tx, str(period))}; nothing posts into it",
            where=str(period),
            next_step=f"post into an open month, about {period}: --about {period}",
        )
    if service > str(period):
        raise PeriodError(f"{service} is after {period}: an entry is about its month or before")
    if service != str(period) and standing_cutoff(tx, service) is None:
        raise PeriodError(
            f"{service} is open: what is about it posts into it",
            next_step=f"tallybook adjust {service}",
        )
    if sheet_versions(tx, service) is None:
        raise PeriodError(f"nothing is booked in {service}", next_step=f"tallybook run {service}")


def _check_line(
    line: AdjustingLine, org: Org, calendar: Calendar, service: str, model: str
) -> None:
    family = check_account(line.account)
    if family not in _ALLOWED:
        raise LedgerError(
            f"{line.account} is not for adjusting entries",
            next_step=_NOT_HERE.get(family, f"use one of {', '.join(_ALLOWED)}"),
        )
    if family is not Family.CHARGE:
        return
    last_us = calendar.bounds_us(Period.parse(service))[1] - 1
    teams = {row.id for row in org.teams if row.span.holds(last_us)} - {org.unowned_team}
    if line.team not in teams:
        raise LedgerError(
            f"{line.team!r} is no team that is charged in {service}",
            next_step=f"name one of {', '.join(sorted(teams))}",
        )
    if model == "showback":
        raise LedgerError(
            f"{line.team} is on showback in {service}: it is shown its cost and charged nothing",
            next_step="adjust a central account, such as Variance:adjustment",
        )
    owned = {row.id for row in org.features if row.team == line.team}
    if line.feature and line.feature not in owned:
        raise LedgerError(
            f"{line.feature!r} is no feature of {line.team}",
            next_step=f"name one of {', '.join(sorted(owned))}, or none",
        )


def _entry(tx: Tx, made: Adjusting) -> Entry:
    """The entry that it posts; it balances, or cannot be made."""
    cutoff = (
        standing_cutoff(tx, made.service_period) if made.service_period != made.period else None
    )
    detail = f"{made.id} {made.text}"
    return Entry(
        reason=Reason.MANUAL,
        period=made.period,
        service_period=made.service_period,
        text=f"Adjusting entry {detail}: {made.reason}",
        postings=tuple(
            Posting(
                line.account, line.amount_nano, team=line.team, feature=line.feature,
                kind=KIND if line.team else "", detail=detail, source=f"{FAMILY}:{made.id}",
            )
            for line in made.lines
        ),
        corrects=cutoff.id if cutoff else "",
        details={
            "adjusting": made.id, "digest": made.digest, "reason": made.reason,
            "support": made.support, "support_sha256": made.support_sha256,
            "prepared_by": made.actor, "prepared_as": made.role,
            "approved_by": made.steps[-1].actor if made.steps else "",
            "approved_as": made.steps[-1].role if made.steps else "",
        },
    )  # fmt: skip


def _in_state(found: Adjusting, states: tuple[str, ...], wanted: str) -> Adjusting:
    if found.state not in states:
        raise LedgerError(
            f"{found.id} is {found.state}; only what is {' or '.join(states)} can be {wanted}",
            where=found.id,
            next_step=f"tallybook adjust {found.period}",
        )
    return found


def _step(tx: Tx, found: Adjusting, step: Step) -> Adjusting:
    tx.run(
        "INSERT INTO adjusting_step (adjusting, number, step, link, actor, role, reason, at_us)"
        " VALUES (:adjusting, :number, :step, :link, :actor, :role, :reason, :at_us)",
        adjusting=found.id,
        number=len(found.steps) + 1,
        **{name: getattr(step, name) for name in Step.__slots__},
    )
    args = {"period": found.period, "id": found.id, "step": step.step, "reason": step.reason}
    outcome = f"{found.id} {step.step} {step.link}".strip()
    log_command(tx, Command("adjust", args, step.actor), step.at_us, {}, outcome)
    return replace(found, steps=(*found.steps, step))


def _digest(made: Adjusting) -> str:
    names = ("id", "period", "service_period", "text", "reason", "support", "support_sha256",
             "reverses", "actor")  # fmt: skip
    body = {name: getattr(made, name) for name in names} | {"lines": _line_values(made.lines)}
    return sha256(canonical_json(body).encode()).hexdigest()


def _line_values(lines: Sequence[AdjustingLine]) -> list[list[object]]:
    return [[line.account, line.team, line.feature, line.amount_nano] for line in lines]


def _keep(tx: Tx, made: Adjusting) -> None:
    names = [name for name in Adjusting.__slots__ if name != "steps"]
    values: dict[str, object] = {name: getattr(made, name) for name in names}
    values |= {"lines": canonical_json(_line_values(made.lines)), "reverses": int(made.reverses)}
    tx.run(
        f"INSERT INTO adjusting ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})",
        **values,
    )


def _read(row: Any, steps: Sequence[Step]) -> Adjusting:
    values = dict(zip(row._fields, row, strict=True))
    values["lines"] = tuple(AdjustingLine(*line) for line in json.loads(row.lines))
    return Adjusting(**values | {"reverses": bool(row.reverses), "steps": tuple(steps)})


def amount_text(nano: int) -> str:
    """An amount with its sign, in units of the currency."""
    return format_units(nano, NANO_SCALE)
