"""One trace as a tree of nodes, each with what it cost and who answers for it."""

from __future__ import annotations

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
    depth: int
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
    """The nodes of a trace as one month sees them, roots first, children by their start."""

    trace_id: str
    period: str
    currency: str
    nodes: tuple[TraceNode, ...]

    @property
    def total_pico(self) -> int:
        """What the trace cost in the month, at rate card."""
        return sum(node.own_pico for node in self.nodes)
