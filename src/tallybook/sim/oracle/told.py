"""One call, one charge: what several sources told of one call, as one event.

Sources that name the same response told of one call, and so did tracers that name one span; a
correction belongs to the call of what it corrects. Usage is taken whole from whoever knows it best;
every tag from the first who states it, team and feature together.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tallybook.sim.oracle.books import Books, instant
from tallybook.sim.oracle.usage import DOUBTS, Event, Id, Intake, doubt, identity

TRACERS = ("otel", "langfuse")
STRONG_ID = 20
PLACE = ("trace_id", "span_id", "parent_span_id")
CLAIMED = ("team", "feature")
USED = ("tokens", "units", "usage", "status", "provider", "model")
SERVED = ("tier", "region")
TOGETHER = (("team", "feature"), ("started_at", "ended_at"))
ALONE = ("purpose", "environment", "endpoint", "service", "key_id", "customer", "cohort")


def nodes_of(books: Books, intake: Intake) -> list[Event]:
    """All calls, each once, and all steps of traces; a call has no `role`."""
    standing = [believed(books, placed(intake, event)) for event in intake.standing]
    steps = [event for event in standing if is_step(event)]
    groups = grouped(intake)
    told: defaultdict[Id, list[Event]] = defaultdict(list)
    for event in standing:
        if not is_step(event):
            told[groups[identity(event)]].append(event)
    return [*map(merged, told.values()), *told_once(steps)]


def told_once(steps: Iterable[Event]) -> list[Event]:
    """One step of each span: the most believed, of equals the first, then the smallest parent."""
    ranked = sorted(
        steps, key=lambda event: (*belief(event)[:2], event.get("parent_span_id") or "")
    )
    spans: dict[tuple[str, str], Event] = {}
    for event in ranked:
        spans.setdefault((event["trace_id"], event["span_id"]), event)
    return [*spans.values()]


def is_step(event: Event) -> bool:
    """Whether an event is an agent, a tool or another step that used nothing itself."""
    return event.get("role") == "step"


def placed(intake: Intake, event: Event) -> Event:
    """An event; a correction that states no trace stands where the event stood that it corrects."""
    old_of = {new: old for old, new in intake.replaced.items()}
    here = event
    while not here.get("trace_id"):
        old = old_of.get(identity(here))
        if old is None or old not in intake.kept:
            return event
        here = intake.kept[old]
    return {**event, **{name: here.get(name) for name in PLACE}}


def believed(books: Books, event: Event) -> Event:
    """An event without the claims of a source whose tags are not trusted."""
    trust = books.org.get("trust", {}).get("tags")
    if trust is None or event["source"] in trust:
        return event
    return {name: value for name, value in event.items() if name not in CLAIMED}


def grouped(intake: Intake) -> dict[Id, Id]:
    """By id of each call the id of the first of its group: one group is one call."""
    first = {key: key for key, event in intake.kept.items() if not is_step(event)}

    def join(one: Id, other: Id) -> None:
        names = sorted({first[one], first[other]})
        first.update({key: names[0] for key, name in first.items() if name in names})

    bearers: dict[tuple[str, ...], Id] = {}
    for key in first:
        for name in names_of(intake.kept[key]):
            join(bearers.setdefault(name, key), key)
    for old, new in intake.replaced.items():
        if old in first and first[old] != first[new]:
            join(old, new)
    return first


def names_of(event: Event) -> Iterator[tuple[str, ...]]:
    """The names under which other sources may tell of the same call."""
    response = event.get("response_id")
    if response:
        yield ("response", "" if len(response) >= STRONG_ID else event["provider"], response)
    if event["source"] in TRACERS and event.get("span_id"):
        yield ("span", event["trace_id"], event["span_id"])


def belief(event: Event) -> tuple[Any, ...]:
    """Whom we believe first: the gateway before traces; of equals, what started first."""
    is_traced = event["source"] in TRACERS
    return is_traced, instant(event["started_at"]), event["source"], event["event_id"]


def merged(told: Iterable[Event]) -> Event:
    """One event out of all that was told of a call."""
    trusted = sorted(told, key=belief)
    if len(trusted) == 1:
        return trusted[0]
    metered = min(trusted, key=lambda event: DOUBTS.index(doubt(event)))
    known = {name: metered.get(name) for name in USED}
    tracers_first = sorted(trusted, key=lambda event: event["source"] not in TRACERS)
    known |= first_stating(tracers_first, PLACE)
    for names in TOGETHER:
        known |= first_stating(trusted, names)
    for name in ALONE:
        known |= first_stating(trusted, (name,))
    for name in SERVED:
        known |= first_stating([metered, *trusted], (name,))
    labels = {key: x for event in reversed(trusted) for key, x in event.get("labels", {}).items()}
    called = {"source": trusted[0]["source"], "event_id": trusted[0]["event_id"]}
    return {**called, **known, "labels": labels}


def first_stating(told: Sequence[Event], names: Sequence[str]) -> Event:
    """The fields of the first event that states one of them."""
    states: Callable[[Event], bool] = lambda event: any(event.get(name) for name in names)  # noqa: E731
    event = next(filter(states, told), told[0])
    return {name: event.get(name) for name in names}
