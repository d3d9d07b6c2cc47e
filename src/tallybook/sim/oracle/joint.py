"""Joint cost: calls that serve everyone who uses a service are spread over its users."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from tallybook.sim.oracle.books import Books, Row, instant
from tallybook.sim.oracle.graph import Path
from tallybook.sim.oracle.owner import Owner, started_by
from tallybook.sim.oracle.payer import Part, invocations
from tallybook.sim.oracle.told import is_step
from tallybook.sim.oracle.usage import tokens_of

User = tuple[str, str]
"""Team and feature that invoked a service."""


def joint_terms(books: Books, path: Path, at: datetime, owner: Owner) -> Row | None:
    """How a call is spread if it is a joint one, else None."""
    known = invocations(books, path, at)
    row = known[0].service if known else {}
    terms: Row = row.get("joint", {})
    is_joint = owner.purpose in terms.get("purposes", []) and owner.origin[0] == row["team"]
    return {"users_of": row["id"], "service": row["id"], **terms} if is_joint else None


def spread_over_users(books: Books, paths: Sequence[Path], terms: Row, plain: Part) -> list[Part]:
    """The parts of the users of a service; the owner's part is the whole if nobody used it."""
    weights = users(books, paths, terms, plain.team)
    total = sum(weights.values())
    return [
        Part(*user, Fraction(weight, total), str(terms["service"]), "joint")
        for user, weight in sorted(weights.items())
        if weight
    ] or [plain]


def users(books: Books, paths: Sequence[Path], terms: Row, team: str) -> Counter[User]:
    """What each user weighs: alike, by invocations, or by the tokens of the calls beneath.

    What starts in the month counts. What the joint work of the service's own team invokes is no
    use.
    """
    found: Counter[User] = Counter()
    by, service = str(terms["by"]), str(terms["users_of"])
    for path in paths:
        at = instant(path[0]["started_at"])
        known = invocations(books, path, at) if books.start <= at < books.end else []
        owner = started_by(books, path, at)
        if owner.origin[0] == team and owner.purpose in terms["purposes"]:
            continue
        if by == "tokens":
            is_beneath = any(one.service["id"] == service for one in known)
            used = tokens_of(path[0]) if is_beneath and not is_step(path[0]) else 0
        else:
            used = bool(known and known[0].node is path[0] and known[0].service["id"] == service)
        if used:
            found[owner.origin] += used
    return Counter(dict.fromkeys(found, 1)) if by == "equal" else found
