"""Who is charged: the boundaries between teams on a path, and what each one's rule says.

A boundary is where a service's team differs from that of what called it. From the call upwards each
boundary passes the cost on, keeps it, keeps a part of it, or keeps it for a price that whoever pays
above owes once per invocation.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from tallybook.sim.oracle.books import Books, Row, instant
from tallybook.sim.oracle.graph import Path
from tallybook.sim.oracle.owner import Owner, service_of, started_by
from tallybook.sim.oracle.usage import Event

ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Part:
    """What a payer bears of a call, as a share of it.

    `service` and `rule` are the boundary that decided it: of what the origin is left with, the
    innermost that asked for more than that the caller pays.
    """

    team: str
    feature: str
    share: Fraction
    service: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Invocation:
    """Consecutive nodes of one service: its row, its outermost node, and the path above that."""

    service: Row
    node: Event
    above: Path


@dataclass(frozen=True, slots=True)
class Price:
    """A transfer price that one team owes another for an invocation, in currency units.

    `owner` is of who started the invocation.
    """

    payer: str
    feature: str
    callee: str
    service: str
    amount: Fraction
    owner: Owner


def invocations(books: Books, path: Path, at: datetime) -> list[Invocation]:
    """The invocations on a path, the innermost first."""
    found: list[Invocation] = []
    for place, node in enumerate(path):
        service = service_of(books, node, at)
        if service is None:
            continue
        if found and found[-1].service["id"] == service["id"]:
            found.pop()
        found.append(Invocation(service, node, path[place + 1 :]))
    return found


def boundaries(books: Books, path: Path, at: datetime, origin: str) -> list[Invocation]:
    """The invocations on a path that were called by another team."""
    known = invocations(books, path, at)
    teams = [*(str(one.service["team"]) for one in known), origin]
    return [
        one for one, caller in zip(known, teams[1:], strict=True) if one.service["team"] != caller
    ]


def parts_of(crossed: Sequence[Invocation], origin: tuple[str, str]) -> list[Part]:
    """Who pays for what lies beneath some boundaries, the innermost first."""
    rest = ONE
    shares: defaultdict[Part, Fraction] = defaultdict(Fraction)
    for one in crossed:
        row = one.service
        kept = rest * share_kept(row)
        named = (str(row["team"]), str(row.get("feature", "")), ZERO, str(row["id"]), rule_of(row))
        shares[Part(*named)] += kept
        rest -= kept
    told = [one.service for one in crossed if rule_of(one.service) != "caller_pays"]
    told += [one.service for one in crossed]
    through = (str(told[0]["id"]), rule_of(told[0])) if told else ("", "")
    shares[Part(*origin, ZERO, *through)] += rest
    return [replace(part, share=share) for part, share in shares.items() if share]


def rule_of(service: Row) -> str:
    """The transfer rule of a service."""
    return str(service.get("transfer", "caller_pays"))


def share_kept(service: Row) -> Fraction:
    """What the callee bears itself of what it was invoked for."""
    rule = rule_of(service)
    if rule == "split":
        weights = {who: Fraction(weight) for who, weight in service["weights"].items()}
        return weights.get("callee", ZERO) / sum(weights.values())
    return ZERO if rule == "caller_pays" else ONE


def payers_of(books: Books, path: Path, at: datetime, owner: Owner) -> list[Part]:
    """Who pays for the call at the foot of a path."""
    return parts_of(boundaries(books, path, at, owner.origin[0]), owner.origin)


def prices_of(books: Books, paths: Iterable[Path]) -> Iterator[Price]:
    """The transfer prices that invocations of the month owe, each decided when it started."""
    for path in paths:
        node = path[0]
        at = instant(node["started_at"])
        if not books.start <= at < books.end or service_of(books, node, at) is None:
            continue
        owner = started_by(books, path, at)
        crossed = boundaries(books, path, at, owner.origin[0])
        if crossed and crossed[0].node is node and owes(crossed[0].service, node):
            callee = crossed[0].service
            for part in parts_of(crossed[1:], owner.origin):
                if part.team != callee["team"]:
                    amount = Fraction(callee["price"]) * part.share
                    team, name = str(callee["team"]), str(callee["id"])
                    yield Price(part.team, part.feature, team, name, amount, owner)


def owes(service: Row, node: Event) -> bool:
    """Whether an invocation has a price: per outcome only if it ended without error."""
    if rule_of(service) != "transfer_price":
        return False
    return service.get("per", "call") == "call" or node.get("status") != "error"
