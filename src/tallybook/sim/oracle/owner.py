"""Who answers for a call.

Its tags say it, else the first rule that matches, else its key, else the team of the service that
made it, else it is the team named for what nobody owns.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tallybook.sim.oracle.books import Books, Row, by_id, in_force, instant
from tallybook.sim.oracle.price import glob_matches
from tallybook.sim.oracle.usage import Event


@dataclass(frozen=True, slots=True)
class Owner:
    """The payer of a call; `executor` is the team whose service made it, if another one did.

    `named` is false for what nobody owns; `feature` and `executor` may be "".
    """

    team: str
    feature: str
    purpose: str
    executor: str
    service: str
    named: bool


def owner_of(books: Books, event: Event) -> Owner:
    """Find the owner of a call at its own instant."""
    at = instant(event["started_at"])
    rule = first_rule(books, event, at)
    key = by_id(books, "keys", at).get(event.get("key_id") or "", {})
    sources = [{name: event.get(name) for name in ("team", "feature", "purpose")}, rule, key]
    service = event.get("service") or ""
    runner = str(by_id(books, "services", at).get(service, {}).get("team", ""))
    claims = [claim for source in sources if (claim := claim_of(books, source, at))]
    team = claims[0][0] if claims else runner or books.unowned_team
    feature = next((name for claimer, name in claims if name and claimer == team), "")
    purpose = next((text for source in sources if (text := source.get("purpose"))), "untagged")
    executor = runner if claims and runner != team else ""
    return Owner(
        team, feature, purpose, executor, service if runner else "", bool(claims or runner)
    )


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
