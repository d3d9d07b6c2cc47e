"""The flow between teams as data, ready to print and to draw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """What one team caused, another ran and one pays, under one rule.

    ``service`` is the one whose rule made the payer pay; '' with the rule ``own``.
    """

    origin: str
    executor: str
    payer: str
    service: str
    rule: str
    calls: int
    tokens: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What a payer owes the team of a service at its transfer price.

    ``count`` is of what the price is ``per``: calls or outcomes; ``price`` is text in currency
    units.
    """

    payer: str
    callee: str
    service: str
    per: str
    count: int
    price: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class States:
    """Calls that nobody owns, that have no price, whose usage is not fully known."""

    unallocated: int
    unpriced: int
    unknown: int


@dataclass(frozen=True, slots=True)
class GraphView:
    """A month's flow between teams; ``teams`` are (id, name), ``edges`` the dearest first."""

    company: str
    currency: str
    period: str
    period_label: str
    teams: tuple[tuple[str, str], ...]
    unowned: str
    edges: tuple[Edge, ...]
    owed: tuple[Owed, ...]
    states: States
    simulated: bool

    @property
    def total_cents(self) -> int:
        """Usage at rate card: what every cut adds up to."""
        return sum(edge.amount_cents for edge in self.edges)
