"""Every budget of a month as it stands: in force, used, who may say more."""

import pytest

from people import OCTOBER, approved, asked, company
from tallybook.budget.approvers import approvers_of, team_approvers, team_of
from tallybook.budget.ask import requests
from tallybook.budget.burn import burn, burn_values
from tallybook.budget.forecast import DAY_US, HOUR_US
from tallybook.budget.model import Notice
from tallybook.budget.overview import overview, state_values, used_share
from tallybook.budget.used import used_in_sheet
from tallybook.clock import parse_instant
from tallybook.errors import BudgetError
from tallybook.post.basis import latest_books, with_grants
from tallybook.post.sheet import latest_sheet
from tallybook.store.notices import put_notices

NANO = 10**9
PICO = 10**12
BUDGETS = """
default: {monthly: "50.00", over: stop, approvers: [cfo@acme]}
budgets:
  - {feature: bot, from: 2026-10, monthly: "2.00", over: approval, approvers: [boss@acme]}
  - {team: a, from: 2026-10, monthly: "9.00"}
  - {unit: main, from: 2026-10, monthly: "20.00", approvers: [cfo@acme]}
  - {key: key-b, from: 2026-10, monthly: "1.00"}
  - {customer: "*", from: 2026-10, monthly: "3.00", over: stop}
"""
ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: main, name: Main, legal_entity: acme-us}]
teams:
  - {id: a, name: Team A, unit: main, cost_center: "1", owners: {product: pm@acme, finance: fin@acme}}
  - {id: b, name: Team B, unit: main, cost_center: "2", owners: {finance: fin-b@acme}}
features: [{id: bot, team: a, name: Bot}, {id: find, team: b, name: Find}]
keys: [{id: key-b, feature: find, purpose: production}]
unowned: {team: b}
"""
USED = {("a", "bot"): PICO, ("b", "find"): 2 * PICO, ("b", ""): PICO}


@pytest.fixture
def acme(tmp_path):
    made = company(tmp_path / "acme", org=ORG, budgets=BUDGETS)
    yield made
    made.store.close()


def books_of(acme):
    with acme.store.read() as tx:
        return with_grants(tx, latest_books(tx)[0], OCTOBER)


def states(acme, used=USED, **more):
    found = overview(books_of(acme), OCTOBER, acme.clock.now_us(), used, **more)
    return {state.budget: state for state in found}


def test_every_scope_has_its_use_or_says_that_nobody_knows(acme):
    found = states(acme)
    assert list(found) == [
        "feature:bot", "feature:find", "team:a", "unit:main", "key:key-b", "customer:*",
    ]  # fmt: skip
    used = {name: state.used_pico for name, state in found.items()}
    assert used == {
        "feature:bot": PICO,
        "feature:find": 2 * PICO,
        "team:a": PICO,
        "unit:main": 4 * PICO,
        "key:key-b": None,
        "customer:*": None,
    }
    assert found["key:key-b"].remaining_pico is None
    assert state_values(found["key:key-b"])["used"] is None
    assert used_share(found["key:key-b"]) == ""
    assert used_share(found["unit:main"]) == "20.0 %"


def test_nothing_known_is_not_nothing_used(acme):
    assert {state.used_pico for state in states(acme, used=None).values()} == {None}


def test_a_use_case_without_a_budget_is_under_the_default(acme):
    found = states(acme)["feature:find"]
    assert (found.is_default, found.limit_nano, found.over) == (True, 50 * NANO, "stop")
    assert found.approvers == ("cfo@acme",)


def test_who_may_say_more(acme):
    found = states(acme)
    assert found["feature:bot"].approvers == ("boss@acme",)
    assert found["team:a"].approvers == ("pm@acme", "fin@acme")
    assert found["key:key-b"].approvers == ("fin-b@acme",)
    assert found["customer:*"].approvers == ()
    assert [found[name].team for name in ("feature:bot", "team:a", "unit:main", "key:key-b")] == [
        "a", "a", "", "b",
    ]  # fmt: skip
    books, now_us = books_of(acme), acme.clock.now_us()
    assert team_approvers(books, "b", now_us) == ("fin-b@acme",)
    assert team_of(books, "feature", "find", now_us) == "b"
    with pytest.raises(BudgetError, match="nobody may approve for customer"):
        approvers_of(books, "customer", "*", OCTOBER, now_us)


def test_open_requests_and_acts_are_counted_with_their_budget(acme):
    asked(acme)
    with acme.store.write() as tx:
        stop = Notice(
            notice_id="1", at_us=1, period="2026-10", budget="feature:bot", act="stop", calls=3
        )
        put_notices(tx, [stop])
    with acme.store.read() as tx:
        waiting = requests(tx, OCTOBER)
    found = states(acme, open_requests=waiting)
    assert (found["feature:bot"].open_requests, found["team:a"].open_requests) == (1, 0)
    assert state_values(found["feature:bot"])["calls_acted"] == {"stop": 3}


def test_a_temporary_increase_is_in_force_now_and_not_at_month_end(acme):
    approved(acme, asked(acme, expires="2026-10-25").id)
    found = states(acme)["feature:bot"]
    assert (found.monthly_nano, found.limit_nano, found.month_end_nano) == (
        2 * NANO, 3 * NANO, 2 * NANO,
    )  # fmt: skip
    assert found.remaining_pico == 2 * PICO


def test_use_of_a_run_is_by_who_pays(acme):
    acme.run()
    with acme.store.read() as tx:
        used = used_in_sheet(latest_sheet(tx, "2026-10"), books_of(acme), OCTOBER)
    assert used == {("a", "bot"): PICO}


def test_burn_adds_up_what_a_budget_is_of_from_its_first_usage_on(acme):
    approved(acme, asked(acme, budget="unit:main", amount="5.00").id, "cfo@acme")
    now_us = acme.clock.now_us()
    starts = range(now_us - 6 * DAY_US, now_us, HOUR_US)
    silent = (0,) * 48
    hours = {
        ("a", "bot"): silent + (PICO // 24,) * 96,
        ("b", "find"): silent + (PICO // 12,) * 96,
        ("elsewhere", "x"): (PICO,) * 144,
    }
    found = burn(books_of(acme), list(states(acme).values()), hours, starts, now_us)
    told = {one.state.budget: one for one in found}
    assert set(told) == {"feature:bot", "feature:find", "team:a", "unit:main"}
    unit = told["unit:main"]
    per_hour = PICO // 24 + PICO // 12
    assert (unit.forecast.days, unit.forecast.per_day_pico) == (4, per_hour * 24)
    assert unit.last.amount_nano == 5 * NANO
    left_without = 20 * PICO - 4 * PICO
    assert (
        unit.last.without.runs_out_us.middle // DAY_US
        == (now_us + left_without * HOUR_US // per_hour) // DAY_US
    )
    values = burn_values(unit)
    assert values["last_increase"]["approved_by"] == "cfo@acme"
    assert values["forecast"]["interval"] == "80 %"


def test_an_increase_of_the_file_is_the_last_one_too(acme):
    acme.apply(
        budgets=BUDGETS + "increases:\n  - {feature: bot, month: 2026-10, amount: '1.00',"
        " approved_by: boss@acme, approved_on: 2026-10-18}\n"
    )
    now_us = acme.clock.now_us()
    (bot,) = burn(books_of(acme), [states(acme)["feature:bot"]], {}, range(0), now_us)
    assert bot.forecast is None
    assert (bot.last.amount_nano, bot.last.from_us) == (NANO, parse_instant("2026-10-18T00:00:00Z"))
    assert burn_values(bot)["forecast"] is None
