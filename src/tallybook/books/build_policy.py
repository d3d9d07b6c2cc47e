"""policy.yaml from form to model: what a team inherits, and what a version must not contradict."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from types import MappingProxyType

from tallybook.books.build_closing import build_closing
from tallybook.books.build_org import refuse_unknown
from tallybook.books.build_pools import check_capacity_pool, check_drivers, check_flows
from tallybook.books.faults import Place, Sheet, shown
from tallybook.books.model import (
    FOREVER_US,
    STATES,
    Alerts,
    CostPool,
    Evaluation,
    Org,
    Policy,
    PolicyVersion,
    RateCard,
    Span,
    TeamPolicy,
)
from tallybook.books.schema import (
    AlertsForm,
    CompletenessForm,
    DefaultPolicyForm,
    PolicyForm,
    PolicyVersionForm,
    PoolForm,
    TeamPolicyForm,
)
from tallybook.books.terms import Completeness
from tallybook.clock import Calendar, Period
from tallybook.money import NANO_SCALE, parse_percent, parse_units


def build_policy(form: PolicyForm, org: Org, calendar: Calendar, sheet: Sheet) -> Policy:
    """Make the policy of its form, noting every contradiction in it and with the org.

    The result is only of use when no fault was noted.
    """
    if not form.versions:
        sheet.refuse(
            ("versions",),
            "no version of the policy",
            expected="at least one",
            remedy="add a version with effective_from and default",
        )
    order = sorted(range(len(form.versions)), key=lambda n: form.versions[n].effective_from)
    _check_distinct(form, order, sheet)
    for position, number in enumerate(order):
        version = form.versions[number]
        later = [form.versions[n].effective_from for n in order[position + 1 :]]
        span = _in_force(version, later[0] if later else "", calendar)
        _check_version(version, ("versions", number), span, org, sheet)
    return Policy(tuple(_version(form.versions[number]) for number in order))


def _in_force(version: PolicyVersionForm, until: str, calendar: Calendar) -> Span:
    start_us, _ = calendar.bounds_us(Period.parse(version.effective_from))
    end_us = calendar.bounds_us(Period.parse(until))[0] if until else FOREVER_US
    return Span(start_us, end_us)


def _version(form: PolicyVersionForm) -> PolicyVersion:
    limits = {state: parse_percent(getattr(form.limits, state)) for state in sorted(STATES)}
    return PolicyVersion(
        effective_from=Period.parse(form.effective_from),
        default=_team_policy(form.default, form.default),
        teams=MappingProxyType(
            {team: _team_policy(form.teams[team], form.default) for team in sorted(form.teams)}
        ),
        rate_card=RateCard(form.rate_card.basis, form.rate_card.freeze),
        pool_method=form.pool_method,
        pools=tuple(_pool(pool) for pool in form.pools),
        evaluation=Evaluation(form.evaluation.funding, form.evaluation.pool),
        variance=form.variance,
        limits=MappingProxyType(limits),
        pool_order=tuple(form.pool_order),
        budgeting=form.budgeting,
        alerts=_alerts(form.alerts) if form.alerts else None,
        completeness=_completeness(form.completeness) if form.completeness else None,
        tolerance=form.tolerance,
        closing=build_closing(form.closing),
    )


def _completeness(form: CompletenessForm) -> Completeness:
    return Completeness(form.months, parse_percent(form.cap), tuple(form.causes), form.bear)


def _alerts(form: AlertsForm) -> Alerts:
    return Alerts(
        loop=form.loop,
        retries=form.retries,
        fan_out_times=form.fan_out.times,
        fan_out_least=form.fan_out.least,
        spend_times=form.spend.times,
        spend_least_nano=parse_units(form.spend.least, NANO_SCALE),
    )


def _team_policy(
    form: TeamPolicyForm | DefaultPolicyForm, default: DefaultPolicyForm
) -> TeamPolicy:
    """What the entry names, the rest from the default if it is on the same model."""
    model = form.model or default.model
    same = model == default.model
    markup = form.markup or (default.markup if same else "")
    charge = form.charge or (default.charge if same else None)
    return TeamPolicy(model, parse_percent(markup) if markup else Fraction(0), charge or "actual")


def _pool(form: PoolForm) -> CostPool:
    return CostPool(
        id=form.id,
        monthly_nano=parse_units(form.monthly, NANO_SCALE) if form.monthly else None,
        driver=form.driver,
        weights=MappingProxyType({team: form.weights[team] for team in sorted(form.weights)}),
        floor_nano=parse_units(form.floor, NANO_SCALE) if form.floor else 0,
        recovered_by=form.recovered_by,
        serves=MappingProxyType(
            {pool: parse_percent(form.serves[pool]) for pool in sorted(form.serves)}
        ),
        fallback=tuple(form.fallback),
        reserved=MappingProxyType(
            {team: parse_percent(form.reserved[team]) for team in sorted(form.reserved)}
        ),
        idle=form.idle,
    )


def _check_distinct(form: PolicyForm, order: Sequence[int], sheet: Sheet) -> None:
    for before, after in itertools.pairwise(order):
        month = form.versions[after].effective_from
        if form.versions[before].effective_from == month:
            sheet.refuse(
                ("versions", after, "effective_from"),
                f"two versions take effect in {month}, the other at "
                f"{sheet.at(('versions', before))}",
                expected="one version per month",
                remedy="merge them or move one to another month",
            )


def _check_version(
    form: PolicyVersionForm, place: Place, span: Span, org: Org, sheet: Sheet
) -> None:
    _check_entry(form.default, form.default.model, (*place, "default"), sheet)
    for name, entry in form.teams.items():
        below: Place = (*place, "teams", name)
        _check_team(name, below, span, org, sheet)
        _check_entry(entry, entry.model or form.default.model, below, sheet)
    seen: dict[str, Place] = {}
    for number, pool in enumerate(form.pools):
        below = (*place, "pools", number)
        if pool.id in seen:
            sheet.refuse(
                below,
                f"pool {shown(pool.id)} stands twice, first at {sheet.at(seen[pool.id])}",
                expected="one row per pool",
                remedy="remove one of the two",
            )
        seen.setdefault(pool.id, below)
        for key, names in (("weights", pool.weights), ("reserved", pool.reserved)):
            for name in names:
                _check_team(name, (*below, key, name), span, org, sheet)
                if name == org.unowned_team:
                    sheet.refuse(
                        (*below, key, name),
                        f"team {shown(name)} is central and outside every driver",
                        expected=f"{key} of teams that can be charged",
                        remedy=f"remove {name} from {key}",
                    )
        if pool.idle:
            _check_team(pool.idle, (*below, "idle"), span, org, sheet)
        check_capacity_pool(pool, below, sheet)
        check_drivers(pool, below, sheet)
    check_flows(form, place, sheet)
    if form.completeness and not (form.completeness.months and form.completeness.causes):
        sheet.refuse(
            (*place, "completeness"),
            "no month or no cause to go by",
            expected="months: 1 or more, and at least one cause",
            remedy="correct it, or remove completeness",
        )
    _check_evaluation(form, place, sheet)


def _check_team(name: str, place: Place, span: Span, org: Org, sheet: Sheet) -> None:
    """The team exists at some time while the version is in force."""
    rows = [team for team in org.teams if team.id == name]
    if not rows:
        refuse_unknown(place, "team", name, [team.id for team in org.teams], sheet)
    elif not any(team.span.overlaps(span) for team in rows):
        sheet.refuse(
            place,
            f"team {shown(name)} does not exist while this version is in force",
            expected="a team that exists then",
            remedy="remove the entry, or correct from and to of the team in org.yaml",
        )


def _check_entry(
    entry: TeamPolicyForm | DefaultPolicyForm, model: str, place: Place, sheet: Sheet
) -> None:
    """A setting stands only where the model reads it; otherwise somebody expects it to count."""
    for key, owner in (("markup", "real_cost"), ("charge", "use_case_budget")):
        value = getattr(entry, key)
        if value and model != owner:
            sheet.refuse(
                (*place, key),
                f"{key} {shown(value)} has no meaning under {model}",
                expected=f"{key} only beside model: {owner}",
                remedy=f"remove {key}, or set model: {owner}",
            )


def _check_evaluation(form: PolicyVersionForm, place: Place, sheet: Sheet) -> None:
    """Pooled evaluation fills exactly one pool, and every other pool has an amount of its own."""
    funding, filled = form.evaluation.funding, form.evaluation.pool
    pools = {pool.id: number for number, pool in enumerate(form.pools)}
    below: Place = (*place, "evaluation")
    if funding == "charged" and filled:
        sheet.refuse(
            (*below, "pool"),
            f"pool {shown(filled)} has no meaning under funding charged",
            expected="pool only beside funding: pooled",
            remedy="remove pool, or set funding: pooled",
        )
    elif funding == "pooled" and not filled:
        sheet.refuse(
            below,
            "pooled evaluation names no pool",
            expected="pool: with the id of a pool without monthly",
            remedy="add pool",
        )
    elif funding == "pooled" and filled not in pools:
        refuse_unknown((*below, "pool"), "pool", filled, list(pools), sheet)
    for number, pool in enumerate(form.pools):
        _check_amount(pool, (*place, "pools", number), is_filled=pool.id == filled, sheet=sheet)


def _check_amount(pool: PoolForm, place: Place, *, is_filled: bool, sheet: Sheet) -> None:
    if is_filled and pool.monthly:
        sheet.refuse(
            (*place, "monthly"),
            f"pool {shown(pool.id)} is filled by pooled evaluation and has monthly {pool.monthly}",
            expected="one or the other",
            remedy="remove monthly, or pool evaluation elsewhere",
        )
    elif not is_filled and not pool.monthly and pool.driver != "capacity":
        sheet.refuse(
            place,
            f"pool {shown(pool.id)} has no monthly amount and evaluation does not fill it",
            expected="monthly, the policy amount",
            remedy='add monthly: "0" or more, or remove the pool',
        )
