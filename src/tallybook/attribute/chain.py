"""The path from a root down to a call, step by step: who started it, who ran it, who pays.

Two things are carried along a path, each small and apart from the other: the `Origin`, which a path
finds once, and the `Chain` of services with what their rules decided so far. Pure; one chart of one
instant. Nothing here looks at a single call: `tallybook.attribute.path` brings each distinct step
once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from math import gcd
from typing import Final

from tallybook.attribute.model import Joint, Payer
from tallybook.books.model import Service

CALLER_PAYS: Final = "caller_pays"
_PLAIN: Final = ("", CALLER_PAYS)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who started what lies on a path, as far as it is known.

    ``rule`` is what named it, '' while nobody was. ``purpose`` is the origin's own; ``outer`` is
    that of the outermost node that states one.
    """

    rule: str = ""
    team: str = ""
    feature: str = ""
    purpose: str = ""
    outer: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether no node further down can change it."""
        return bool(self.rule and (self.purpose or self.outer))

    def then(self, said: Origin) -> Origin:
        """One node further down.

        Args:
            said: what the node's own tags, rules and key say; its ``outer`` is its purpose.
        """
        outer = self.outer or said.outer
        if self.rule or not said.rule:
            return replace(self, outer=outer)
        return replace(said, outer=outer)


NOWHERE: Final = Origin()


@dataclass(frozen=True, slots=True)
class Chain:
    """The services of a path and what their rules decided.

    ``payers`` bear their part whoever stands above; ``rest`` goes up to the outermost service,
    whose rule is asked when the origin is known. ``service`` and ``transfer`` say through which
    boundary the rest went, the innermost that is not plain `caller_pays`, else the innermost.
    ``passed`` are the services on the path of which somebody counts the tokens beneath.
    """

    outermost: Service | None = None
    innermost: Service | None = None
    payers: tuple[Payer, ...] = ()
    rest: int = 1
    service: str = ""
    transfer: str = ""
    passed: frozenset[str] = frozenset()

    def then(self, service: Service | None, counted: Collection[str] = ()) -> Chain:
        """One node further down; consecutive nodes of one service are one invocation.

        Args:
            service: the node's service as the chart has it; None if it is not known.
            counted: services of which the tokens beneath are counted.
        """
        if service is None or not self.is_invoked(service):
            return self
        below = self
        if self.innermost is not None and self.innermost.team != service.team:
            below = self._through(service)
        passed = below.passed | {service.id} if service.id in counted else below.passed
        # Made field by field: a long month has some hundred thousand distinct steps.
        return Chain(
            self.outermost or service, service, below.payers, below.rest, below.service,
            below.transfer, passed,
        )  # fmt: skip

    def is_invoked(self, service: Service) -> bool:
        """Whether a node of this service, one further down, is a new invocation of it."""
        return self.innermost is None or self.innermost.id != service.id

    def executor(self, origin: str) -> str:
        """The team that ran it; without a known service the origin."""
        return self.innermost.team if self.innermost else origin

    def paid_by(self, team: str, feature: str) -> tuple[Payer, ...]:
        """Who pays for a cost at the end of this path, in whole parts.

        Args:
            team: the origin's team.
            feature: the origin's feature.
        """
        return self.known(team).shared(team, feature)

    def known(self, team: str) -> Chain:
        """The chain when it is known that a team is the origin: nothing is left to be asked."""
        if self.outermost and self.outermost.team != team:
            return self._up_through(self.outermost)
        return self

    def shared(self, team: str, feature: str) -> tuple[Payer, ...]:
        """Who pays, of a chain of which the origin is `known`."""
        if not self.payers:
            return (Payer(team, feature, self.service, self.transfer, 1),)
        if not self.rest and len(self.payers) == 1:
            return self.payers
        origin = Payer(team, feature, self.service, self.transfer, self.rest)
        return _in_lowest_terms((*self.payers, origin))

    def joint(self, team: str, purpose: str) -> Joint | None:
        """How the calls at the end of this path are spread, if they serve everyone."""
        service = self.innermost
        if service is None or service.joint is None or service.team != team:
            return None
        use = service.joint
        if purpose not in use.purposes:
            return None
        return Joint(service.id, team, use.purposes, use.users_of, use.by)

    def _through(self, service: Service) -> Chain:
        """The payers beneath a boundary, of the payers above it."""
        if service.transfer == CALLER_PAYS:
            if self.transfer in _PLAIN:
                return replace(self, service=service.id, transfer=CALLER_PAYS)
            return self
        callee, caller = _parts(service)
        whole = self.rest + sum(payer.weight for payer in self.payers)
        above = (_weighing(payer, payer.weight * caller) for payer in self.payers)
        own = Payer(service.team, service.feature, service.id, service.transfer, callee * whole)
        made = replace(self, payers=tuple(sorted((own, *above))), rest=self.rest * caller)
        return _reduced(replace(made, service=service.id, transfer=service.transfer))

    def _up_through(self, service: Service) -> Chain:
        """The rest, once it is known that the outermost service is a boundary."""
        if service.transfer == CALLER_PAYS:
            return self._through(service) if not self.transfer else self
        callee, caller = _parts(service)
        beneath = (_weighing(one, one.weight * (callee + caller)) for one in self.payers)
        own = Payer(service.team, service.feature, service.id, service.transfer, callee * self.rest)
        made = replace(self, payers=(own, *beneath), rest=self.rest * caller)
        if self.transfer in _PLAIN:
            made = replace(made, service=service.id, transfer=service.transfer)
        return _reduced(made)


def _weighing(payer: Payer, weight: int) -> Payer:
    return Payer(payer.team, payer.feature, payer.service, payer.transfer, weight)


def _parts(service: Service) -> tuple[int, int]:
    """What the service's team and who stands above pay of a cost, in whole parts."""
    if service.transfer == "split":
        return service.callee_weight, service.caller_weight
    return 1, 0


def _reduced(chain: Chain) -> Chain:
    """The same parts in lowest terms; who pays nothing is gone."""
    by = gcd(chain.rest, *(payer.weight for payer in chain.payers))
    held = tuple(
        payer if by == 1 else _weighing(payer, payer.weight // by)
        for payer in chain.payers
        if payer.weight
    )
    if not chain.rest:
        return replace(chain, payers=held, rest=0, service="", transfer="")
    return replace(chain, payers=held, rest=chain.rest // by)


def _in_lowest_terms(payers: Collection[Payer]) -> tuple[Payer, ...]:
    weights: dict[tuple[str, str, str, str], int] = defaultdict(int)
    for one in payers:
        weights[one.team, one.feature, one.service, one.transfer] += one.weight
    by = gcd(*weights.values())
    return tuple(sorted(Payer(*who, weight // by) for who, weight in weights.items() if weight))
