"""Exact amounts that flow between places, as whole units: what enters a place still leaves it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from tallybook.errors import MoneyError

Edge = tuple[str, str]
"""From a place to a place."""


def whole_flow(exact: Mapping[Edge, Fraction]) -> dict[Edge, int]:
    """Round a flow so that every place keeps its balance to the unit.

    Each amount goes to one of its two whole neighbours. Around a circle of amounts that are not
    whole yet, amounts can move together without any place gaining or losing; each move makes one
    of them whole, the shorter move first. The order of the mapping does not matter.

    Args:
        exact: the amount on each edge; at each place, what leaves minus what enters is whole.

    Returns:
        the whole amount on each edge, with the same differences.

    Raises:
        MoneyError: the differences are not whole.
    """
    amounts = dict(exact)
    while circle := _circle([edge for edge in sorted(amounts) if amounts[edge].denominator != 1]):
        above = {edge: amounts[edge] % 1 for edge in circle}
        up = min(1 - above[edge] if ahead else above[edge] for edge, ahead in circle.items())
        down = min(above[edge] if ahead else 1 - above[edge] for edge, ahead in circle.items())
        step = up if up <= down else -down
        for edge, ahead in circle.items():
            amounts[edge] += step if ahead else -step
    return {edge: amount.numerator for edge, amount in amounts.items()}


def _circle(edges: list[Edge]) -> dict[Edge, bool]:
    """A circle of edges, each with whether it points along the walk; empty if there is no edge."""
    if not edges:
        return {}
    beside: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        beside[edge[0]].append(edge)
        beside[edge[1]].append(edge)
    place = edges[0][0]
    entered: dict[str, int] = {}
    walked: list[tuple[Edge, bool]] = []
    while place not in entered:
        entered[place] = len(walked)
        last = walked[-1][0] if walked else None
        onward = next((edge for edge in beside[place] if edge != last), None)
        if onward is None:
            raise MoneyError(f"what leaves {place!r} minus what enters it is no whole number")
        ahead = onward[0] == place
        walked.append((onward, ahead))
        place = onward[1] if ahead else onward[0]
    return dict(walked[entered[place] :])
