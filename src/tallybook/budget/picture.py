"""Budgets as pictures: what was used day by day, what was in force, and where it is going.

Geometry in whole pixels; `report` draws it. The words and the table beside a picture say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallybook.books.model import Books
from tallybook.budget.burn import Burn, Hours, never, series_of
from tallybook.budget.forecast import DAY_US, HOUR_US
from tallybook.budget.overview import BudgetState, used_share
from tallybook.money import PICO_PER_NANO, cents_of_nano, format_cents, half_even, nano_of_pico

WIDTH: Final = 420
HEIGHT: Final = 150


@dataclass(frozen=True, slots=True)
class Picture:
    """One budget; points are ``x,y`` texts of an SVG of ``WIDTH`` by ``HEIGHT``.

    Attributes:
        used: the line of what was used; ``force`` that of what was in force, with its steps.
        fan: where eight futures in ten end, from now on; empty where too little is known.
        middle: the middle of it.
    """

    budget: str
    name: str
    in_force: str
    used_amount: str
    share: str
    remaining: str
    per_day: str
    runs_out: str
    month_end: str
    change: str
    used: str
    force: str
    fan: str
    middle: str
    now_x: int
    words: str


def pictures(
    books: Books, found: Sequence[Burn], hours: Hours, starts_us: Sequence[int], at_us: int
) -> list[Picture]:
    """The pictures of burns, as `burn` gives them."""
    return [
        _picture(books, one, series_of(books, one.state, hours, len(starts_us), at_us), starts_us)
        for one in found
    ]


def _picture(books: Books, one: Burn, costs: Sequence[int], starts_us: Sequence[int]) -> Picture:
    state, told = one.state, one.forecast
    start_us, end_us = books.calendar.bounds_us(state.period)
    at_us = starts_us[-1] + HOUR_US if starts_us else start_us
    used = _used(state, costs, starts_us, start_us, at_us)
    force = _force(books, state, start_us, end_us)
    top = max([1, *(pico for _, pico in (*used, *force))])
    told = None if state.since else told  # what is looked ahead for does not end with the month
    if told:
        top = max(top, told.month_end_pico.high)

    def at(us: int, pico: int) -> str:
        x = half_even((us - start_us) * WIDTH, end_us - start_us)
        return f"{x},{HEIGHT - half_even(pico * HEIGHT, top)}"

    fan = middle = ""
    if told:
        now = at(*used[-1])
        ends = told.month_end_pico
        fan = f"{now} {at(end_us, ends.high)} {at(end_us, ends.low)}"
        middle = f"{now} {at(end_us, ends.middle)}"
    texts = _texts(books, one)
    return Picture(
        budget=state.budget,
        name=state.name,
        used=" ".join(at(*point) for point in used),
        force=" ".join(at(*point) for point in force),
        fan=fan,
        middle=middle,
        now_x=half_even((used[-1][0] - start_us) * WIDTH, end_us - start_us),
        words=f"{texts['used_amount']} of {texts['in_force']} used, runs out {texts['runs_out']}",
        **texts,
    )


def _used(
    state: BudgetState, costs: Sequence[int], starts_us: Sequence[int], start_us: int, at_us: int
) -> list[tuple[int, int]]:
    """Instant and sum so far, day by day; the last is now and what was used."""
    points, spent, day = [(start_us, state.used_before_pico)], state.used_before_pico, 0
    for start, cost in zip(starts_us, costs, strict=True):
        if start < start_us:
            continue
        spent += cost
        if (start + HOUR_US - start_us) // DAY_US > day:
            day += 1
            points.append((start + HOUR_US, spent))
    return [*points, (max(at_us, start_us), state.used_pico or 0)]


def _force(books: Books, state: BudgetState, start_us: int, end_us: int) -> list[tuple[int, int]]:
    """The budget in force over the month, a step where an increase begins or ends."""
    budgets, key = books.budgets, (state.scope, state.subject, state.period)
    moments = {start_us}
    moments |= {
        us
        for grant in budgets.grants
        if (grant.scope, grant.subject, grant.period) == key
        for us in (grant.from_us, grant.until_us)
    }
    if state.scope == "feature":
        moments |= {
            row.from_us
            for row in budgets.increases
            if (row.feature, row.period) == (state.subject, state.period)
        }
    points: list[tuple[int, int]] = []
    for us in sorted(max(us, start_us) for us in moments if us < end_us):
        nano = state.monthly_nano + budgets.granted_nano(
            state.scope, state.subject, state.period, us
        )
        if state.scope == "feature":
            nano = budgets.in_force(state.subject, state.period, us) or nano
        before = [(us, points[-1][1])] if points else []
        points += [*before, (us, nano * PICO_PER_NANO)]
    return [*points, (end_us, points[-1][1])]


def _texts(books: Books, one: Burn) -> dict[str, str]:
    state, told, last = one.state, one.forecast, one.last

    def day(us: int) -> str:
        return books.calendar.date_of(us) if us else never(state)

    runs_out = month_end = per_day = change = ""
    if told:
        out, end = told.runs_out_us, told.month_end_pico
        within = f"{day(out.middle)} ({day(out.low)} .. {day(out.high)})"
        runs_out = within if out.low else never(state)
        ends = f"{_money(end.middle)} ({_money(end.low)} .. {_money(end.high)})"
        month_end = "" if state.since else ends
        per_day = _money(told.per_day_pico)
    if told and last and last.without:
        was, now = day(last.without.runs_out_us.middle), day(told.runs_out_us.middle)
        amount = format_cents(cents_of_nano(last.amount_nano), grouped=True)
        change = f"{amount} by {last.approved_by}: from {was} to {now}"
    return {
        "in_force": format_cents(cents_of_nano(state.limit_nano), grouped=True),
        "used_amount": _money(state.used_pico or 0),
        "share": used_share(state),
        "remaining": _money(state.remaining_pico or 0),
        "per_day": per_day,
        "runs_out": runs_out or "too early to tell",
        "month_end": month_end,
        "change": change,
    }


def _money(pico: int) -> str:
    return format_cents(cents_of_nano(nano_of_pico(pico)), grouped=True)
