"""Who is charged: the boundaries between teams on a path, and what each one's rule says.

A boundary is where a service's team differs from that of what called it. From the call upwards each
boundary passes the cost on, keeps it, keeps a part of it, or keeps it for a price that whoever pays
above owes once per invocation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from tallybook.sim.oracle.books import Books, Row, instant
from tallybook.sim.oracle.graph import Path
from tallybook.sim.oracle.owner import Owner, service_of, started_by
from tallybook.sim.oracle.usage import Event

ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Part:
    """What a payer bears of a call, as a share of it; by which service's rule, if by one."""

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


def parts_of(crossed: Iterable[Invocation], origin: tuple[str, str]) -> list[Part]:
    """Who pays for what lies beneath some boundaries, the innermost first."""
    parts, rest = [], ONE
    for one in crossed:
        row = one.service
        kept = rest * share_kept(row)
        rule = str(row.get("transfer", "caller_pays"))
        feature = str(row.get("feature", ""))
        parts.append(Part(str(row["team"]), feature, kept, str(row["id"]), rule))
        rest -= kept
    return [part for part in [*parts, Part(*origin, rest)] if part.share]


def share_kept(service: Row) -> Fraction:
    """What the callee bears itself of what it was invoked for."""
    rule = service.get("transfer", "caller_pays")
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
    if service.get("transfer") != "transfer_price":
        return False
    return service.get("per", "call") == "call" or node.get("status") != "error"
