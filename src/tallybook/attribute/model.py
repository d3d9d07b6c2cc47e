"""Who answers for a call, and rated usage summed by who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

UNTAGGED = "untagged"
"""The purpose of a call that nobody stated."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The payer of a call, and what decided it.

    ``executor`` ran the call (the service's team); ``kind`` is ``transfer`` when it is not the
    payer. ``rule`` names what decided: ``tag:feature``, ``tag:team``, ``rule:3``, ``key:vk-1``,
    ``service:retrieval`` or ``fallback``.
    """

    team: str
    feature: str
    purpose: str
    kind: str
    service: str
    executor: str
    rule: str

    @property
    def is_fallback(self) -> bool:
        """Whether nobody named the payer: the state *unallocated*."""
        return self.rule == "fallback"


@dataclass(frozen=True, slots=True)
class AttributedLine:
    """Rated usage of one owner at one provider, in pico (scale 12).

    ``state`` is the usage state (reported, estimated, partial, unknown); ``unpriced`` usage has
    amounts of zero that mean *not known*, and is counted apart everywhere.
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
