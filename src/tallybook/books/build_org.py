"""org.yaml from form to model: spans in the company's zone, and references that hold throughout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tallybook.books.build_closing import build_roles
from tallybook.books.build_services import check_claims, check_service, key_of, service_of
from tallybook.books.faults import Place, Sheet, nearest, one_of, shown
from tallybook.books.globs import is_glob
from tallybook.books.model import (
    FOREVER_US,
    PURPOSES,
    RULE_FIELDS,
    RULE_SHORTHANDS,
    BusinessUnit,
    Company,
    Feature,
    Org,
    Rule,
    Span,
    Team,
)
from tallybook.books.schema import (
    DatedForm,
    FeatureForm,
    KeyForm,
    OrgForm,
    RuleForm,
    ServiceForm,
    TeamForm,
)
from tallybook.clock import Calendar

_PERSONAL_FIELDS: Final = ("customer", "user")
_LABELS: Final = "labels."


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of one id: when it holds, where it stands, and for features whose it is."""

    span: Span
    place: Place
    dates: str
    team: str


_Timeline = Mapping[str, Sequence[_Row]]


def build_org(form: OrgForm, sheet: Sheet) -> Org:
    """Make the org of its form, noting every row that contradicts another.

    The result is only of use when no fault was noted.
    """
    calendar = calendar_of(form)
    reader = _Reader(calendar, sheet)
    _check_units(form, sheet)
    teams = reader.timeline("team", "teams", [(r, r.id, "") for r in form.teams])
    features = reader.timeline("feature", "features", [(r, r.id, r.team) for r in form.features])
    services = reader.timeline("service", "services", [(r, r.id, r.team) for r in form.services])
    reader.timeline("key", "keys", [(r, r.id, r.team) for r in form.keys])
    reader.check_rows(form, teams, features)
    reader.check_services(form, features, services)
    reader.check_keys(form, teams)
    _check_unowned(form, teams, sheet)
    company = form.company
    return Org(
        company=Company(
            company.name,
            company.currency,
            company.fiscal_year_start,
            company.timezone,
            company.simulated,
        ),
        units=tuple(
            BusinessUnit(unit.id, unit.name or unit.id, unit.legal_entity)
            for unit in form.business_units
        ),
        teams=tuple(_team(row, reader.span(row)) for row in form.teams),
        features=tuple(_feature(row, reader.span(row)) for row in form.features),
        services=tuple(service_of(row, reader.span(row)) for row in form.services),
        keys=tuple(key_of(row, reader.span(row)) for row in form.keys),
        rules=tuple(
            _rule(number, row, reader.span(row)) for number, row in enumerate(form.rules, 1)
        ),
        unowned_team=form.unowned.team,
        trusted_sources=tuple(sorted(set(form.trust.tags))) if form.trust else None,
        roles=build_roles(form.roles, sheet),
    )


def calendar_of(form: OrgForm) -> Calendar:
    """The company's calendar."""
    return Calendar(form.company.timezone, form.company.fiscal_year_start)


def _team(row: TeamForm, span: Span) -> Team:
    said = row.owners.model_dump(exclude_unset=True)
    owners = MappingProxyType({role: said[role] for role in sorted(said)})
    name = row.name or row.id
    return Team(row.id, name, row.unit, row.cost_center, row.headcount, owners, span)


def _feature(row: FeatureForm, span: Span) -> Feature:
    return Feature(row.id, row.team, row.name or row.id, span)


