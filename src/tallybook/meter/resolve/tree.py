"""The spans of one trace: which call lies in which, and what a span states beyond its children.

Instrumentations repeat each other: a framework's span and the client's span inside it tell of one
call, and an agent's span adds up what its calls used. Only what lies innermost bills. What an outer
span states above its children, because a child was lost or ran elsewhere, is an estimate of its
own (langfuse/langfuse#14338, `docs/one_call.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

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

    A span that is its own ancestor, or whose parent is not there, is a root. Of two observations of
    one span the calls are both kept: they are joined by the span's name.
    """
    told = sorted(observations, key=lambda one: (one.started_us, one.key))
    by_span: dict[str, list[Observation]] = {}
    for one in told:
        if one.row["span_id"]:
            by_span.setdefault(one.row["span_id"], []).append(one)
    nodes = {one.key: Node(one, _depth(one, by_span)) for one in told if one.role != "span"}
    for node in nodes.values():
        for above in _nearest_above(node.told, by_span):
            if above.key in nodes and above.key != node.told.key:
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


def _above(one: Observation, by_span: Mapping[str, Sequence[Observation]]) -> Sequence[Observation]:
    return by_span.get(one.row["parent_span_id"] or "", ())


def _walk(
    one: Observation,
    by_span: Mapping[str, Sequence[Observation]],
    stop: Callable[[Sequence[Observation]], bool],
) -> tuple[int, Sequence[Observation]]:
    """Climb from parent to parent; how many steps, and where it stopped."""
    seen = {one.row["span_id"]}
    steps, held = 0, _above(one, by_span)
    while held and held[0].row["span_id"] not in seen and not stop(held):
        seen.add(held[0].row["span_id"])
        steps, held = steps + 1, _above(held[0], by_span)
    circle = bool(held) and held[0].row["span_id"] in seen
    return steps, () if circle else held


def _depth(one: Observation, by_span: Mapping[str, Sequence[Observation]]) -> int:
    return _walk(one, by_span, lambda _held: False)[0]


def _nearest_above(
    one: Observation, by_span: Mapping[str, Sequence[Observation]]
) -> Sequence[Observation]:
    """The nearest span above that has usage, or several tellings of it."""
    _, held = _walk(one, by_span, lambda above: any(x.role != "span" for x in above))
    return [x for x in held if x.role != "span"]
