"""The spans of one trace: which call lies in which, and what a span states beyond its children.

Instrumentations repeat each other: a framework's span and the client's span inside it tell of one
call, and an agent's span adds up what its calls used. Only what lies innermost bills. What an outer
span states above its children, because a child was lost or ran elsewhere, is an estimate of its
own (langfuse/langfuse#14338, `docs/one_call.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Final, NamedTuple

from tallybook.books.meters import TOKEN_CLASSES_INPUT, TOKEN_CLASSES_OUTPUT
from tallybook.meter.resolve.observation import Observation, same_model, sums

SKEW_US: Final = 2_000_000
"""How far the clocks of two machines of one trace may be apart."""


@dataclass(slots=True)
class Node:
    """One span; ``below`` are the nearest observations with usage beneath it."""

    told: Observation
    depth: int
    below: list[Node] = field(default_factory=list)


def tree_of(observations: Iterable[Observation]) -> list[Node]:
    """The spans of one trace that call or add up, the deepest first.

    A span whose parent is not there is a root, and of spans that lie in a circle the one that
    started first is. Of two observations of one span the calls are both kept: they are joined by
    the span's name.
    """
    told = sorted(observations, key=lambda one: (one.started_us, one.key))
    by_span: dict[str, list[Observation]] = {}
    for one in told:
        if one.row["span_id"]:
            by_span.setdefault(one.row["span_id"], []).append(one)
    placed = _placed(told, by_span)
    nodes = {one.key: Node(one, placed[one.key].depth) for one in told if one.role != "span"}
    for node in nodes.values():
        for above in placed[node.told.key].above:
            if above.key != node.told.key:
                nodes[above.key].below.append(node)
    return sorted(nodes.values(), key=lambda node: (-node.depth, node.told.key))


def contains(outer: Observation, inner: Observation) -> bool:
    """Whether one span can be the same call as a span inside it: one model, one stretch of time."""
    if not same_model(outer.model, inner.model):
        return False
    if inner.started_us < outer.started_us - SKEW_US:
        return False
    ends = outer.ended_us, inner.ended_us
    return ends[0] is None or ends[1] is None or ends[1] <= ends[0] + SKEW_US


def residual(stated: Mapping[str, int], beneath: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """What a span states above what lies beneath it, by token class; empty for nothing.

    The sums of input and of output decide how much; where the classes of both do not fit together,
    because one of them does not tell cached tokens apart, the rest is plain input or output.
    """
    below: dict[str, int] = {}
    for tokens in beneath:
        for name, count in tokens.items():
            below[name] = below.get(name, 0) + count
    rest: dict[str, int] = {}
    sides = (
        (TOKEN_CLASSES_INPUT, "input_uncached", sums(stated)[0] - sums(below)[0]),
        (TOKEN_CLASSES_OUTPUT, "output", sums(stated)[1] - sums(below)[1]),
    )
    for classes, plain, over in sides:
        if over <= 0:
            continue
        parts = {name: stated.get(name, 0) - below.get(name, 0) for name in classes}
        above = {name: count for name, count in parts.items() if count > 0}
        rest |= above if sum(above.values()) == over else {plain: over}
    return rest


class _Place(NamedTuple):
    """How deep an observation lies, and the tellings of the nearest span above that has usage."""

    depth: int
    above: Sequence[Observation]


_ROOT: Final = _Place(0, ())
_BySpan = Mapping[str, Sequence[Observation]]
"""What was told of each span, in the order of starts; the first says in what it lies."""


def _placed(told: Sequence[Observation], by_span: _BySpan) -> dict[bytes, _Place]:
    """The place of each observation, by key; each is looked at once, however deep it lies."""
    cut = _cut(by_span)
    beneath: dict[str, list[Observation]] = {}
    for one in told:
        parent = one.row["parent_span_id"]
        if parent in by_span and one.row["span_id"] not in cut:
            beneath.setdefault(parent, []).append(one)
    placed = {one.key: _ROOT for one in told}
    waiting = [span for span in by_span if span in cut or _parent(span, by_span) not in by_span]
    inside: set[str] = set()  # the spans from the root to where we are
    while waiting:
        span = waiting.pop()
        if span in inside:  # all beneath it has its place
            inside.remove(span)
            continue
        inside.add(span)
        waiting.append(span)
        depth, above = placed[by_span[span][0].key]
        here = _Place(depth + 1, [x for x in by_span[span] if x.role != "span"] or above)
        for one in beneath.get(span, ()):
            own = one.row["span_id"]
            if own not in inside:  # else another telling of a span says that it lies in itself
                placed[one.key] = here
                if own and by_span[own][0] is one:
                    waiting.append(own)
    return placed


def _cut(by_span: _BySpan) -> set[str]:
    """Of the spans of each circle the one that started first, as `tallybook.attribute` has it."""
    cut: set[str] = set()
    done: set[str] = set()
    for first in by_span:
        path: dict[str, None] = {}
        span = first
        while span in by_span and span not in done and span not in path:
            path[span] = None
            span = _parent(span, by_span)
        if span in path:
            circle = dropwhile(lambda one, repeated=span: one != repeated, path)  # type: ignore[misc]
            cut.add(min(circle, key=lambda one: (by_span[one][0].started_us, one)))
        done.update(path)
    return cut


def _parent(span: str, by_span: _BySpan) -> str:
    return by_span[span][0].row["parent_span_id"] or ""
