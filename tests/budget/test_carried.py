"""Budgets that do not reset: use and grants of earlier months stand in later ones."""

from __future__ import annotations

import pytest

from company import usage
from people import approved, asked, at, company
from tallybook.budget.burn import Burn, burn, burn_values
from tallybook.budget.calibrate import calibrated
from tallybook.budget.carried import Earlier, carrying, used_in, with_all_grants
from tallybook.budget.limits import as_plain, from_plain, limits_in_force
from tallybook.budget.overview import state_values
from tallybook.cli.budget_state import month_of_budgets
from tallybook.cli.budget_text import burn_text, list_text, show_text
from tallybook.clock import Period
from tallybook.errors import WrongUsageError
from tallybook.post.basis import latest_books

PICO, NANO = 10**12, 10**9
DAY_US = 24 * 3_600_000_000
AUGUST, SEPTEMBER, OCTOBER = (Period(2026, month) for month in (8, 9, 10))
BUDGETS = """
budgets:
  - {feature: bot, from: 2026-08, amount: "6.00", resets: never, over: approval, approvers: [boss@acme]}
  - {team: a, from: 2026-09, amount: "90.00", resets: never}
  - {feature: find, from: 2026-08, monthly: "5.00"}
  - {key: key-b, from: 2026-08, amount: "7.00", resets: never}
"""


def call(name: str, when: str):
    return usage(name, started_at=f"{when}T10:00:00Z")


@pytest.fixture
def acme(tmp_path, stores):
    """Bot has made two calls of 1.00 in August and one in September, and both were run."""
    events = [call("1", "2026-08-03"), call("2", "2026-08-04"), call("3", "2026-09-05")]
    made = company(tmp_path / "acme", "2026-09-20T09:00:00Z", events, stores.open, budgets=BUDGETS)
    made.run("2026-08")
    made.run("2026-09")
    yield made
    made.store.close()


def states_of(acme, period=None):
    month = month_of_budgets(acme.store, acme.clock, period)
    return month, {state.budget: state for state in month.states}


@pytest.mark.both_stores
def test_what_was_used_is_gone_in_later_months(acme):
    at(acme, "2026-10-20T09:00:00Z")
    acme.ingest(call("4", "2026-10-05"))
    month, found = states_of(acme)
    bot, team = found["feature:bot"], found["team:a"]
    assert (bot.limit_nano, bot.used_pico, bot.used_before_pico) == (6 * NANO, 4 * PICO, 3 * PICO)
    assert bot.remaining_pico == 2 * PICO
    assert (team.used_pico, team.used_before_pico) == (2 * PICO, PICO)  # it began in September
    assert found["key:key-b"].used_pico is None
    values = state_values(bot)
    assert (values["resets"], values["since"], values["used_before"]) == (
        "never",
        "2026-08",
        "3.000000000000",
    )
    assert state_values(found["feature:find"])["resets"] == "monthly"
    assert "feature:bot (since 2026-08)" in list_text(month)
    _, then = states_of(acme, SEPTEMBER)
    assert then["feature:bot"].used_pico == 3 * PICO


def test_a_grant_stands_in_all_later_months_and_in_no_earlier_one(acme):
    approved(acme, asked(acme, "4.00", period=SEPTEMBER).id)
    at(acme, "2026-10-20T09:00:00Z")
    approved(acme, asked(acme, "1.00").id)
    month, found = states_of(acme)
    assert found["feature:bot"].limit_nano == 11 * NANO
    shown = show_text(month, burn(month.books, [found["feature:bot"]], *month.series)[0], [])
    assert "since 2026-08; it does not reset" in shown
    assert shown.count("approved by boss@acme") == 2
    _, earlier = states_of(acme, AUGUST)
    assert earlier["feature:bot"].limit_nano == 6 * NANO


def test_what_is_granted_does_not_expire(acme):
    with pytest.raises(WrongUsageError, match="lasts until it is used"):
        asked(acme, period=SEPTEMBER, expires="2026-09-25")
    with pytest.raises(WrongUsageError, match="lasts until it is used"):
        approved(acme, asked(acme, period=SEPTEMBER).id, expires="2026-09-25")


