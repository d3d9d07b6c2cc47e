"""Budgets that do no work are named, with figures: blank checks and growth brakes."""

import pytest

from company import usage
from people import at, company
from tallybook.budget.calibrate import calibrated, calibration_values
from tallybook.budget.model import Notice
from tallybook.store.notices import put_notices

BUDGETS = """
budgets:
  - {feature: bot, from: 2026-08, monthly: "2.00", over: stop}
  - {feature: find, from: 2026-08, monthly: "500.00"}
  - {team: a, from: 2026-08, monthly: "4.00"}
  - {team: b, from: 2026-10, monthly: "500.00"}
  - {key: key-b, from: 2026-08, monthly: "500.00"}
"""
MONTHS = ("2026-08", "2026-09", "2026-10")


def stop(period, number, act="stop"):
    return Notice(
        notice_id=f"{period}-{number}", at_us=1, period=period, budget="feature:bot", act=act,
        calls=7,
    )  # fmt: skip


@pytest.fixture
def acme(tmp_path, stores):
    """Three months: two calls of bot and one of find in each, bot stopped in all of them."""
    events = [
        usage(f"{who}-{month}", started_at=f"{month}-10T10:00:00Z", **more)
        for month in MONTHS
        for who, more in (("1", {}), ("2", {}), ("3", {"team": "b", "feature": "find"}))
    ]
    made = company(tmp_path / "acme", budgets=BUDGETS, events=events, opened=stores.open)
    for month in MONTHS:
        made.run(month)
    at(made, "2026-11-05T09:00:00Z")
    yield made
    made.store.close()


def noted(acme, *notices):
    with acme.store.write() as tx:
        put_notices(tx, notices)


def findings(acme, months=3):
    found = calibrated(acme.store, acme.clock.now_us(), months)
    return {one.budget: one for one in found}


@pytest.mark.both_stores
def test_blank_checks_and_brakes_are_told_apart_from_budgets_in_use(acme):
    noted(acme, *(stop(month, 1) for month in MONTHS))
    found = findings(acme)
    assert {name: one.finding for name, one in found.items()} == {
        "feature:bot": "growth brake",
        "feature:find": "blank check",
        "team:a": "in use",
        "team:b": "too new",
        "key:key-b": "in use",
    }
    assert next(iter(found)) == "feature:bot"
    assert found["feature:find"].suggested_nano == 1_250_000_000
    assert [state.used_pico for state in found["feature:bot"].months] == [2 * 10**12] * 3


def test_one_month_without_an_act_is_no_brake(acme):
    noted(acme, *(stop(month, 1) for month in MONTHS[1:]), stop(MONTHS[0], 2, "unpriced"))
    assert findings(acme)["feature:bot"].finding == "in use"
    assert findings(acme, 2)["feature:bot"].finding == "growth brake"


def test_one_touch_is_no_blank_check(acme):
    acme.ingest(
        usage("big", team="b", feature="find", started_at="2026-09-11T10:00:00Z",
              tokens={"output": 1_000_000}),
        name="big",
    )  # fmt: skip
    acme.run("2026-09")
    assert findings(acme)["feature:find"].finding == "in use"


def test_months_that_were_not_run_say_nothing(acme):
    at(acme, "2027-01-05T09:00:00Z")
    assert findings(acme, 2) == {}


def test_the_machine_form_has_the_figures_of_each_month(acme):
    values = calibration_values(findings(acme)["feature:find"])
    assert (values["finding"], values["suggested"]) == ("blank check", "1.250000000")
    assert [row["used_share"] for row in values["months"]] == ["0.2 %"] * 3
    assert calibration_values(findings(acme)["team:b"])["suggested"] is None
    assert calibration_values(findings(acme)["key:key-b"])["months"][0]["used"] is None
