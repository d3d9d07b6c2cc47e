"""One trace as a tree of nodes, each with what it cost and who answers for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tallybook.attribute.path import Decision


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A call or a step of a trace.

    ``above`` is the place of the parent among the nodes, None for a root; parents stand before
    their children. ``own_pico`` is what the node itself cost at rate card, ``rolled_pico`` with
    everything beneath it; both count calls of the trace's month alone. ``elsewhere`` is another
    month's call, which is charged there. ``for_whom`` are customer, cohort and plan of the origin,
    '' where nobody who is believed stated one.
    """

    above: int | None
    role: str
    name: str
    service: str
    model: str
    source: str
    event_id: str
    started_us: int
    ended_us: int | None
    status: str
    state: str
    tokens: int
    unpriced: bool
    own_pico: int
    rolled_pico: int
    decision: Decision
    for_whom: tuple[str, ...]

    @property
    def bills(self) -> bool:
        """Whether it is a call that is charged in the trace's month."""
        return self.role == "call"


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace as one month sees it: its tree, roots first, children by their start, and its cost.

    A trace may have a million nodes, so they are columns here, by place; ``read`` tells the rest of
    those at some places. ``above`` is the place of each one's parent, -1 for a root. ``for_whom``
    counts the calls of those for whom somebody stated that they were made, in the order of places.
    """

    trace_id: str
    period: str
    currency: str
    calls: int
    above: Sequence[int]
    own_pico: Sequence[int]
    rolled_pico: Sequence[int]
    for_whom: Mapping[tuple[str, ...], int]
    read: Callable[[Sequence[int]], Iterator[TraceNode]]

    def __len__(self) -> int:
        return len(self.above)

    @property
    def nodes(self) -> Iterator[TraceNode]:
        """All nodes, in the order of the tree."""
        return self.read(range(len(self)))

    @property
    def total_pico(self) -> int:
        """What the trace cost in the month, at rate card."""
        return sum(self.own_pico)
