"""Who answers for a call, and rated usage summed by who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNTAGGED = "untagged"
"""The purpose of a call that nobody stated."""

JOINT = "joint"
"""The rule of a line that serves everyone who used a service."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The payer of a call, who started it, who ran it, and what decided it.

    ``team``, ``feature`` and ``purpose`` are the payer's. ``executor`` ran the call (the service's
    team); ``kind`` is ``transfer`` when it is not the payer. ``rule`` names what decided who
    started it: ``tag:feature``, ``tag:team``, ``rule:3``, ``key:vk-1``, ``service:retrieval`` or
    ``fallback``.

    ``origin`` and ``origin_feature`` are who started it; an empty ``origin`` means that the payer
    did. ``transfer`` is the rule that made the payer pay (``caller_pays``, ``callee_absorbs``,
    ``split``, ``transfer_price``, ``joint``) and ``service`` the service whose rule that is; both
    are empty when nothing was transferred.
    """

    team: str
    feature: str
    purpose: str
    kind: str
    service: str
    executor: str
    rule: str
    origin: str = ""
    origin_feature: str = ""
    transfer: str = ""

    @property
    def is_fallback(self) -> bool:
        """Whether nobody named the payer: the state *unallocated*."""
        return self.rule == "fallback"

    @property
    def started_by(self) -> tuple[str, str]:
        """The team and feature that started it."""
        if self.origin:
            return (self.origin, self.origin_feature)
        return (self.team, self.feature)


@dataclass(frozen=True, slots=True, order=True)
class Payer:
    """Who bears a part of a cost. Parts of one cost are in proportion to their whole weights.

    ``service`` and ``transfer`` are the boundary that decided it and its rule.
    """

    team: str
    feature: str
    service: str
    transfer: str
    weight: int


@dataclass(frozen=True, slots=True, order=True)
class Joint:
    """How a service's calls that serve everyone are spread: over the users of a service.

    Joint are the calls of ``service`` with one of ``purposes`` that ``team``, its own, started.
    """

    service: str
    team: str
    purposes: tuple[str, ...]
    users_of: str
    by: str


@dataclass(frozen=True, slots=True)
class AttributedLine:
    """Rated usage of one owner at one provider, in pico (scale 12).

    ``state`` is the usage state (reported, estimated, partial, unknown); ``unpriced`` usage has
    amounts of zero that mean *not known*, and is counted apart everywhere.

    A line that several pay has them in ``payers``, and one that serves everyone has ``joint``: its
    ``owner`` is then who started it, until `tallybook.attribute.transfer` gives each a line.
    """

    provider: str
    owner: Owner
    state: str
    unpriced: bool
    calls: int
    tokens: int
    list_pico: int
    contract_pico: int
    card_pico: int
    units: Mapping[str, int]
    payers: tuple[Payer, ...] = ()
    joint: Joint | None = None
    capacity: str = ""
    """on which it ran at no price of its own; ``list_pico`` is then a shadow"""


@dataclass(frozen=True, slots=True, order=True)
class Invocation:
    """How often a service was invoked for one origin, by whoever pays for what stands above it.

    Kept for services with a transfer price and for those over whose users joint cost is spread.

    ``price_nano`` is what one call or one outcome costs (``per``); without a ``per`` nothing is
    owed. ``outcomes`` ended without error; ``tokens`` are those of the calls beneath.
    """

    service: str
    executor: str
    origin: str
    origin_feature: str
    purpose: str
    payers: tuple[Payer, ...]
    price_nano: int
    per: str
    calls: int
    outcomes: int
    tokens: int


@dataclass(frozen=True, slots=True, order=True)
class TransferUse:
    """What one payer owes a service's team at its transfer price in a month, in nano (scale 9).

    ``team``, ``feature``, ``purpose`` are the payer's, ``origin`` and ``origin_feature`` who
    started it ('' when the payer did), ``executor`` the team of ``service``, which is owed.
    ``amount_nano`` is the price times the count; where several pay, the part of this one.
    """

    team: str
    feature: str
    purpose: str
    origin: str
    origin_feature: str
    service: str
    executor: str
    calls: int
    outcomes: int
    price_nano: int
    per: str
    amount_nano: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """A month as it adds up: of two sets of events apart, the sums are those of both together."""

    lines: tuple[AttributedLine, ...]
    invocations: tuple[Invocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Transferred:
    """A month as it is charged: one payer to a line, and what is owed at transfer prices."""

    lines: tuple[AttributedLine, ...]
    uses: tuple[TransferUse, ...] = ()
