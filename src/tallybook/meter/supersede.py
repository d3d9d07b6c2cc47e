"""Corrections: a new event takes the place of one that it names, of the same source, once.

"Has been superseded" is claimed like an id, under a key of its own whose record is the key of the
event that did it. So a second superseder is seen whenever it comes, and the claims can be followed
from an event to what took its place: a circle, in which every event would be netted, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tallybook.meter.identity import key_of, superseded_key_of
from tallybook.meter.model import UsageEvent
from tallybook.store import Tx, inbox


def refuse_superseders(
    tx: Tx, batch: int, events: Sequence[UsageEvent], keys: Sequence[bytes], fresh: Sequence[int]
) -> dict[int, str]:
    """Claim what the fresh events supersede; give back the ids of those that may not.

    Args:
        tx: the write transaction that claimed the ids.
        batch: the number of the inbox batch.
        events: the events of the batch.
        keys: the key of each.
        fresh: positions of those whose ids were claimed just now.

    Returns:
        position to reason, for each event to quarantine; its id is free again.
    """
    old = {
        i: key_of(events[i].source, superseded)
        for i in fresh
        if (superseded := events[i].supersedes) is not None
    }
    if not old:
        return {}
    refused = _claim(tx, batch, events, keys, old)
    refused |= _circles(tx, events, keys, {i: k for i, k in old.items() if i not in refused})
    inbox.release(tx, [keys[i] for i in refused])
    return refused


def _claim(
    tx: Tx,
    batch: int,
    events: Sequence[UsageEvent],
    keys: Sequence[bytes],
    old: Mapping[int, bytes],
) -> dict[int, str]:
    first: dict[bytes, int] = {}
    for i, key in old.items():
        first.setdefault(superseded_key_of(key), i)
    marks = list(first)
    claims = inbox.claim(tx, batch, marks, [keys[i] for i in first.values()])
    granted = {first[marks[at]] for at in claims.fresh}
    return {
        i: f"event {events[i].supersedes} has been superseded by another event already"
        for i in old
        if i not in granted
    }


def _circles(
    tx: Tx, events: Sequence[UsageEvent], keys: Sequence[bytes], old: Mapping[int, bytes]
) -> dict[int, str]:
    marks = {i: superseded_key_of(keys[i]) for i in old}
    superseded = inbox.holders(tx, list(marks.values()))
    refused = {}
    for i, mark in marks.items():
        if mark in superseded and _leads_to(tx, keys[i], old[i]):
            refused[i] = f"events supersede each other in a circle through {events[i].supersedes}"
            inbox.release(tx, [superseded_key_of(old[i])])
    return refused


def _leads_to(tx: Tx, key: bytes, end: bytes) -> bool:
    """Whether following "superseded by" from an event ends at another one."""
    seen = {key}
    while True:
        mark = superseded_key_of(key)
        held = inbox.holders(tx, [mark]).get(mark)
        if held is None:
            return False
        key = held[0]
        if key == end:
            return True
        assert key not in seen, "a circle that was let in"
        seen.add(key)
