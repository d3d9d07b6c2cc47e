"""Paths by number: each distinct step and each distinct end of a path is decided once.

An engine walks trees of millions of calls with whole numbers only: ``origin`` and ``chain`` are the
numbers of what stands above, ``said`` and ``service`` those of what a node itself says. Here they
are decided: `Paths.origin` and `Paths.chain` give the number one step further down,
`Paths.decision` what the end of a path means. A month is cut where the org chart changes; a number
stands for what is the case under each of the charts, and the call's own instant chooses among them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tallybook.attribute.chain import NOWHERE, Chain, Origin
from tallybook.attribute.model import Invocation, Joint, Owner, Payer
from tallybook.attribute.owner import OrgAt
from tallybook.attribute.transfer import owner_of
from tallybook.books.model import Org, Service

ROOT: Final = 0
"""The number of what stands above a root: nobody, and no service; of what says nothing, too."""

_PRICED: Final = "transfer_price"

S = TypeVar("S")
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the end of a path means for the calls there.

    ``owner`` is the payer, or who started it where several pay or everyone does.
    """

    owner: Owner
    payers: tuple[Payer, ...] = ()
    joint: Joint | None = None


class _Numbers(Generic[T]):
    """Distinct values, one for each chart, with their numbers in the order in which they came.

    What is equal under two charts is one object.
    """

    def __init__(self, first: T, charts: int) -> None:
        self._one: dict[T, T] = {first: first}
        self.values = [(first,) * charts]
        self._of = {self.values[ROOT]: ROOT}

    def of(self, value: tuple[T, ...]) -> int:
        number = self._of.get(value)
        if number is None:
            number = self._of[value] = len(self.values)
            self.values.append(tuple(self._one.setdefault(one, one) for one in value))
        return number


