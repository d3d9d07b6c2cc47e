"""Whom a call or a step names, by what it carries.

Tags first, then dated rules, then the key; where nobody on a path is named, the outermost service,
then the named unowned team. The first that names a team decides; a later one may still say which of
that team's features it was. Calls are never looked at one by one: the caller brings each distinct
combination once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from tallybook.attribute.chain import Chain, Origin
from tallybook.attribute.model import UNTAGGED
from tallybook.books.globs import glob_matches
from tallybook.books.model import CLAIMS_OWN, Org, Rule, Service, Span
from tallybook.meter.resolve.merge import MERGED, TAGS_FROM

TAGS = ("team", "feature", "purpose", "key_id", "service")


class _Dated(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def span(self) -> Span: ...


_TELLER = f"labels.{TAGS_FROM}"
WHO_TOLD = ("team", "feature", "key_id", "source", _TELLER)
"""The event fields that decide whether what a row claims is refused."""
Row = TypeVar("Row", bound=_Dated)
Claim = tuple[str, str, str, str]
"""(rule, team, feature, purpose): what one source says; '' is silence."""


def carried_fields(org: Org) -> tuple[str, ...]:
    """The event fields that may decide an owner: the tags, and what the rules look at."""
    asked = {field for rule in org.rules for field, _ in rule.when}
    if org.trusted_sources is not None:
        asked |= {"source", _TELLER}
    return (*TAGS, *sorted(asked - set(TAGS)))


def epochs_us(org: Org, start_us: int, end_us: int) -> tuple[int, ...]:
    """The instants inside a period at which the org chart changes, sorted."""
    dated: Sequence[_Dated | Rule] = (
        *org.teams, *org.features, *org.services, *org.keys, *org.rules
    )  # fmt: skip
    edges = {edge for row in dated for edge in (row.span.from_us, row.span.to_us)}
    return tuple(sorted(edge for edge in edges if start_us < edge < end_us))


class OrgAt:
    """The org chart at one instant, indexed.

    Args:
        org: the chart with all its dated rows.
        instant_us: when.
    """

    def __init__(self, org: Org, instant_us: int) -> None:
        self._unowned = org.unowned_team
        self._trusted = org.trusted_sources
        self._teams = _index(org.teams, instant_us)
        self._features = _index(org.features, instant_us)
        self._keys = _index(org.keys, instant_us)
        self._services = _index(org.services, instant_us)
        self._rules = [rule for rule in org.rules if rule.span.holds(instant_us)]

    def said(self, carried: Mapping[str, str]) -> Origin:
        """Whom a node's own tags, rules and key name, and for which purpose."""
        claims = [claim for claim in self._claims(carried) if claim[1] or claim[3]]
        decided = next((claim for claim in claims if claim[1]), None)
        rule, team, feature = decided[:3] if decided else ("", "", "")
        if decided and not feature:
            # The payer is known; which of the payer's features it was may be known elsewhere.
            hint = next((c for c in claims if c[1] == team and c[2]), None)
            if hint:
                rule, feature = f"{rule}+{hint[0]}", hint[2]
        purpose = next((claim[3] for claim in claims if claim[3]), "")
        return Origin(rule, team, feature, purpose if decided else "", purpose)

    def service(self, service_id: str) -> Service | None:
        """The service of an id, if the chart knows it."""
        return self._services.get(service_id)

    def started(self, origin: Origin, chain: Chain) -> Origin:
        """Who started a path: who was named, else the outermost service's team, else `unowned`."""
        purpose = origin.purpose or origin.outer or UNTAGGED
        if origin.rule:
            if purpose == origin.purpose:
                return origin
            return Origin(origin.rule, origin.team, origin.feature, purpose, origin.outer)
        if chain.outermost:
            rule = f"service:{chain.outermost.id}"
            return Origin(rule, chain.outermost.team, "", purpose)
        return Origin("fallback", self._unowned, "", purpose)

    def claimed(self, carried: Mapping[str, str]) -> str:
        """The team that tags claim and must not: its key or its source may not speak for it."""
        feature, team = self._features.get(carried["feature"]), carried["team"]
        named = feature.team if feature else team
        if named not in self._teams:
            return ""
        if self._trusted is not None and _teller(carried) not in self._trusted:
            return named
        key = self._keys.get(carried["key_id"])
        if key is None or key.claims is None:
            return ""
        own = self._team_of(key.team, key.feature)
        allowed = {own if name == CLAIMS_OWN else name for name in key.claims}
        return "" if named in allowed else named

    @property
    def doubts(self) -> bool:
        """Whether the word of anybody may be refused."""
        return self._trusted is not None or any(
            key.claims is not None for key in self._keys.values()
        )

    def believes(self, told: Mapping[str, str], teller: str) -> bool:
        """Whether a row may say for which customer, cohort and plan it works.

        Args:
            told: the fields of `WHO_TOLD`.
            teller: the source that told it.
        """
        return (self._trusted is None or teller in self._trusted) and not self.claimed(told)

    def _claims(self, carried: Mapping[str, str]) -> list[Claim]:
        if self.claimed(carried):
            carried = {**carried, "team": "", "feature": ""}
        return [
            self._tags(carried),
            *(
                (
                    f"rule:{rule.number}",
                    self._team_of(rule.team, rule.feature),
                    rule.feature,
                    rule.purpose,
                )
                for rule in self._first_rule(carried)
            ),
            self._key(carried["key_id"]),
        ]

    def _tags(self, carried: Mapping[str, str]) -> Claim:
        feature, team = self._features.get(carried["feature"]), carried["team"]
        if feature:
            # The feature's team answers for it, whatever team the caller wrote beside it.
            return ("tag:feature", feature.team, feature.id, carried["purpose"])
        return ("tag:team", team if team in self._teams else "", "", carried["purpose"])

    def _first_rule(self, carried: Mapping[str, str]) -> list[Rule]:
        for rule in self._rules:
            if all(_carries(carried[field], glob) for field, glob in rule.when):
                return [rule]
        return []

    def _key(self, key_id: str) -> Claim:
        key = self._keys.get(key_id)
        if not key:
            return ("", "", "", "")
        return (f"key:{key.id}", self._team_of(key.team, key.feature), key.feature, key.purpose)

    def _team_of(self, team: str, feature_id: str) -> str:
        feature = self._features.get(feature_id)
        return feature.team if feature else team


def _teller(carried: Mapping[str, str]) -> str:
    """The source that told the tags; of a merged row the one that they were taken from."""
    source = carried["source"]
    return carried[_TELLER] if source == MERGED else source


def _carries(value: str, glob: str) -> bool:
    """Whether a call carries a field that matches; a call without the field carries nothing."""
    return value != "" and glob_matches(glob, value)


def _index(rows: Sequence[Row], instant_us: int) -> dict[str, Row]:
    return {row.id: row for row in rows if row.span.holds(instant_us)}
