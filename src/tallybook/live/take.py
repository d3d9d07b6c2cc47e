"""One micro-batch of what waits: from rated rows to what buckets, traces and names gain.

A call counts as soon as it waits, under the first source that told of it. What two sources tell
under a name that both use counts once; what only the settlement of a seal can join counts twice
until then. A correction counts once it is sealed; until then what it corrects does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from tallybook.live.bucket import Buckets, Sums
from tallybook.live.ground import Ground
from tallybook.live.model import Subject
from tallybook.live.rate import Row
from tallybook.live.trace import Told, Trace
from tallybook.live.walk import Node, agent_name
from tallybook.meter.resolve.observation import aliases_of

Names = Mapping[tuple[int, int], Sequence[bytes]]
"""by batch and place, the names under which others tell of the same call"""

_TOOLS: Final = frozenset({"execute_tool", "retrieval"})


@dataclass(slots=True)
class Taken:
    """What a micro-batch brought."""

    buckets: Buckets = field(default_factory=Buckets)
    traces: dict[str, Trace] = field(default_factory=dict)
    told: dict[bytes, int] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    joined: int = 0
    corrections: int = 0


def names_of(rows: Iterable[Row]) -> dict[tuple[int, int], tuple[bytes, ...]]:
    """The names of each call, as the settlement knows them."""
    return {
        (row.batch, row.place): aliases_of(
            row.source, row.event_id, row.provider, row.response_id, row.request_id,
            row.attempt or None, row.trace_id, row.span_id, row.call_id,
        )
        for row in rows
        if row.role == "call"
    }  # fmt: skip


def take(
    ground: Ground,
    rows: Sequence[Row],
    traces: Mapping[str, Trace],
    names: Names,
    known: AbstractSet[bytes],
    *,
    first_batch: int,
    again_upto: int,
    slots_us: int,
) -> Taken:
    """Fold rows.

    Args:
        ground: prices and owners.
        rows: of the month, of whole batches, in order.
        traces: those that the rows name, as they stand; they are changed.
        names: the names of calls, where several sources tell; empty where one does.
        known: those of the names under which a call was told of already.
        first_batch: the first of the waiting lot.
        again_upto: rows of batches up to this one are in their traces already.
        slots_us: older calls have no slot.
    """
    taken = Taken(traces=dict(traces))
    sums = Sums(slots_us)
    by_trace: dict[str, list[Told]] = defaultdict(list)
    for row in rows:
        told = _told(ground, row, taken, names, known)
        if row.trace_id:
            by_trace[row.trace_id].append(told)
        elif told.figures:
            node = told.node
            subject = Subject(node.team, node.feature, told.service, bool(node.word))
            sums.add(subject, node.started_us, told.figures)
    upto = rows[-1].batch if rows else 0
    for name, members in by_trace.items():
        trace = taken.traces[name]
        trace.take([one for one in members if one.place[0] > again_upto] if again_upto else members)
        for one in trace.given(members, first_batch, upto):
            sums.add(one.subject, one.started_us, one.figures, one.sign)
    taken.buckets = sums.buckets()
    return taken


def _told(ground: Ground, row: Row, taken: Taken, names: Names, known: AbstractSet[bytes]) -> Told:
    """A row as its trace keeps it."""
    said = ground.said(row.epoch, row.values)
    figures: tuple[int, ...] = ()
    agent = ""
    if row.role == "call":
        taken.sources.add(row.source)
        figures = _counting(row, taken, names, known)
    else:
        agent = agent_name(row.role, row.operation, row.service)
    node = Node(
        row.span_id, row.parent_span_id, row.started_us, agent, said.team, said.feature, said.word
    )
    return Told(
        (row.batch, row.place), node, row.role, row.service, _step(row, agent),
        row.operation_id, row.attempt, figures,
    )  # fmt: skip


def _counting(row: Row, taken: Taken, names: Names, known: AbstractSet[bytes]) -> tuple[int, ...]:
    """The figures of a call that counts; none of one that was told of, or corrects another."""
    mine = names.get((row.batch, row.place), ()) if names else ()
    if mine:
        if any(name in known or name in taken.told for name in mine):
            taken.joined += 1
            return ()
        taken.told.update(dict.fromkeys(mine, row.batch))
    if row.supersedes:
        taken.corrections += 1
        return ()
    return row.figures


def _step(row: Row, agent: str) -> str:
    """What repeats when an agent goes round in circles: the agent, the tool, or who called."""
    if row.role == "call":
        return f"calls of {row.service}" if row.service else "calls"
    if agent:
        return f"agent {agent}"
    return f"tool {row.service}" if row.operation in _TOOLS and row.service else ""
