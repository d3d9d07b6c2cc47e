"""Alerts: given once per kind, subject and window, kept, told, acknowledged by name and reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from tallybook.books.model import Org
from tallybook.errors import StoreError, WrongUsageError
from tallybook.live.model import Alert
from tallybook.store import Store, Tx, canonical_json, storable
from tallybook.store.commands import Command, log_command

ROLES: Final = ("engineering", "product", "finance")
"""Whose address an alert names: the first of these that the team has, else any."""
_SAID: Final = (
    "team", "feature", "agent", "trace", "owner", "figure", "threshold", "unit", "usual",
    "next_step",
)  # fmt: skip


def give(store: Store, found: Iterable[Alert], org: Org, now_us: int) -> list[Alert]:
    """Keep those alerts that were not given before, with the person who answers for them.

    Returns:
        the new ones, with their ids.
    """
    alerts = [
        replace(
            one,
            subject=storable(one.subject),
            owner=owner_of(org, one.team, now_us),
            fired_us=now_us,
        )
        for one in found
    ]
    if not alerts:
        return []
    with store.read() as tx:
        alerts = [one for one in alerts if not _is_given(tx, one)]
    if not alerts:
        return []
    with store.write() as tx:
        return [kept for one in alerts if (kept := _kept(tx, one))]


def owner_of(org: Org, team: str, at_us: int) -> str:
    """Who answers for a team at an instant; '' if the books name nobody."""
    for row in org.teams:
        if row.id == team and row.span.holds(at_us):
            named = [row.owners[role] for role in ROLES if row.owners.get(role)]
            named += [name for name in row.owners.values() if name]
            return next(iter(named), "")
    return ""


def alerts(store: Store, *, every: bool = False, since_us: int = 0) -> list[Alert]:
    """The alerts that nobody acknowledged, or every one, the newest first."""
    with store.read() as tx:
        rows = tx.rows(
            "SELECT * FROM alert WHERE fired_us >= :since AND (:every OR acked_us = 0)"
            " ORDER BY id DESC",
            since=since_us,
            every=every,
        )
    return [_alert(row) for row in rows]


def acknowledge(store: Store, alert: int, reason: str, actor: str, now_us: int) -> Alert:
    """Say that somebody looks after an alert.

    Raises:
        WrongUsageError: there is no such alert, or no reason.
        StoreError: it was acknowledged before.
    """
    if not reason.strip():
        raise WrongUsageError("the reason is empty", next_step="say what was found or done")
    with store.write() as tx:
        row = tx.row("SELECT * FROM alert WHERE id = :id", id=alert)
        if row is None:
            raise WrongUsageError(
                f"there is no alert {alert}", next_step="see: tallybook alerts --all"
            )
        if row.acked_us:
            raise StoreError(
                f"alert {alert} was acknowledged before, by {row.acked_by}: {row.reason}",
                next_step="nothing is left to do",
            )
        tx.run(
            "UPDATE alert SET acked_by = :actor, reason = :reason, acked_us = :at WHERE id = :id",
            actor=actor,
            reason=reason,
            at=now_us,
            id=alert,
        )
        args = {"alert": alert, "reason": reason}
        log_command(tx, Command("alerts ack", args, actor), now_us, {}, f"{row.kind} {row.subject}")
        found = tx.row("SELECT * FROM alert WHERE id = :id", id=alert)
    return _alert(found)


def untold(store: Store, channel: str, since_us: int) -> list[Alert]:
    """The alerts since an instant that a channel was not told of, the oldest first."""
    return [one for one in reversed(alerts(store, since_us=since_us)) if channel not in one.told]


def note_told(store: Store, alert: int, channel: str, outcome: str) -> None:
    """Keep that a channel was told of an alert."""
    with store.write() as tx:
        told = json.loads(tx.scalar("SELECT told FROM alert WHERE id = :id", id=alert) or "{}")
        body = canonical_json(told | {channel: outcome})
        tx.run("UPDATE alert SET told = :told WHERE id = :id", told=body, id=alert)


def _is_given(tx: Tx, one: Alert) -> bool:
    return bool(
        tx.scalar(
            'SELECT 1 FROM alert WHERE kind = :kind AND subject = :subject AND "window" = :window',
            kind=one.kind,
            subject=one.subject,
            window=one.window,
        )
    )


def _kept(tx: Tx, one: Alert) -> Alert | None:
    row = tx.row(
        'INSERT INTO alert (kind, subject, "window", fired_us, body, told, acked_by, reason,'
        " acked_us) VALUES (:kind, :subject, :window, :at, :body, '{}', '', '', 0)"
        ' ON CONFLICT (kind, subject, "window") DO NOTHING RETURNING id',
        kind=one.kind,
        subject=one.subject,
        window=one.window,
        at=one.fired_us,
        body=canonical_json({name: getattr(one, name) for name in _SAID}),
    )
    return replace(one, id=int(row.id)) if row else None


def _alert(row: Any) -> Alert:
    said: Mapping[str, str] = json.loads(row.body)
    return Alert(
        kind=row.kind,
        subject=row.subject,
        window=row.window,
        id=int(row.id),
        fired_us=int(row.fired_us),
        acked_by=row.acked_by,
        reason=row.reason,
        acked_us=int(row.acked_us),
        told=json.loads(row.told),
        **said,
    )
