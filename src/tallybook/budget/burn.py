"""How fast each budget burns, when it will have run out, and what the last increase changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tallybook.books.model import Books
from tallybook.budget.forecast import DAY_US, Forecast, Range, forecast, split_days
from tallybook.budget.overview import BudgetState
from tallybook.clock import format_instant
from tallybook.money import NANO_SCALE, PICO_PER_NANO, PICO_SCALE, format_units

AHEAD_DAYS: Final = 92
"""How far a budget that does not reset is looked ahead."""
AHEAD_US: Final = AHEAD_DAYS * DAY_US

Hours = Mapping[tuple[str, str], Sequence[int]]
"""by team and feature, the cost of each clock hour in pico, the oldest first"""


@dataclass(frozen=True, slots=True)
class Change:
    """The last increase in force, and when the budget would have run out without it."""

    amount_nano: int
    approved_by: str
    from_us: int
    without: Forecast | None


@dataclass(frozen=True, slots=True)
class Burn:
    """A budget with where it is going. ``forecast`` is None where too little is known."""

    state: BudgetState
    forecast: Forecast | None
    last: Change | None


def burn(
    books: Books, states: Sequence[BudgetState], hours: Hours, starts_us: Sequence[int], at_us: int
) -> list[Burn]:
    """The burn of budgets whose use is known.

    Args:
        books: with the grants of the month.
        states: of the month that is running, as `overview` gives them.
        hours: what each use case cost hour by hour.
        starts_us: the first instants of those hours.
        at_us: now.
    """
    calendar = books.calendar
    weekend = [calendar.is_weekend(start) for start in starts_us]
    found = []
    for state in states:
        if state.used_pico is None:
            continue
        series = _from_first(series_of(books, state, hours, len(starts_us), at_us))
        told = _forecast(books, state, series, weekend, at_us)
        found.append(Burn(state, told, _last(books, state, series, weekend, at_us)))
    return found


def series_of(books: Books, state: BudgetState, hours: Hours, length: int, at_us: int) -> list[int]:
    """What a budget is of cost in each of so many hours, in pico."""
    units = {team.id: team.unit for team in books.org.teams if team.span.holds(at_us)}
    added = [0] * length
    for (team, feature), costs in hours.items():
        named = {"feature": feature, "team": team, "unit": units.get(team, "")}
        if named.get(state.scope) == state.subject:
            added = [held + cost for held, cost in zip(added, costs, strict=True)]
    return added


def _from_first(costs: Sequence[int]) -> Sequence[int]:
    """Hours from the first usage on: before it there was nothing to spend."""
    return costs[next((place for place, cost in enumerate(costs) if cost), len(costs)) :]


def _forecast(
    books: Books, state: BudgetState, series: Sequence[int], weekend: Sequence[bool], at_us: int
) -> Forecast | None:
    end_us = books.calendar.bounds_us(state.period)[1] if state.since is None else at_us + AHEAD_US
    days = -(-(end_us - at_us) // DAY_US)
    coming = [
        books.calendar.is_weekend(at_us + number * DAY_US + DAY_US // 2) for number in range(days)
    ]
    return forecast(
        split_days(series, weekend[len(weekend) - len(series) :]),
        coming,
        at_us=at_us,
        end_us=end_us,
        spent_pico=state.used_pico or 0,
        limit_pico=state.limit_nano * PICO_PER_NANO,
        salt=f"{state.budget}:{state.period}",
    )


def _last(
    books: Books, state: BudgetState, series: Sequence[int], weekend: Sequence[bool], at_us: int
) -> Change | None:
    """The last increase that is in force now, of the file or granted."""
    held = [
        (grant.from_us, grant.amount_nano, grant.approved_by)
        for grant in books.budgets.grants
        if (grant.scope, grant.subject, grant.period) == (state.scope, state.subject, state.period)
        and grant.holds(at_us)
    ]
    if state.scope == "feature":
        held += [
            (row.from_us, row.amount_nano, row.approved_by)
            for row in books.budgets.increases
            if (row.feature, row.period) == (state.subject, state.period) and row.from_us <= at_us
        ]
    if not held:
        return None
    from_us, nano, approved_by = max(held)
    before = replace(state, limit_nano=state.limit_nano - nano)
    return Change(nano, approved_by, from_us, _forecast(books, before, series, weekend, at_us))


def ahead(state: BudgetState) -> str:
    """How far a budget is looked ahead, in words."""
    return f"in {AHEAD_DAYS} days" if state.since else "this month"


def never(state: BudgetState) -> str:
    """What is said of the day on which it runs out where that is not seen."""
    return f"not {ahead(state)}"


def burn_values(one: Burn) -> dict[str, Any]:
    """The machine form; what nobody can tell yet is null, and so is what is not in the month.

    A budget that does not reset is looked ahead for ``AHEAD_DAYS``, and has no end of a month.
    """
    last, carries = one.last, one.state.since is not None
    return {
        "budget": one.state.budget,
        "period": str(one.state.period),
        "in_force": format_units(one.state.limit_nano, NANO_SCALE),
        "used": _pico(one.state.used_pico or 0),
        "forecast": _forecast_values(one.forecast, carries=carries),
        "last_increase": last
        and {
            "amount": format_units(last.amount_nano, NANO_SCALE),
            "approved_by": last.approved_by,
            "from": format_instant(last.from_us),
            "without": _forecast_values(last.without, carries=carries),
        },
    }


def _forecast_values(told: Forecast | None, *, carries: bool) -> dict[str, Any] | None:
    if told is None:
        return None
    out, end = told.runs_out_us, told.month_end_pico
    return {
        "days": told.days,
        "per_day": _pico(told.per_day_pico),
        "runs_out": _range(out, lambda us: format_instant(us) if us else None),
        "month_end": None if carries else _range(end, _pico),
        "interval": "80 %",
        "paths_out_of_ten": told.out_of_ten,
    }


def _range(told: Range, spell: Any) -> dict[str, Any]:
    return {name: spell(getattr(told, name)) for name in ("low", "middle", "high")}


def _pico(pico: int) -> str:
    return format_units(pico, PICO_SCALE)