def _rule(number: int, row: RuleForm, span: Span) -> Rule:
    when = tuple(sorted((RULE_SHORTHANDS.get(field, field), row.when[field]) for field in row.when))
    return Rule(number, when, row.team, row.feature, row.purpose, span)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads dated rows in one calendar and notes their faults on one sheet."""

    calendar: Calendar
    sheet: Sheet

    def span(self, row: DatedForm) -> Span:
        start = self.calendar.date_start_us(row.from_) if row.from_ else 0
        end = self.calendar.date_start_us(row.to) if row.to else FOREVER_US
        return Span(start, end)

    def timeline(
        self,
        noun: str,
        section: str,
        rows: Sequence[tuple[DatedForm, str, str]],
    ) -> _Timeline:
        """The rows of each id; overlapping rows of one id are noted."""
        by_id: dict[str, list[_Row]] = {}
        for number, (form, name, team) in enumerate(rows):
            row = _Row(self.span(form), (section, number), _dates(form), team)
            earlier = by_id.setdefault(name, [])
            for other in earlier:
                if row.span.overlaps(other.span):
                    self.sheet.refuse(
                        row.place,
                        f"{noun} {shown(name)} {row.dates} overlaps the row at "
                        f"{self.sheet.at(other.place)} ({other.dates})",
                        expected="one row of an id at any time",
                        remedy="end the earlier row with to: on the day the later begins",
                    )
                    break
            earlier.append(row)
        return by_id

    def check_rows(self, form: OrgForm, teams: _Timeline, features: _Timeline) -> None:
        """Dates, references and contents of every dated row."""
        units = {unit.id for unit in form.business_units}
        for number, team in enumerate(form.teams):
            place: Place = ("teams", number)
            self.check_dates(team, place)
            if team.unit not in units:
                refuse_unknown((*place, "unit"), "business unit", team.unit, units, self.sheet)
        owned: list[tuple[str, int, FeatureForm | ServiceForm]] = [
            *(("features", n, row) for n, row in enumerate(form.features)),
            *(("services", n, row) for n, row in enumerate(form.services)),
        ]
        for section, n, row in owned:
            self.check_dates(row, (section, n))
            self.check_reference((section, n), row, "team", row.team, teams)
        claims: list[tuple[str, int, KeyForm | RuleForm]] = [
            *(("keys", n, claim) for n, claim in enumerate(form.keys)),
            *(("rules", n, claim) for n, claim in enumerate(form.rules)),
        ]
        for section, n, claim in claims:
            self.check_dates(claim, (section, n))
            self.check_claim((section, n), claim, teams, features)
        for number, rule in enumerate(form.rules):
            _check_when(rule, ("rules", number), self.sheet)

    def check_services(self, form: OrgForm, features: _Timeline, services: _Timeline) -> None:
        """What a service says about who pays, and over whom its joint cost is spread."""
        for number, row in enumerate(form.services):
            place: Place = ("services", number)
            check_service(row, place, self.sheet)
            if row.feature:
                self.check_reference(place, row, "feature", row.feature, features)
                self.check_owner(place, row, features.get(row.feature, ()))
            if row.joint and row.joint.users_of:
                where: Place = (*place, "joint", "users_of")
                self.check_reference(where, row, "service", row.joint.users_of, services)

    def check_keys(self, form: OrgForm, teams: _Timeline) -> None:
        """Whom the calls of a key may speak for."""
        for number, row in enumerate(form.keys):
            place: Place = ("keys", number)
            for name in check_claims(row, place, self.sheet):
                if name not in teams:
                    refuse_unknown((*place, "claims"), "team", name, teams, self.sheet)

    def check_dates(self, row: DatedForm, place: Place) -> None:
        if row.from_ and row.to and row.from_ >= row.to:
            self.sheet.refuse(
                (*place, "to"),
                f"from {row.from_} is not before to {row.to}",
                expected="from before to; to is the first day on which the row no longer holds",
                remedy="swap or correct the dates",
            )

    def check_claim(
        self, place: Place, row: KeyForm | RuleForm, teams: _Timeline, features: _Timeline
    ) -> None:
        """A key or rule says something, and what it says exists and agrees."""
        if not (row.team or row.feature or row.purpose):
            self.sheet.refuse(
                place,
                "names no team, feature or purpose",
                expected="at least one of them",
                remedy="say what the calls belong to, or remove the row",
            )
        if row.team:
            self.check_reference(place, row, "team", row.team, teams)
        if row.feature:
            self.check_reference(place, row, "feature", row.feature, features)
        if row.team and row.feature:
            self.check_owner(place, row, features.get(row.feature, ()))

    def check_reference(
        self, place: Place, row: DatedForm, noun: str, name: str, known: _Timeline
    ) -> None:
        """The id exists over the whole span of the row."""
        if name not in known:
            refuse_unknown((*place, noun), noun, name, known, self.sheet)
            return
        others = sorted(known[name], key=lambda other: other.span.from_us)
        reached_us, span = self.span(row).from_us, self.span(row)
        for other in others:
            if other.span.holds(reached_us):
                reached_us = other.span.to_us
        if reached_us < span.to_us and span.from_us < span.to_us:
            there = ", ".join(other.dates for other in others)
            self.sheet.refuse(
                (*place, noun),
                f"{noun} {shown(name)} does not exist over the whole row ({_dates(row)}): "
                f"it exists {there}",
                expected=f"a {noun} that exists {_dates(row)}",
                remedy=f"narrow from and to of this row, or widen those of the {noun}",
            )

    def check_owner(
        self, place: Place, row: KeyForm | RuleForm | ServiceForm, rows: Sequence[_Row]
    ) -> None:
        """The team that is named beside a feature owns it, as long as the row holds."""
        span = self.span(row)
        for other in rows:
            if other.team != row.team and span.overlaps(other.span):
                self.sheet.refuse(
                    (*place, "team"),
                    f"team {shown(row.team)} does not own feature {shown(row.feature)}, which "
                    f"belongs to {shown(other.team)} {other.dates}",
                    expected="the feature alone, or its owner beside it",
                    remedy="remove team from this row",
                )


def _check_units(form: OrgForm, sheet: Sheet) -> None:
    seen: dict[str, Place] = {}
    for number, unit in enumerate(form.business_units):
        place: Place = ("business_units", number)
        if unit.id in seen:
            sheet.refuse(
                place,
                f"business unit {shown(unit.id)} stands twice, first at {sheet.at(seen[unit.id])}",
                expected="one row per business unit",
                remedy="remove one of the two",
            )
        seen.setdefault(unit.id, place)


def _check_unowned(form: OrgForm, teams: _Timeline, sheet: Sheet) -> None:
    """The team that answers for the untagged must not go away; when it began does not matter."""
    name = form.unowned.team
    rows = teams.get(name, ())
    if not rows:
        refuse_unknown(("unowned", "team"), "team", name, teams, sheet)
    elif max(row.span.to_us for row in rows) < FOREVER_US:
        sheet.refuse(
            ("unowned", "team"),
            f"team {shown(name)} ends ({rows[-1].dates}), and nobody answers for the rest",
            expected="a team without an end",
            remedy="name a team that stays",
        )


def _check_when(rule: RuleForm, place: Place, sheet: Sheet) -> None:
    place = (*place, "when")
    if not rule.when:
        sheet.refuse(
            place,
            "matches every call",
            expected="at least one field",
            remedy="name a field; `unowned` takes what no rule matches",
        )
    for field, glob in rule.when.items():
        _check_field(field, (*place, field), rule, sheet)
        if field == "purpose" and not is_glob(glob) and glob not in PURPOSES:
            refuse_unknown((*place, field), "purpose", glob, PURPOSES, sheet)


def _check_field(field: str, place: Place, rule: RuleForm, sheet: Sheet) -> None:
    if field in _PERSONAL_FIELDS:
        sheet.refuse(
            place,
            f"a rule cannot look at {field}: it is replaced by a subject id when a call comes in",
            expected=one_of([*RULE_FIELDS, *RULE_SHORTHANDS, "labels.<key>"]),
            remedy="use cohort, plan or a label",
        )
    elif field in RULE_SHORTHANDS:
        if RULE_SHORTHANDS[field] in rule.when:
            sheet.refuse(
                place,
                f"{field} is short for {RULE_SHORTHANDS[field]}, and both stand here",
                expected="one of the two",
                remedy="remove one",
            )
    elif not (field in RULE_FIELDS or (field.startswith(_LABELS) and field != _LABELS)):
        known = [*RULE_FIELDS, *RULE_SHORTHANDS]
        sheet.refuse(
            place,
            f"unknown field{nearest(field, known)}",
            expected=one_of([*known, "labels.<key>"]),
            remedy="correct it",
        )


def refuse_unknown(
    place: Place,
    noun: str,
    name: str,
    known: Mapping[str, object] | Sequence[str] | set[str],
    sheet: Sheet,
) -> None:
    """Note a reference to something that no row defines."""
    sheet.refuse(
        place,
        f"unknown {noun} {shown(name)}{nearest(name, known)}",
        expected=one_of(known),
        remedy=f"correct the name or add the {noun}",
    )


def _dates(row: DatedForm) -> str:
    """When a row holds, in the words of the file."""
    if not row.from_ and not row.to:
        return "always"
    start = f"from {row.from_}" if row.from_ else "from the beginning"
    return f"{start} to {row.to}" if row.to else f"{start} on"