def test_of_a_month_that_was_not_run_to_its_end_the_larger_of_both_counts(acme):
    with acme.store.read() as tx:
        books, _ = latest_books(tx)
        live = {("a", "bot"): 5 * PICO, ("b", "find"): PICO}
        assert Earlier().used(tx, books, OCTOBER) == {"feature:bot": 3 * PICO, "team:a": PICO}
        assert Earlier().used(tx, books, OCTOBER, live) == {
            "feature:bot": 7 * PICO,
            "team:a": 5 * PICO,
        }
        assert set(Earlier().used(tx, books, AUGUST).values()) == {0}
    start_us = books.calendar.bounds_us(SEPTEMBER)[0]
    starts = range(start_us - DAY_US, start_us + DAY_US, DAY_US)
    assert used_in({("a", "bot"): (7, 9)}, starts, books, SEPTEMBER) == {("a", "bot"): 9}


def test_of_a_month_with_usage_that_was_never_run_nothing_is_known(tmp_path):
    events = [call("1", "2026-08-03"), call("2", "2026-09-03")]
    made = company(tmp_path / "acme", "2026-10-20T09:00:00Z", events, budgets=BUDGETS)
    made.run("2026-09")  # seals what waits of August too
    month, found = states_of(made)
    bot, team = found["feature:bot"], found["team:a"]
    assert (bot.used_pico, state_values(bot)["used_before"]) == (None, None)
    assert "has usage and was not run" in show_text(month, Burn(bot, None, None), [])
    assert team.used_pico == PICO
    made.run("2026-08")
    assert states_of(made)[1]["feature:bot"].used_pico == 2 * PICO
    made.store.close()


def test_a_month_that_is_run_again_is_read_again(acme):
    earlier = Earlier()
    with acme.store.read() as tx:
        books, _ = latest_books(tx)
        assert earlier.used(tx, books, OCTOBER)["feature:bot"] == 3 * PICO
    acme.ingest(call("late", "2026-09-06"))
    acme.run("2026-09")
    with acme.store.read() as tx:
        assert earlier.used(tx, books, OCTOBER)["feature:bot"] == 4 * PICO


def test_it_is_counted_under_one_name_in_every_month(acme):
    with acme.store.read() as tx:
        books = with_all_grants(tx, latest_books(tx)[0], OCTOBER)
    assert [row.subject for row in carrying(books, AUGUST)] == ["bot", "key-b"]
    names = set()
    for period in (SEPTEMBER, OCTOBER):
        limits = from_plain(as_plain(limits_in_force(books, period, acme.clock.now_us())))
        bot, team = limits.of("a", "bot", "", "")
        names |= {bot.account, team.account}
        assert limits.kept == {str(period), "since 2026-08", "since 2026-09"}
        assert limits.named("feature", "find").account == f"{period}/feature:find"
    assert names == {"since 2026-08/feature:bot", "since 2026-09/team:a"}


def test_the_day_it_runs_out_may_lie_beyond_the_month(acme):
    at(acme, "2026-10-30T09:00:00Z")
    acme.ingest(
        *(usage(f"d{day}", started_at=f"2026-10-{day}T10:00:00Z", tokens={"output": 2_000})
          for day in range(20, 30)),
    )  # fmt: skip
    month, found = states_of(acme)
    (bot,) = burn(month.books, [found["feature:bot"]], *month.series)
    told = burn_values(bot)["forecast"]
    assert told["runs_out"]["middle"][:7] == "2026-11"  # 2.00 is left, a tenth goes each day
    assert told["month_end"] is None
    (team,) = burn(month.books, [found["team:a"]], *month.series)
    assert "not in 92 days" in burn_text(month, [bot, team])


def test_it_is_no_budget_of_a_statement_and_charges_nobody(acme):
    """Under a committed budget of a month the team would be charged at least that."""
    statement = acme.statements("2026-09").statement("a")
    assert statement.budget is None
    assert statement.total_cents == 100


def test_a_blank_check_is_told_by_what_was_left(acme):
    at(acme, "2026-10-05T09:00:00Z")
    found = {one.budget: one for one in calibrated(acme.store, acme.clock.now_us(), 2)}
    assert found["feature:bot"].finding == "in use"
    assert found["team:a"].finding == "too new"
    assert found["feature:find"].finding == "blank check"
    assert found["feature:bot"].suggested_nano is None
