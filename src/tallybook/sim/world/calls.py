"""Random usage events: calls, and what repeats, contradicts and corrects them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from tallybook.clock import format_instant
from tallybook.sim.world.model import Event
from tallybook.sim.world.traces import SERVICES

Window = tuple[int, int]
"""a month's first instant and the first after it, in microseconds"""

MINUTE_US: Final = 60_000_000
_MODELS: Final = {"x": ("x-big", "x-big", "x-new", "x-lost"), "y": ("y-one", "y-fee", "other")}
_CARRIED: Final[dict[str, tuple[int, tuple[object, ...]]]] = {
    "tier": (15, ("standard", "batch")),
    "region": (30, ("eu", "us")),
    "team": (35, ("ant", "bee", "cat", "dog", "platform", "gone")),
    "feature": (50, ("bot", "find", "moves", "moves", "ends", "comes", "infra", "gone")),
    "purpose": (80, ("production", "production", "evaluation", "experiment", "batch")),
    "key_id": (35, ("k-bot", "k-bee", "k-cat", "k-own", "k-some", "k-none")),
    "service": (35, SERVICES),
    "environment": (35, ("ci", "prod", "qa")),
    "endpoint": (35, ("/bot", "/boot")),
    "labels": (35, ({"kind": "abcz"}, {"kind": "abc"})),
    "evaluation_run": (5, ("eval-1", "eval-2")),
    "user": (20, ("u-1", "u-2")),
    "customer": (20, ("c-1", "c-2")),
}
_WRONG: Final[tuple[Event, ...]] = (
    {"tokens": {"output": -1}},
    {"tokens": {"outputs": 5}},
    {"model": None},
    {"started_at": "2026-13-01T00:00:00Z"},
    {"started_at": "2026-10-01 00:00"},
    {"ended_at": "2020-01-01T00:00:00Z"},
    {"surprise": 1},
)


def batch(luck: Random, n: int, known: Sequence[Event], windows: Sequence[Window]) -> list[Event]:
    """One delivery of 5 to 30 events in any order, some of them about events known before.

    Args:
        luck: the world's.
        n: the number of the operation, which makes ids new.
        known: what was offered before.
        windows: the months that calls may fall into.
    """
    events: list[Event] = []
    for number in range(luck.randrange(5, 22)):
        events.append(call(luck, f"e-{n}-{number}", luck.choice(windows)))
        if luck.randrange(12) == 0:  # tried again until it worked: each attempt is a call
            events.append({**events[-1], "event_id": f"e-{n}-{number}-again", "attempt": 2})
    heard = [*known[-200:], *events]
    for number in range(luck.randrange(9)):
        old = luck.choice(heard)
        events.append(_about(luck, old, f"c-{n}-{number}", luck.choice(windows)))
    luck.shuffle(events)
    return events


def _about(luck: Random, old: Event, event_id: str, window: Window) -> Event:
    """A repetition, a contradiction, a correction, or a namesake from another source."""
    kind = luck.randrange(10)
    if kind < 4:  # noqa: PLR2004 - the same record; who the user is does not count
        return {**old, "user": "u-9"}
    if kind < 6:  # noqa: PLR2004 - the same id with another record
        return {**old, "latency_ms": luck.randrange(1, 99), "team": "ant"}
    if kind == 6:  # noqa: PLR2004
        return {**old, "source": "import"}
    fixed = call(luck, event_id, window)
    if luck.randrange(3):
        fixed["started_at"] = old["started_at"]
    supersedes = old["event_id"] if luck.randrange(12) else "never-came"
    return {**fixed, "source": old["source"], "supersedes": supersedes}


def rejects(luck: Random, n: int, window: Window) -> list[Event]:
    """Records that cannot be read."""
    wrong = luck.sample(_WRONG, luck.choice([0, 0, 0, 1, 2]))
    return [{**call(luck, f"r-{n}-{i}", window), **change} for i, change in enumerate(wrong)]


def call(luck: Random, event_id: str, window: Window) -> Event:
    """One event that says more or less about itself."""
    provider = luck.choice("xxy")
    event: Event = {
        "event_id": event_id,
        "source": "gateway",
        "started_at": started_at(luck, window),
        "provider": provider,
        "model": luck.choice(_MODELS[provider]),
        **usage(luck),
    }
    for field, (often, values) in _CARRIED.items():
        if luck.randrange(100) < often:
            event[field] = luck.choice(values)
    return event


def started_at(luck: Random, window: Window) -> str:
    """An instant of the month, or one on its edges; written in one of several ways."""
    first, after = window
    edges = (first, after - 1, after - 1, first + 7 * 86_400_000_000, after - 4 * 86_400_000_000)
    inside = luck.randrange(first, after)
    text = format_instant(luck.choice(edges) if luck.randrange(7) == 0 else inside)
    if luck.randrange(8) == 0:
        return text.replace("Z", "+00:00")
    if "." in text and luck.randrange(8) == 0:
        return f"{text[:-1].ljust(26, '0')}9Z"  # finer than a microsecond
    return text


def usage(luck: Random) -> Event:
    """Token classes and units; now and then estimated, null, nothing at all, or an error."""
    kind = luck.randrange(20)
    if kind == 0:
        return {}
    if kind == 1:
        return {"status": "error"}
    if kind == 2:  # noqa: PLR2004
        return {"tokens": {"input_uncached": None, "output": 1000}}
    tokens = {"input_uncached": luck.choice([0, 999, 1000, 1001, luck.randrange(900_000)])}
    tokens["output"] = luck.randrange(300_000)
    if luck.randrange(5) < 2:  # noqa: PLR2004 - two of five
        tokens |= {"cache_read": luck.choice([0, 1, 50_000]), "reasoning": 0}
    if luck.randrange(20) == 0:
        tokens["audio_input"] = 77_777
    found: Event = {"tokens": tokens}
    if luck.randrange(10) == 0:
        found["units"] = {"web_search": luck.randrange(4)}
    if luck.randrange(20) == 0:
        found = {"units": {"minute": 2}}
    return {**found, "usage": "estimated"} if kind == 3 else found  # noqa: PLR2004
