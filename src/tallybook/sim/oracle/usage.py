"""Which events count, and what is known of each.

The first record of an id wins for ever; the same record again is a duplicate; another record with
the id is set aside. A correction nets what it supersedes, whichever of them came first,
and stands in its place where it states no trace.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
Id = tuple[str, str]

INPUT_CLASSES = (
    *("input_uncached", "cache_read", "cache_write", "cache_write_5m", "cache_write_30m"),
    *("cache_write_1h", "cache_write_12h", "audio_input", "image_input", "cache_read_audio"),
)
OUTPUT_CLASSES = ("output", "audio_output", "image_output")
TOKEN_CLASSES = INPUT_CLASSES + OUTPUT_CLASSES
NOT_IN_THE_RECORD = {"user", "customer"}


@dataclass(frozen=True, slots=True)
class Intake:
    """Every event given is accepted, a duplicate or quarantined; `standing` ones count.

    `kept` is every accepted event by its id, `replaced` the id of what took the place of an id.
    """

    accepted: int
    duplicate: int
    quarantined: int
    standing: tuple[Event, ...]
    kept: Mapping[Id, Event]
    replaced: Mapping[Id, Id]


def take_in(events: Iterable[Event]) -> Intake:
    """Fold events in the order of their arrival."""
    kept: dict[Id, Event] = {}
    netted: dict[Id, Id] = {}
    duplicate = quarantined = 0
    for event in events:
        key, old = identity(event), superseded(event)
        if key in kept:
            same = record(kept[key]) == record(event)
            duplicate, quarantined = duplicate + same, quarantined + (not same)
        elif old in netted or (old and leads_to(kept, old, key)):
            quarantined += 1
        else:
            kept[key] = event
            netted |= {old: key} if old else {}
    standing = tuple(in_place(event, kept) for key, event in kept.items() if key not in netted)
    return Intake(len(kept), duplicate, quarantined, standing, kept, netted)


def in_place(event: Event, kept: Mapping[Id, Event]) -> Event:
    """An event where it stands: what states no trace stands where what it corrects stood."""
    traced = next((one for one in _corrected(event, kept) if one.get("trace_id")), {})
    named = next((one for one in _corrected(event, kept, to=traced) if one.get("service")), {})
    place = {name: traced.get(name) for name in ("trace_id", "span_id", "parent_span_id")}
    place["service"] = named.get("service")
    return {**event, **{name: value for name, value in place.items() if value}}


def _corrected(event: Event, kept: Mapping[Id, Event], to: Event | None = None) -> Iterator[Event]:
    """An event, what it corrects, what that corrects, and so on; no further than ``to``."""
    here: Event | None = event
    while here is not None:
        yield here
        old = superseded(here)
        here = kept.get(old) if old and here is not to else None


def identity(event: Event) -> Id:
    """Source and event id together count once."""
    return event["source"], event["event_id"]


def superseded(event: Event) -> Id | None:
    """The id that an event corrects, of its own source."""
    old = event.get("supersedes")
    return (event["source"], old) if old else None


def record(event: Event) -> Event:
    """What a second record must repeat; who user and customer are is never part of it."""
    return {key: value for key, value in event.items() if key not in NOT_IN_THE_RECORD}


def leads_to(kept: dict[Id, Event], old: Id, goal: Id) -> bool:
    """Whether following what supersedes what from `old` arrives at `goal`: a circle."""
    here: Id | None = old
    while here and here != goal:
        here = superseded(kept[here]) if here in kept else None
    return here == goal


def state(event: Event) -> str:
    """`reported`, `estimated` or `unknown`; a null class leaves the usage unknown, not zero."""
    figures = [*(event.get("tokens") or {}).values(), *(event.get("units") or {}).values()]
    declared = str(event.get("usage") or "reported")
    if not figures:
        return "reported" if event.get("status") == "error" else "unknown"
    return "unknown" if None in figures else declared


def doubt(event: Event) -> str:
    """How far usage is known, `partial` told apart from `unknown`."""
    figures = [*(event.get("tokens") or {}).values(), *(event.get("units") or {}).values()]
    some = None in figures and any(figure is not None for figure in figures)
    return "partial" if some and event.get("usage") != "unknown" else state(event)


DOUBTS = ("reported", "partial", "estimated", "unknown")
"""How far usage may be known, the best first."""


def quantities(event: Event) -> dict[str, int]:
    """What a call used, by meter; zeros and the informative `reasoning` left out."""
    counted = {**(event.get("tokens") or {}), **(event.get("units") or {})}
    return {meter: count for meter, count in counted.items() if count and meter != "reasoning"}


def tokens_of(event: Event, classes: Sequence[str] = TOKEN_CLASSES) -> int:
    """Tokens of a call in the given classes, equally weighted."""
    used = quantities(event)
    return sum(used.get(meter, 0) for meter in classes)
