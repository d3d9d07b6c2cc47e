"""Budgets as pictures: the line of what was used, the steps of what was in force, the fan."""

import pytest

from people import OCTOBER, approved, asked, company
from tallybook.budget.burn import burn
from tallybook.budget.forecast import DAY_US, HOUR_US
from tallybook.budget.overview import overview
from tallybook.budget.picture import HEIGHT, WIDTH, pictures
from tallybook.post.basis import latest_books, with_grants

PICO = 10**12


@pytest.fixture
def acme(tmp_path):
    made = company(tmp_path / "acme")
    yield made
    made.store.close()


def drawn(acme, a_day=PICO // 4, days=19):
    with acme.store.read() as tx:
        books = with_grants(tx, latest_books(tx)[0], OCTOBER)
    now_us = acme.clock.now_us()
    start_us, _ = books.calendar.bounds_us(OCTOBER)
    starts = range(start_us, start_us + days * DAY_US, HOUR_US)
    hours = {("a", "bot"): (a_day // 24,) * len(starts)}
    used = {("a", "bot"): sum(hours["a", "bot"])}
    states = overview(books, OCTOBER, now_us, used)
    found = burn(books, states, hours, starts, now_us)
    return {one.budget: one for one in pictures(books, found, hours, starts, now_us)}


def points(text):
    return [tuple(map(int, point.split(","))) for point in text.split()]


def test_lines_run_from_the_first_day_to_now_and_the_fan_to_the_end(acme):
    bot = drawn(acme)["feature:bot"]
    used, fan = points(bot.used), points(bot.fan)
    assert used[0] == (0, HEIGHT)
    assert used == sorted(used)
    assert [y for _, y in used] == sorted((y for _, y in used), reverse=True)
    assert used[-1] == fan[0] == points(bot.middle)[0]
    assert {x for x, _ in fan[1:]} == {WIDTH}
    assert used[-1][0] == bot.now_x
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in [*used, *fan, *points(bot.force)])


def test_an_increase_is_a_step_and_its_end_another(acme):
    flat = points(drawn(acme)["feature:bot"].force)
    assert len({y for _, y in flat}) == 1
    approved(acme, asked(acme, expires="2026-10-25").id)
    bot = drawn(acme)["feature:bot"]
    heights = [y for _, y in points(bot.force)]
    assert heights[0] == heights[-1]
    assert min(heights) < heights[0]
    assert bot.change.startswith("1.00 by boss@acme: from ")


def test_what_nobody_can_tell_is_not_drawn(acme):
    found = drawn(acme, a_day=0)["feature:find"]
    assert (found.fan, found.middle, found.runs_out) == ("", "", "too early to tell")
    assert points(found.used)[-1][1] == HEIGHT
