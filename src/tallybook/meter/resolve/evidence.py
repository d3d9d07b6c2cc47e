"""What every source said of a call, which field was taken from whom, and which row bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallybook.clock import Calendar, format_instant
from tallybook.errors import EventError
from tallybook.meter.resolve.merge import ALONE, SERVED, TOGETHER, USAGE
from tallybook.meter.resolve.observation import Observation
from tallybook.meter.resolve.rank import standpoint_of
from tallybook.meter.resolve.scope import names_of, scope_of
from tallybook.meter.resolve.settle import Call, Settlement, settle
from tallybook.store import Store
from tallybook.store.arrivals import no_arrivals
from tallybook.store.observations import Observations

_INSTANTS: Final = ("started_us", "ended_us")
_FIELDS: Final = (
    *("provider", "model"),
    *USAGE,
    *(name for group in TOGETHER for name in group),
    *SERVED,
    *ALONE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one source said.

    ``part`` is what became of it: `bills`, `joined`, `outer span`, `inside the trace`, `bucket` or
    `superseded`.
    """

    source: str
    event_id: str
    standpoint: str
    role: str
    part: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """A field of the call that bills: its value, who said it, and what others said instead."""

    field: str
    value: Any
    source: str
    event_id: str
    others: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A call. ``billed`` is the source and id of the row that bills, empty if none does."""

    call: str
    billed: str
    said: tuple[Said, ...]
    taken: tuple[Taken, ...]


def evidence(store: Store, calendar: Calendar, event_id: str, source: str = "") -> Evidence:
    """The evidence of the call that an event is of.

    Args:
        store: open books.
        calendar: the company's.
        event_id: the id under which any source told of it.
        source: which source, where several use the id.

    Raises:
        EventError: nobody told of it, or several sources use the id for different calls.
    """
    found = Observations(store).named(event_id, source)
    if not found:
        raise EventError(
            f"no sealed event has the id {event_id!r}" + (f" of {source}" if source else ""),
            next_step="name the id as the source wrote it; what was just ingested is sealed by"
            " the next run",
        )
    arrivals = no_arrivals()
    keys = [row["key"] for row in found]
    scope = scope_of(store, calendar, arrivals, names_of(arrivals), found)
    settlement = settle(scope.told.values(), scope.superseded, scope.same)
    calls = {_call_of(settlement, scope.superseded, key).subject for key in keys}
    if len(calls) > 1:
        told = ", ".join(sorted(row["source"] for row in found))
        raise EventError(
            f"the id {event_id!r} names {len(calls)} calls, told of by {told}",
            next_step="name the source too: tallybook evidence ID --source SOURCE",
        )
    call = _call_of(settlement, scope.superseded, keys[0])
    return _evidence(call, settlement, list(scope.told.values()), scope.superseded)


def _call_of(settlement: Settlement, superseded: Mapping[bytes, bytes], key: bytes) -> Call:
    """The call of an observation, or the rest of an outer span, or one that nothing bills."""
    while key in superseded:
        key = superseded[key]
    for call in (*settlement.calls, *settlement.rests):
        if any(one.key == key for one in call.told):
            return call
    return Call(key, (), None)


def _evidence(
    call: Call,
    settlement: Settlement,
    told: Sequence[Observation],
    superseded: Mapping[bytes, bytes],
) -> Evidence:
    mine = {one.key for one in call.told} or {call.subject}
    traces = {one.row["trace_id"] for one in told if one.key in mine} - {""}
    near = [one for one in told if one.key in mine or one.row["trace_id"] in traces]
    near += [one for one in told if superseded.get(one.key) in mine and one not in near]
    said = tuple(
        Said(
            one.source,
            one.event_id,
            standpoint_of(one.source),
            one.role,
            _part(one, call, settlement, superseded),
            _told(one),
        )
        for one in sorted(near, key=lambda one: (one.started_us, one.rank, one.key))
    )
    return Evidence(call.subject.hex(), _billed(call), said, tuple(_taken(call)))


def _billed(call: Call) -> str:
    if not call.told:
        return ""
    if len(call.told) > 1:
        return f"made of {len(call.told)} observations"
    one = call.told[0]
    return f"{one.source} {one.event_id}" + (" (the rest)" if one.role != "call" else "")


def _part(
    one: Observation, call: Call, settlement: Settlement, superseded: Mapping[bytes, bytes]
) -> str:
    if one.key in superseded:
        return "superseded"
    if one.key in settlement.outer:
        return "outer span"
    if any(one.key == x.key for x in call.told):
        return "joined" if len(call.told) > 1 else "bills"
    return "bucket" if one.role == "bucket" else "inside the trace"


def _told(one: Observation) -> dict[str, Any]:
    """What was stated, with instants as text."""
    return {
        _named(name): _shown(name, one.row[name])
        for name in (*_FIELDS, "labels")
        if one.row[name] not in ("", None, 0, [], {})
    }


def _taken(call: Call) -> list[Taken]:
    found = []
    for name in _FIELDS:
        winner = call.teller(name)
        if winner is None or winner.row[name] in ("", None, 0, [], {}):
            continue
        others = tuple(
            (one.source, _shown(name, one.row[name]))
            for one in call.told
            if one.row[name] not in ("", None, 0, [], {}) and one.row[name] != winner.row[name]
        )
        value = _shown(name, winner.row[name])
        found.append(Taken(_named(name), value, winner.source, winner.event_id, others))
    return found


def _named(name: str) -> str:
    return name.replace("_us", "_at") if name in _INSTANTS else name


def _shown(name: str, value: Any) -> Any:
    if name in _INSTANTS:
        return format_instant(value)
    return dict(value) if name in ("units", "labels") else value
