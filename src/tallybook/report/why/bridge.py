"""From our total to anyone's: the steps in a fixed order, each computed exactly.

Our total, less what is no usage; whose calls a team's are; what is in their scope; which days; then
their rows against the same usage of ours (`compare`). What is left has no name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from tallybook.clock import Period
from tallybook.clock.instant import datetime_of
from tallybook.clock.period import parse_date
from tallybook.post.breakdown import standing_basis
from tallybook.report.current import statements_of
from tallybook.report.why.compare import Group, by_value, compared, fits, grouped, neighbours
from tallybook.report.why.model import BASES, STEPS, Basis, Bridge, Claim, Part, Step, UsageCell
from tallybook.report.why.ours import company_total, team_total
from tallybook.report.why.readings import Reading, readings
from tallybook.report.why.scope import Seen, owners, resolved, scoped, to_usage
from tallybook.report.why.usage import our_usage, slots_of
from tallybook.store import Store

_NEAREST = 3
_DATE_LENGTH = len("2026-10-03")
_BESIDE = {
    "tax": "tax in their figure",
    "credit": "credits and discounts in their figure",
    "other": "fees and subscriptions in their figure",
}


def bridge(store: Store, period: Period, claim: Claim) -> Bridge:
    """Explain a rival figure.

    Args:
        store: open books.
        period: the month of ours that it is held against; it was run or closed.
        claim: the figure.

    Raises:
        PeriodError: nothing is booked in the period.
        WrongUsageError: it names a team or feature that the books do not know.
    """
    issue = statements_of(store, period)
    basis = standing_basis(store, period)
    zone, bounds = ZoneInfo(claim.zone), (basis.start_us, basis.end_us)
    usage = our_usage(store, period, slots_of(*_days(claim, zone, bounds), zone, bounds))
    claim = resolved(claim, basis.books.org, usage.cells)
    teams, features = owners(claim)
    if teams or features:
        total, layer = team_total(issue, teams, features), "card"
    else:
        with store.read() as tx:
            total, layer = company_total(tx, issue), "contract"
    pooled = basis.policy.evaluation.funding == "pooled" and layer == "card"
    seen = Seen(claim, issue, usage, total, readings(usage, layer), pooled)
    steps, nearest = _one_figure(seen) if not claim.dimensions else (_by_rows(seen), ())
    return Bridge(
        name=claim.name,
        period=str(period),
        period_label=period.label(),
        company=issue.company,
        currency=issue.currency,
        subject=total.subject,
        ours_pico=total.pico,
        theirs_pico=claim.total_pico,
        steps=tuple(sorted(steps, key=lambda step: STEPS.index(step.kind))),
        notes=_notes(seen),
        nearest=nearest,
        simulated=issue.simulated,
    )


def _days(claim: Claim, zone: ZoneInfo, bounds_us: tuple[int, int]) -> tuple[date, date]:
    """The days that are looked at: theirs, and all that our month touches."""
    first, last = (datetime_of(us, zone).date() for us in (bounds_us[0], bounds_us[1] - 1))
    told = [parse_date(text) for text in (claim.first_day, claim.last_day) if text]
    return min([first, *told]), max([last, *told])


def _by_rows(seen: Seen) -> list[Step]:
    """Rows that tell usage apart: the reading of whose calls they are that leaves least."""
    claim = seen.claim
    dimensions = [name for name in claim.dimensions if name != "day" or _is_daily(claim)]
    of_teams = "team" in claim.dimensions or "team" in claim.scope
    bases: Sequence[Basis] = (claim.basis,) if claim.basis else BASES if of_teams else ("payer",)
    made: list[tuple[int, int, list[Step]]] = []
    for basis in bases:
        to_scope, cells = scoped(seen, basis)
        groups = grouped(claim, cells, dimensions, basis)
        found = neighbours(compared(groups, dimensions, seen.tried), dimensions)
        made.append((-_agreeing(groups, seen.tried), _left(found), [*to_scope, *found]))
    # Of readings that agree equally well, the first: by who pays.
    best = min(made, key=lambda one: one[:2])
    steps = [*to_usage(seen), *best[2], *_beside(claim)]
    return [*steps, *_rest(seen, steps)]


def _agreeing(groups: Sequence[Group], tried: Sequence[Reading]) -> int:
    return sum(any(fits(group, one) for one in tried) for group in groups if group.rows)


def _left(steps: Sequence[Step]) -> int:
    """How much is a mere difference of amounts."""
    kinds = ("volume", "unexplained")
    return sum(abs(p.amount_pico) for step in steps for p in step.parts if step.kind in kinds)


def _is_daily(claim: Claim) -> bool:
    return all(len(row.values["day"]) == _DATE_LENGTH for row in claim.usage)


def _one_figure(seen: Seen) -> tuple[list[Step], tuple[Part, ...]]:
    """A figure alone: which reading, of whose calls, with or without what is no usage, gives it."""
    claim = seen.claim
    of_teams = bool(owners(claim)[0])
    bases: Sequence[Basis] = (claim.basis,) if claim.basis else BASES if of_teams else ("payer",)
    near: list[tuple[int, str, list[Step]]] = []
    for keep in (True, False):
        for basis in bases:
            to_scope, cells = scoped(seen, basis, keep=keep)
            start = [*([] if keep else to_usage(seen)), *to_scope]
            slack = Group((), list(claim.usage)).slack_pico + (_cents_hide(seen) if keep else 0)
            for reading in seen.tried:
                made = [*start, *_price_step(seen, reading, cells), *_beside(claim)]
                rest = _rest(seen, made)
                left = sum(step.amount_pico for step in rest)
                if abs(left) <= slack:
                    return [*made, *_as_rounding(rest)], ()
                words = f"{reading.words}, by {basis}, {'with' if keep else 'without'} what is no"
                near.append((left, f"{words} usage", [*made, *rest]))
    nearest = sorted(near, key=lambda one: abs(one[0]))[:_NEAREST]
    return near[0][2], tuple(Part(words, left) for left, words, _ in nearest)


def _cents_hide(seen: Seen) -> int:
    """What whole cents of our own total hide."""
    return sum(abs(step.amount_pico) for step in to_usage(seen) if step.kind == "rounding")


def _price_step(seen: Seen, reading: Reading, cells: Sequence[UsageCell]) -> list[Step]:
    if reading.cause == seen.base.cause:
        return []
    theirs, ours = (by_value(cells, "model", "payer", one) for one in (reading, seen.base))
    words = f"price: {reading.words}, where we have {seen.base.words}"
    amounts = {model: pico - ours[model] for model, pico in theirs.items()}
    told = "gives their figure to the last decimal that it shows"
    step = Step.of("price", reading.cause, words, told, amounts)
    return [step] if step.parts else []


def _beside(claim: Claim) -> list[Step]:
    """Rows of theirs that are no usage."""
    steps = []
    for kind, words in _BESIDE.items():
        amounts = {row.place: row.amount_pico for row in claim.rows if row.kind == kind}
        step = Step.of(kind, kind, words, "their rows say so", amounts)
        steps += [step] if step.parts else []
    return steps


def _rest(seen: Seen, steps: Sequence[Step]) -> list[Step]:
    """What the steps leave."""
    moved = sum(step.amount_pico for step in steps)
    left = seen.claim.total_pico - seen.total.pico - moved
    if not left:
        return []
    return [
        Step("unexplained", "no_reading", "no reason found", left, "none of the above gives it")
    ]


def _as_rounding(rest: Sequence[Step]) -> list[Step]:
    words, told = "decimals that a figure hides", "less than half a unit of its last decimal"
    return [
        replace(step, kind="rounding", cause="last_decimals", words=words, evidence=told)
        for step in rest
    ]


def _notes(seen: Seen) -> tuple[str, ...]:
    found = []
    if seen.issue.status == "draft":
        found.append("our figures are a draft: the month is not closed")
    if seen.usage.unpriced_calls:
        calls = f"{seen.usage.unpriced_calls:,}"
        found.append(f"{calls} of our calls have no price and count as nothing here")
    return tuple(found)
