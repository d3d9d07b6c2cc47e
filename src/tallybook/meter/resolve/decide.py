"""The list of suspects, and what people decide about it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal, get_args

from tallybook.clock import Calendar, Period
from tallybook.errors import EventError
from tallybook.meter.resolve.seal import settle_again
from tallybook.store import Store, Tx
from tallybook.store.calls import judge, suspect_rows
from tallybook.store.commands import Command, log_command
from tallybook.store.observations import Observations
from tallybook.store.rows import Row

Verdict = Literal["same", "different"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Two observations that may be one call. ``verdict`` is '' until somebody decides."""

    id: str
    calls: tuple[Mapping[str, Any], ...]
    keys: tuple[bytes, bytes]
    started_us: int
    verdict: str
    actor: str
    reason: str

    @property
    def sources(self) -> frozenset[str]:
        """Who told of them."""
        return frozenset(str(call["source"]) for call in self.calls)


def suspects(tx: Tx, *, open_only: bool = True) -> list[Suspect]:
    """The list, the oldest first."""
    found = [
        Suspect(
            id=_id(bytes(row.low), bytes(row.high)),
            calls=tuple(json.loads(row.told)),
            keys=(bytes(row.low), bytes(row.high)),
            started_us=int(row.started_us),
            verdict=str(row.verdict),
            actor=str(row.actor),
            reason=str(row.reason),
        )
        for row in suspect_rows(tx)
    ]
    kept = [one for one in found if not (open_only and one.verdict)]
    return sorted(kept, key=lambda one: (one.started_us, one.id))


def decide(
    store: Store,
    calendar: Calendar,
    verdict: Verdict,
    ids: Sequence[str],
    reason: str,
    command: Command,
    now_us: int,
) -> list[Suspect]:
    """Say of suspects whether they are one call; what bills follows in the same transaction.

    Args:
        store: open books.
        calendar: the company's.
        verdict: `same`: they bill once from now on; `different`: they stay two calls.
        ids: of the list; decided ones may be decided anew.
        reason: why, for whoever asks later.
        command: for the log.
        now_us: when.

    Returns:
        the suspects as they were.

    Raises:
        EventError: an id is not on the list, or the reason is empty; nothing is decided.
    """
    if not reason.strip():
        raise EventError("a decision needs a reason", next_step='--reason "the proxy logs both"')
    with store.read() as tx:
        listed = {one.id: one for one in suspects(tx, open_only=False)}
        unknown = sorted(set(ids) - listed.keys())
        if unknown:
            raise EventError(
                f"{unknown[0]} is not on the list of suspects",
                next_step="tallybook worklist suspects",
            )
    chosen = [listed[one] for one in dict.fromkeys(ids)]

    def write(tx: Tx) -> None:
        judge(tx, [one.keys for one in chosen], verdict, command.actor, reason, now_us)
        log_command(tx, command, now_us, {}, told_of(len(chosen), verdict))

    verdicts = {frozenset(one.keys): verdict for one in chosen}
    settle_again(store, calendar, _rows(store, calendar, chosen), verdicts, write)
    return chosen


def told_of(count: int, verdict: Verdict) -> str:
    """What was decided, in words."""
    return f"1 suspect is {verdict}" if count == 1 else f"{count} suspects are {verdict}"


def between(listed: Iterable[Suspect], one: str, other: str) -> list[str]:
    """The ids of the suspects that two sources told of."""
    return [suspect.id for suspect in listed if suspect.sources == {one, other}]


def _rows(store: Store, calendar: Calendar, chosen: Iterable[Suspect]) -> list[Row]:
    periods: set[str] = set()
    for one in chosen:
        period: Period = calendar.period_of(one.started_us)
        periods |= {str(period.previous()), str(period), str(period.next())}
    return Observations(store, periods).with_keys(key for one in chosen for key in one.keys)


def _id(low: bytes, high: bytes) -> str:
    return f"U-{blake2b(low + high, digest_size=5).hexdigest()}"
