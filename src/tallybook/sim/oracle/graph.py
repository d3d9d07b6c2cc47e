"""The tree of a trace: for every call and step the path from itself up to its root.

Written by the table in `docs/call_graph.md`, row by row. What names no trace is its own tree.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tallybook.sim.oracle.books import instant
from tallybook.sim.oracle.told import belief
from tallybook.sim.oracle.usage import Event

Path = tuple[Event, ...]
"""A node and all above it, the root last."""


def paths_of(nodes: Sequence[Event]) -> list[Path]:
    """The path of each node, in the order given."""
    traces: defaultdict[str, list[Event]] = defaultdict(list)
    for node in nodes:
        traces[node.get("trace_id") or ""].append(node)
    above = {
        id(node): up
        for trace, held in traces.items()
        for node, up in zip(held, parents(held) if trace else [None] * len(held), strict=True)
    }
    return [climbed(node, above) for node in nodes]


def climbed(node: Event, above: Mapping[int, Event | None]) -> Path:
    """A node and all above it."""
    path, up = [node], above[id(node)]
    while up is not None:
        path.append(up)
        up = above[id(up)]
    return tuple(path)


def parents(nodes: Sequence[Event]) -> list[Event | None]:
    """The node above each node of one trace, None for a root."""
    by_span: dict[str, Event] = {}
    for node in sorted(nodes, key=belief):
        if node.get("span_id"):
            by_span.setdefault(node["span_id"], node)
    named = {span: parent_named(span, nodes) for span in by_span}
    heads = {head for span in by_span if (head := head_of_cycle(span, named, by_span))}
    roots = [by_span[span] for span in by_span if not named[span] or span in heads]
    orphans = [node for node in nodes if parent_of(node, named) not in {"", *by_span}]
    tops = roots if len(roots) == 1 else [*roots, *orphans]
    found: list[Event | None] = []
    for node in nodes:
        span, parent = node.get("span_id") or "", parent_of(node, named)
        if span in heads or (span and not parent):
            found.append(None)
        elif parent in by_span:
            found.append(by_span[parent])
        elif parent:
            found.append(roots[0] if len(roots) == 1 else None)
        else:
            found.append(tops[0] if len(tops) == 1 else None)
    return found


def parent_of(node: Event, named: Mapping[str, str]) -> str:
    """The span above a node, "" if it names none."""
    span = node.get("span_id") or ""
    return named[span] if span else node.get("parent_span_id") or ""


def parent_named(span: str, nodes: Sequence[Event]) -> str:
    """The parent of a span, "" if it has none: what the most believed telling says.

    Of equally believed ones the first to start, then the one with the smallest parent.
    """
    told = [node for node in nodes if node.get("span_id") == span]
    ranked = min((*belief(node)[:2], node.get("parent_span_id") or "") for node in told)
    return str(ranked[-1])


def head_of_cycle(span: str, named: Mapping[str, str], by_span: Mapping[str, Event]) -> str:
    """The root of the cycle that a span lies on, "" if it lies on none."""
    circle, here = [span], named[span]
    while here in by_span and here not in circle:
        circle.append(here)
        here = named[here]
    if here != span:
        return ""
    return min(circle, key=lambda one: (instant(by_span[one]["started_at"]), one))
