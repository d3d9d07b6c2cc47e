"""Which observations are one call, and by which row each call bills: the tables behind it.

All of them can be made again from the sealed observations, but for the verdicts of people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tallybook.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Member:
    """An observation of a call that several told of; ``bills`` if its own row does."""

    observation: bytes
    call: bytes
    period: str
    bills: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The row, made of observations, that bills for a subject: a call, an outer span, a bucket."""

    subject: bytes
    source: str
    event_id: str
    started_us: int
    content: bytes
    revision: int


def aliased(tx: Tx, names: Iterable[bytes]) -> dict[bytes, tuple[bytes, str]]:
    """For each name that is known, the first observation that bore it and its period."""
    return {
        bytes(row.key): (bytes(row.observation), str(row.period))
        for row in tx.rows_among("alias", "key", names)
    }


def add_aliases(tx: Tx, names: Iterable[tuple[bytes, bytes, str]]) -> None:
    """Keep names (name, observation, period); one that is known stays with its first bearer."""
    tx.run_tuples(
        "INSERT INTO alias (key, observation, period) VALUES (?, ?, ?)"
        " ON CONFLICT (key) DO NOTHING",
        sorted(names),  # leaf by leaf through the tree
    )


def members_of(tx: Tx, observations: Iterable[bytes]) -> dict[bytes, Member]:
    """The memberships of some observations; one that is the only one of its call has none."""
    rows = tx.rows_among("member", "observation", observations)
    return {member.observation: member for member in map(_member, rows)}


def members_in(tx: Tx, calls: Iterable[bytes]) -> list[Member]:
    """All members of some calls."""
    return [_member(row) for row in tx.rows_among("member", "call", calls)]


def put_members(tx: Tx, members: Iterable[Member]) -> None:
    """Write memberships, over those that stand."""
    tx.run_tuples(
        f"INSERT INTO member ({_MEMBER}) VALUES (?, ?, ?, ?) ON CONFLICT (observation)"
        " DO UPDATE SET call = excluded.call, bills = excluded.bills",
        sorted((m.observation, m.call, m.period, int(m.bills)) for m in members),
    )


def standings(tx: Tx, subjects: Iterable[bytes]) -> dict[bytes, Standing]:
    """The rows that bill for some subjects."""
    rows = tx.rows_among("standing", "subject", subjects)
    found = (
        Standing(
            bytes(row.subject),
            str(row.source),
            str(row.event_id),
            int(row.started_us),
            bytes(row.content),
            int(row.revision),
        )
        for row in rows
    )
    return {one.subject: one for one in found}


def put_standings(tx: Tx, kept: Iterable[Standing]) -> None:
    """Write what stands for subjects, over what stood; an empty event id is "nothing any more"."""
    tx.run_tuples(
        f"INSERT INTO standing ({_STANDING}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (subject)"
        " DO UPDATE SET source = excluded.source, event_id = excluded.event_id,"
        " started_us = excluded.started_us, content = excluded.content,"
        " revision = excluded.revision",
        sorted(
            (s.subject, s.source, s.event_id, s.started_us, s.content, s.revision) for s in kept
        ),
    )


def add_suspects(tx: Tx, found: Mapping[tuple[bytes, bytes], tuple[str, int]]) -> None:
    """Put pairs on the list of suspects, each with what was told and when it started.

    A pair that is on the list stays as it is.
    """
    tx.run_tuples(
        "INSERT INTO suspect (low, high, told, started_us, verdict, actor, reason, decided_us)"
        " VALUES (?, ?, ?, ?, '', '', '', 0) ON CONFLICT (low, high) DO NOTHING",
        sorted((low, high, *told) for (low, high), told in found.items()),
    )


def suspect_rows(tx: Tx) -> Sequence[Any]:
    """The list of suspects."""
    return tx.rows("SELECT low, high, told, started_us, verdict, actor, reason FROM suspect")


def suspects_among(tx: Tx, keys: Iterable[bytes]) -> list[Any]:
    """The suspects, decided or not, of which one call is among some keys."""
    wanted = set(keys)
    return [*tx.rows_among("suspect", "low", wanted), *tx.rows_among("suspect", "high", wanted)]


def judge(
    tx: Tx,
    pairs: Iterable[tuple[bytes, bytes]],
    verdict: str,
    actor: str,
    reason: str,
    now_us: int,
) -> None:
    """Write a verdict about pairs of the list."""
    tx.run_tuples(
        "UPDATE suspect SET verdict = ?, actor = ?, reason = ?, decided_us = ?"
        " WHERE low = ? AND high = ?",
        [(verdict, actor, reason, now_us, low, high) for low, high in pairs],
    )


def declared_same(
    tx: Tx, keys: Iterable[bytes], verdicts: Mapping[frozenset[bytes], str] = MappingProxyType({})
) -> list[frozenset[bytes]]:
    """The pairs, one of them among some keys, that a person declared to be one call.

    Args:
        tx: a transaction.
        keys: of observations.
        verdicts: of pairs, as they will be written with what comes of them.
    """
    wanted = set(keys)
    rows = suspects_among(tx, wanted)
    same = {frozenset((bytes(row.low), bytes(row.high))) for row in rows if row.verdict == "same"}
    same -= verdicts.keys()
    same |= {pair for pair, told in verdicts.items() if told == "same" and pair & wanted}
    return sorted(same, key=sorted)


_MEMBER = "observation, call, period, bills"
_STANDING = "subject, source, event_id, started_us, content, revision"


def _member(row: Any) -> Member:
    return Member(bytes(row.observation), bytes(row.call), str(row.period), bool(row.bills))
