"""Who started a call, and which agent made it, by what is known of its trace so far.

The rules are those of docs/call_graph.md. Here they are walked over the few nodes of a trace that
is still running, each time one more is told of; the run walks whole months in the engine. What is
said here is provisional: a parent is often told of after its child.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple

NAMED: Final = 2
SERVED: Final = 1
NOBODY: Final = 0
"""How a node was given an owner: it names a team, its service has one, or nobody knows."""


_LOOPS: Final = -1
"""The depth of a span that is its own ancestor, or lies under one, and of one not looked at yet."""

STEPS_WALKED: Final = 128
"""So far up a running trace is walked; what stands above is found once it is sealed."""


class Node(NamedTuple):
    """One span of a trace: where it stands, whose it says it is, and the agent that it is.

    ``word`` is `NAMED`, `SERVED` or `NOBODY`. ``agent`` is empty where it is no agent.
    """

    span: str
    parent: str
    started_us: int
    agent: str
    team: str
    feature: str
    word: int


class Tree:
    """The nodes of one trace, by span once a path is asked for."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    @cached_property
    def _by_span(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for node in self._nodes:
            held = found.get(node.span)
            if held is None or (node.started_us, node.parent) < (held.started_us, held.parent):
                found[node.span] = node
        return found

    @cached_property
    def _root(self) -> Node | None:
        roots = [
            node for node in self._by_span.values() if not node.parent or node.parent == node.span
        ]
        return roots[0] if len(roots) == 1 else None

    def path(self, node: Node, most: int = STEPS_WALKED) -> list[Node]:
        """A node and all above it, the innermost first; each once, however they are linked.

        Args:
            node: in the tree, or beneath it.
            most: where to stop.
        """
        found, seen = [node], {node.span} - {""}
        while (
            len(found) < most
            and (above := self._above(found[-1])) is not None
            and above.span not in seen
        ):
            found.append(above)
            seen.add(above.span)
        return found

    def depth(self) -> int:
        """The length of the longest path: each node is looked at once, but for those that loop."""
        known: dict[str, int] = {}
        for span, node in self._by_span.items():
            path: list[str] = []
            at: Node | None = node if span not in known else None
            while at is not None and at.span not in known:
                known[at.span] = _LOOPS
                path.append(at.span)
                at = self._above(at)
            deep = 0 if at is None else known[at.span]
            if deep != _LOOPS:
                known |= {one: n for n, one in enumerate(reversed(path), start=deep + 1)}
        return max(self._deep(node, known) for node in self._nodes)

    def _deep(self, node: Node, known: Mapping[str, int]) -> int:
        """The length of the path of a node, given those of all spans."""
        above = self._above(node)
        if above is None:
            return 1
        same = node.span == "" or self._by_span[node.span].parent == node.parent
        if same and known[above.span] != _LOOPS:
            return known[above.span] + 1
        return len(self.path(node, len(self._nodes)))

    def _above(self, node: Node) -> Node | None:
        parent = self._by_span.get(node.parent) if node.parent else None
        if parent is not None or (node.span and not node.parent):
            return parent
        # A parent that nobody told of, or no place stated: under the root, if there is one root.
        return self._root if self._root is not node else None


def origin_of(path: Sequence[Node]) -> Node:
    """The node that says who started a call: the outermost named, else the outermost served."""
    for word in (NAMED, SERVED):
        for node in reversed(path):
            if node.word == word:
                return node
    return path[0]


def agent_of(path: Sequence[Node], service: str) -> str:
    """The innermost agent above a call, else the call's own service; '' where nobody says."""
    for node in path[1:]:
        if node.agent:
            return node.agent
    return path[0].agent or service


def agent_name(role: str, operation: str, service: str) -> str:
    """The name of the agent that a span is, or '' if it is none: of a step the service names it.

    Args:
        role: what the record tells of; a call is no agent.
        operation: what it did.
        service: of a step, the agent or the tool.
    """
    if role == "agent" or (role == "span" and operation in AGENT_OPERATIONS):
        return service or operation
    return ""


AGENT_OPERATIONS: Final = frozenset({"invoke_agent", "create_agent", "agent_step"})
