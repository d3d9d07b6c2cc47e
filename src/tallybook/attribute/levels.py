"""From the roots of trees down, level by level in columns: what stands above, one step further.

Nothing recurses. A level is a few operations on whole columns; where it has few nodes, as in a
chain of a million steps, they are taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tallybook.attribute.nodes import NOBODY, Marks, Positions, distinct
from tallybook.attribute.path import ROOT, Paths

_FEW: Final = 24
"""Nodes of a level that are taken one by one."""
_HALF: Final = 16
_LOW: Final = (1 << _HALF) - 1
_WIDTH: Final = 32


class Steps:
    """Each distinct step decided once, and given to columns.

    Args:
        paths: decides.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._origins: dict[int, int] = {}
        self._chains: dict[int, int] = {}
        self._settled = np.zeros(1, bool)
        self._looked = 0

    def origins(self, above: Positions, said: NDArray[np.int32]) -> Positions:
        """The origins one step further down; what is settled does not change."""
        asks = np.flatnonzero((said != ROOT) & ~self._is_settled(above))
        below = above.copy()
        if len(asks):
            below[asks] = _decided(self.origin, above[asks], said[asks])
        return below

    def chains(self, above: Positions, service: NDArray[np.int32]) -> Positions:
        """The chains of services one step further down."""
        asks = np.flatnonzero(service != ROOT)
        below = above.copy()
        if len(asks):
            below[asks] = _decided(self.chain, above[asks], service[asks])
        return below

    def origin(self, above: int, said: int) -> int:
        """The number of the origin of a node, by that above it and what it says."""
        if said == ROOT:
            return above
        key = above << _WIDTH | said
        found = self._origins.get(key)
        if found is None:
            found = self._origins[key] = self._paths.origin(above, said)
        return found

    def chain(self, above: int, service: int) -> int:
        """The number of the chain down to a node, by that above it and its service."""
        if service == ROOT:
            return above
        key = above << _WIDTH | service
        found = self._chains.get(key)
        if found is None:
            found = self._chains[key] = self._paths.chain(above, service)
        return found

    def _is_settled(self, origins: Positions) -> Marks:
        count = self._paths.origins
        if count > self._looked:
            if count > len(self._settled):
                self._settled = np.resize(self._settled, 2 * count)
            for number in range(self._looked, count):
                self._settled[number] = self._paths.is_settled(number)
            self._looked = count
        return self._settled[origins]


def _decided(
    decide: Callable[[int, int], int], above: Positions, said: NDArray[np.int32]
) -> Positions:
    """Decide each distinct pair once."""
    wide = int(said.max()) + 1
    asked, at = distinct(above * wide + said, (int(above.max()) + 1) * wide)
    made = [decide(*divmod(key, wide)) for key in asked.tolist()]
    numbers: Positions = np.array(made, np.int64)[at]
    return numbers


def go_down(
    up: NDArray[np.int32], said: NDArray[np.int32], service: NDArray[np.int32], steps: Steps
) -> tuple[Positions, Positions]:
    """The origin and the chain of each node, by number.

    Args:
        up: the position of each node's parent, -1 for roots.
        said: the number of whom each node names by itself.
        service: the number of its service.
        steps: decides each step.

    Returns:
        origins and chains, one longer than there are nodes: the last stands above the roots, so
        that ``chains[up]`` is what stands above each. -1 where no root leads to a node.
    """
    nodes = len(up)
    is_above = np.zeros(nodes + 1, bool)
    is_above[up] = True
    order, starts = _children(up, np.flatnonzero(is_above[:nodes]))
    origins, chains = np.full((2, nodes + 1), NOBODY, np.int64)
    origins[NOBODY] = chains[NOBODY] = ROOT
    level = order[: starts[1]]
    while len(level):
        if len(level) > _FEW:
            above = up[level]
            origins[level] = steps.origins(origins[above], said[level])
            chains[level] = steps.chains(chains[above], service[level])
            level = _below(level, order, starts)
        else:
            few = level.tolist()
            while 0 < len(few) <= _FEW:
                below: list[int] = []
                for at in few:
                    above_it = up[at]
                    origins[at] = steps.origin(int(origins[above_it]), int(said[at]))
                    chains[at] = steps.chain(int(chains[above_it]), int(service[at]))
                    below += order[starts[at + 1] : starts[at + 2]].tolist()
                few = below
            level = np.array(few, np.int64)
    # Most nodes are leaves, and nothing waits for them.
    leaves = np.flatnonzero(~is_above[:nodes] & (origins[up] != NOBODY))
    above = up[leaves]
    origins[leaves] = steps.origins(origins[above], said[leaves])
    chains[leaves] = steps.chains(chains[above], service[leaves])
    return origins, chains


def _children(up: NDArray[np.int32], which: Positions) -> tuple[Positions, Positions]:
    """Some nodes in the order of their parents, roots first; and where the children of each begin.

    The children of node ``n`` are those from ``starts[n + 1]`` to ``starts[n + 2]``.
    """
    above = up[which] + 1
    starts = np.zeros(len(up) + 2, np.int64)
    np.cumsum(np.bincount(above, minlength=len(up) + 1), out=starts[1:])
    # By digits of 16 bits, which are sorted without comparing.
    order = np.argsort((above & _LOW).astype(np.uint16), kind="stable")
    if len(up) > _LOW:
        high = (above >> _HALF).astype(np.uint16)[order]
        order = order[np.argsort(high, kind="stable")]
    return which[order], starts


def _below(level: Positions, order: Positions, starts: Positions) -> Positions:
    """The children of all nodes of a level."""
    first, last = starts[level + 1], starts[level + 2]
    counts = last - first
    ends = np.cumsum(counts)
    total = int(ends[-1])
    children: Positions = order[np.arange(total) + np.repeat(first - ends + counts, counts)]
    return children