class Paths:
    """The paths of a period under its org charts.

    ``counted`` are the services over whose users joint cost is spread; ``counts`` says whether any
    service is counted, for that or because it has a transfer price. ``ends`` are the distinct ends
    of paths that were numbered, each under one chart, and ``decisions`` what each of them means.

    Args:
        org: the org chart with all its dated rows.
        starts_us: the instants at which a chart begins to hold, the period's own first.
    """

    def __init__(self, org: Org, starts_us: Sequence[int]) -> None:
        self._charts = [OrgAt(org, start) for start in starts_us]
        self.counted = _counted(org)
        self.counts = counts_uses(org)
        self._said = _Numbers(NOWHERE, len(self._charts))
        self._services: _Numbers[Service | None] = _Numbers(None, len(self._charts))
        self._origins = _Numbers(NOWHERE, len(self._charts))
        self._chains = _Numbers(Chain(), len(self._charts))
        self._beyond: dict[tuple[int, int], Chain] = {}
        self.ends: list[tuple[int, int, int]] = []
        self.decisions: list[Decision] = []
        self._ends: dict[tuple[int, int, int], int] = {}
        self._meaning: dict[tuple[Decision, tuple[Invocation, ...]], int] = {}

    def node(self, carried: Mapping[str, str]) -> tuple[int, int]:
        """The numbers of what a node says by itself: (said, service); `ROOT` says nothing."""
        said = tuple(chart.said(carried) for chart in self._charts)
        service = tuple(chart.service(carried["service"]) for chart in self._charts)
        return self._said.of(said), self._services.of(service)

    def alone(self, carried: Mapping[str, str]) -> tuple[int, int]:
        """The numbers of the path of a call that stands alone: (origin, chain)."""
        said, service = self.node(carried)
        return self.origin(ROOT, said), self.chain(ROOT, service)

    def origin(self, above: int, said: int) -> int:
        """The number of the origin one step further down."""
        values = self._origins.values[above], self._said.values[said]
        return self._origins.of(_by_chart(Origin.then, *values))

    @property
    def origins(self) -> int:
        """How many origins have a number so far."""
        return len(self._origins.values)

    @property
    def chains(self) -> int:
        """How many chains have a number so far."""
        return len(self._chains.values)

    @property
    def services(self) -> int:
        """How many services have a number so far."""
        return len(self._services.values)

    @property
    def charts(self) -> int:
        """How many charts hold one after another; the number of an epoch is that of its chart."""
        return len(self._charts)

    @property
    def doubts(self) -> bool:
        """Whether the word of anybody may be refused."""
        return any(chart.doubts for chart in self._charts)

    def believes(self, told: Mapping[str, str], teller: str) -> tuple[bool, ...]:
        """Whether a row may say for which customer, cohort and plan it works, by chart."""
        return tuple(chart.believes(told, teller) for chart in self._charts)

    def is_named(self, origin: int) -> tuple[bool, ...]:
        """Whether tags, a rule or a key name an origin, by chart."""
        return tuple(one.rule != "" for one in self._origins.values[origin])

    def is_settled(self, origin: int) -> bool:
        """Whether no node further down can change an origin."""
        return all(one.is_settled for one in self._origins.values[origin])

    def chain(self, above: int, service: int) -> int:
        """The number of the chain of services one step further down."""
        values = self._chains.values[above], self._services.values[service]
        return self._chains.of(_by_chart(self._then, *values))

    def _then(self, above: Chain, service: Service | None) -> Chain:
        return above.then(service, self.counted)

    def counted_services(self) -> list[int]:
        """The numbers of the services whose invocations are counted."""
        return [
            number
            for number, rows in enumerate(self._services.values)
            if any(row and (row.transfer == _PRICED or row.id in self.counted) for row in rows)
        ]

    def end(self, origin: int, chain: int, epoch: int) -> int:
        """The number of the end of a path under one chart; those that mean the same have one."""
        same = self._origins.values[origin], self._chains.values[chain]
        at = (origin, chain, _since(epoch, same))
        number = self._ends.get(at)
        if number is None:
            decision = self.decision(*at)
            meaning = (decision, tuple(self.beneath(*at)))
            number = self._meaning.setdefault(meaning, len(self.ends))
            if number == len(self.ends):
                self.ends.append(at)
                self.decisions.append(decision)
            self._ends[at] = number
        return number

    def invoked_since(self, origin: int, above: int, service: int, epoch: int) -> int:
        """The first chart under which a node invokes what it does under one."""
        same = self._origins.values[origin], self._chains.values[above]
        return _since(epoch, (*same, self._services.values[service]))

    def decision(self, origin: int, chain: int, epoch: int) -> Decision:
        """What the end of a path means under one chart."""
        links = self._chains.values[chain][epoch]
        started = self._charts[epoch].started(self._origins.values[origin][epoch], links)
        base = Owner(
            team=started.team,
            feature=started.feature,
            purpose=started.purpose,
            kind="usage",
            service="",
            executor=links.executor(started.team),
            rule=started.rule,
        )
        joint = links.joint(started.team, started.purpose)
        if joint:
            return Decision(base, joint=joint)
        payers = self._known(chain, epoch, links, started.team).shared(
            started.team, started.feature
        )
        if len(payers) == 1:
            return Decision(owner_of(base, payers[0]))
        return Decision(base, payers)

    def _known(self, chain: int, epoch: int, links: Chain, team: str) -> Chain:
        """What `Chain.known` says, worked out once for every origin beyond a boundary."""
        if links.outermost is None or links.outermost.team == team:
            return links
        found = self._beyond.get((chain, epoch))
        if found is None:
            found = self._beyond[chain, epoch] = links.known(team)
        return found

    def invocation(self, origin: int, above: int, service: int, epoch: int) -> Invocation | None:
        """What a node invokes, before it is counted.

        Args:
            origin: of the node itself.
            above: the chain above the node.
            service: what the node says.
            epoch: of the node.

        Returns:
            None if the node goes on with what stands above, or if nobody counts its service.
        """
        invoked = self._services.values[service][epoch]
        links = self._chains.values[above][epoch]
        if invoked is None or not links.is_invoked(invoked):
            return None
        here = links.then(invoked)
        started = self._charts[epoch].started(self._origins.values[origin][epoch], here)
        caller = links.executor(started.team)
        is_owed = invoked.transfer == _PRICED and invoked.team != caller
        if not is_owed and invoked.id not in self.counted:
            return None
        return Invocation(
            service=invoked.id,
            executor=invoked.team,
            origin=started.team,
            origin_feature=started.feature,
            purpose=started.purpose,
            payers=(
                self._known(above, epoch, links, started.team).shared(started.team, started.feature)
                if is_owed
                else ()
            ),
            price_nano=invoked.price_nano if is_owed else 0,
            per=invoked.per if is_owed else "",
            calls=0,
            outcomes=0,
            tokens=0,
        )

    def beneath(self, origin: int, chain: int, epoch: int) -> Iterable[Invocation]:
        """Whose use the tokens at the end of a path are, before they are counted."""
        links = self._chains.values[chain][epoch]
        if not links.passed:
            return
        started = self._charts[epoch].started(self._origins.values[origin][epoch], links)
        for name in sorted(links.passed):
            service = self._charts[epoch].service(name)
            if service is not None:
                yield Invocation(
                    service.id, service.team, started.team, started.feature, started.purpose,
                    (), 0, "", 0, 0, 0,
                )  # fmt: skip


def _by_chart(step: Callable[[T, S], T], above: Sequence[T], said: Sequence[S]) -> tuple[T, ...]:
    """One step further down under each chart, worked out where it is not as under the last one."""
    found: list[T] = []
    for at, (one, other) in enumerate(zip(above, said, strict=True)):
        same = at and one is above[at - 1] and other is said[at - 1]
        found.append(found[-1] if same else step(one, other))
    return tuple(found)


def _since(epoch: int, by_chart: Sequence[Sequence[object]]) -> int:
    """The first chart under which all of some values are what they are under one."""
    for at in range(epoch):
        for values in by_chart:
            if values[at] is not values[epoch]:
                break
        else:
            return at
    return epoch


def _counted(org: Org) -> frozenset[str]:
    return frozenset(row.joint.users_of for row in org.services if row.joint)


def counts_uses(org: Org) -> bool:
    """Whether any service is counted by its invocations: it has a price, or shares joint cost."""
    return bool(_counted(org)) or any(row.transfer == _PRICED for row in org.services)
