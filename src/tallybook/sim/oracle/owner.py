"""Who started a call, who ran it, and whose word counts.

A node is named by its tags, else the first rule that matches, else its key. The outermost named
node of a path is the origin of what lies beneath, else the owner of the outermost known service,
else the team named for what nobody owns. The innermost known service ran the call. Everything is
asked at the instant of the call.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tallybook.sim.oracle.books import Books, Row, by_id, in_force, instant
from tallybook.sim.oracle.graph import Path
from tallybook.sim.oracle.price import glob_matches
from tallybook.sim.oracle.usage import Event


@dataclass(frozen=True, slots=True)
class Word:
    """What a node says: team and feature, purpose; "" where it is silent.

    `by` tells the sources that decided apart.
    """

    team: str
    feature: str
    purpose: str
    by: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The payer of a call; `executor` is the team whose service made it, if another one did.

    `named` is false for what nobody owns; `feature` and `executor` may be "". `origin` is team and
    feature of who started it, `by` what told that.
    """

    team: str
    feature: str
    purpose: str
    executor: str
    service: str
    named: bool
    origin: tuple[str, str] = ("", "")
    ran_by: str = ""
    by: str = ""

    def paid_by(self, team: str, feature: str) -> "Owner":
        """The same call, another payer."""
        executor = self.ran_by if self.named and self.ran_by != team else ""
        return replace(self, team=team, feature=feature, executor=executor)


def owner_of(books: Books, event: Event) -> Owner:
    """The owner of a call that stands alone, at its own instant."""
    return started_by(books, (event,), instant(event["started_at"]))


def started_by(books: Books, path: Path, at: datetime) -> Owner:
    """The owner of a call if its origin pays: origin and executor along its path."""
    words = [word_of(books, node, at) for node in reversed(path)]
    known = [row for node in path if (row := service_of(books, node, at))]
    origin = next((word for word in words if word.team), None)
    purposes = [word.purpose for word in ([origin] if origin else []) + words if word.purpose]
    purpose = purposes[0] if purposes else "untagged"
    if origin:
        team, feature = origin.team, origin.feature
    else:
        team, feature = (str(known[-1]["team"]) if known else books.unowned_team), ""
    ran_by = str(known[0]["team"]) if known else team
    service = str(known[0]["id"]) if known else ""
    by = origin.by if origin else f"service:{known[-1]['id']}" if known else ""
    plain = Owner(team, feature, purpose, "", service, bool(origin or known))
    return replace(plain, origin=(team, feature), ran_by=ran_by, by=by).paid_by(team, feature)


def service_of(books: Books, node: Event, at: datetime) -> Row | None:
    """The row of a node's service, if the org chart knows it."""
    return by_id(books, "services", at).get(node.get("service") or "")


def word_of(books: Books, node: Event, at: datetime) -> Word:
    """What a node says by its tags, the first rule that matches and its key, in this order."""
    key = by_id(books, "keys", at).get(node.get("key_id") or "", {})
    node = allowed(books, node, key, at)
    rule = first_rule(books, node, at)
    tags = {name: node.get(name) for name in ("team", "feature", "purpose")}
    sources = {"tag": tags, f"rule {rule}": rule, f"key {key.get('id')}": key}
    claims = [
        (name, *claim) for name, source in sources.items() if (claim := claim_of(books, source, at))
    ]
    team = claims[0][1] if claims else ""
    named = next(((name, text) for name, who, text in claims if text and who == team), ("", ""))
    purpose = next((text for source in sources.values() if (text := source.get("purpose"))), "")
    by = f"{claims[0][0]} {claims[0][2]} {named[0]}" if claims else ""
    return Word(team, named[1], purpose, by)


def allowed(books: Books, node: Event, key: Row, at: datetime) -> Event:
    """A node; without team and feature if its key may not speak for the team that they claim."""
    claimed, own = (claim_of(books, source, at) for source in (node, key))
    may = key.get("claims", "any")
    teams = [own[0] if own else ""] if may == "own" else may
    if may == "any" or claimed is None or claimed[0] in teams:
        return node
    return {name: value for name, value in node.items() if name not in ("team", "feature")}


def claim_of(books: Books, source: dict[str, Any], at: datetime) -> tuple[str, str] | None:
    """Team and feature that a source names, as far as the org chart knows them at that instant.

    The feature's team decides over a team that is named beside it.
    """
    feature, team = source.get("feature") or "", source.get("team") or ""
    features = by_id(books, "features", at)
    if feature in features:
        return str(features[feature]["team"]), feature
    return (team, "") if team in by_id(books, "teams", at) else None


def first_rule(books: Books, event: Event, at: datetime) -> Row:
    """The first rule in force whose every condition holds, or an empty one."""
    rules = in_force(books.org.get("rules", []), at, books.zone)
    return next((rule for rule in rules if rule_matches(rule, event)), {})


def rule_matches(rule: Row, event: Event) -> bool:
    """Whether a call carries what a rule asks for; what it does not carry never matches."""
    carried = {f"labels.{key}": value for key, value in (event.get("labels") or {}).items()}
    carried |= {key: value for key, value in event.items() if isinstance(value, str)}
    return all(
        field in carried and glob_matches(glob, carried[field])
        for field, glob in rule["when"].items()
    )
