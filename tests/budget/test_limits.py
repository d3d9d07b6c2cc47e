"""Which limits a call is under: every level that names it, in force at an instant."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tallybook.books import parse, read_folder
from tallybook.books.budgets import Grant
from tallybook.books.model import FOREVER_US
from tallybook.budget.limits import as_plain, digest_of, from_plain, limits_in_force
from tallybook.clock import Period, parse_instant

OCTOBER = Period.parse("2026-10")
NANO = 10**9
ORG = """\
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units:
  - {id: commerce, name: Commerce, legal_entity: acme-us}
  - {id: labs, name: Labs, legal_entity: acme-us}
teams:
  - {id: support, unit: commerce}
  - {id: search, unit: commerce}
  - {id: research, unit: labs}
features:
  - {id: refund-bot, team: support}
  - {id: triage, team: support, from: 2026-01-01, to: 2026-10-15}
  - {id: triage, team: search, from: 2026-10-15}
  - {id: find, team: search}
  - {id: probe, team: research}
unowned: {team: search}
"""
POLICY = "versions:\n  - {effective_from: 2026-01, default: {model: showback}}\n"
BUDGETS = """\
default: {monthly: 20, over: stop, warn: ["50%"]}
budgets:
  - {feature: refund-bot, from: 2026-10, monthly: 100, over: throttle, up_to: "150%"}
  - {team: support, from: 2026-10, monthly: 300, over: stop}
  - {unit: commerce, from: 2026-10, monthly: 500, over: approval, approvers: [fin@x.example]}
  - {key: vk-batch, from: 2026-10, monthly: 5, over: stop}
  - {customer: big, from: 2026-10, monthly: 50, over: stop}
  - {customer: "*", from: 2026-10, monthly: 2, over: stop}
  - {team: research, from: 2026-11, monthly: 1, over: stop}
increases:
  - {feature: refund-bot, month: 2026-10, amount: 30, approved_by: x, approved_on: 2026-10-20}
"""


@pytest.fixture
def books(tmp_path):
    for name, text in (("org", ORG), ("policy", POLICY), ("budgets", BUDGETS)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return parse(read_folder(tmp_path))


def at(day):
    return parse_instant(f"2026-10-{day:02}T12:00:00Z")


TABLE = [
    # team, feature, key, customer: every budget whose limit must admit the call
    (("support", "refund-bot", "", ""), "feature:refund-bot team:support unit:commerce"),
    (("", "refund-bot", "", ""), "feature:refund-bot team:support unit:commerce"),
    (("search", "refund-bot", "", ""), "feature:refund-bot team:support unit:commerce"),
    (("support", "refund-bot", "vk-batch", "big"),
     "feature:refund-bot team:support unit:commerce key:vk-batch customer:BIG"),
    (("support", "refund-bot", "vk-other", "new"),
     "feature:refund-bot team:support unit:commerce customer:NEW"),
    (("", "find", "", ""), "feature:find unit:commerce"),
    (("", "probe", "", ""), "feature:probe"),
    (("support", "", "", ""), "feature:- team:support unit:commerce"),
    (("support", "made-up-1", "", ""), "feature:- team:support unit:commerce"),
    (("", "", "", ""), "feature:-"),
    (("no-team", "", "vk-batch", ""), "feature:- key:vk-batch"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "budgets"), TABLE, ids=lambda one: "-".join(one) or "none")
def test_every_ancestor_is_asked(books, call, budgets):
    found = limits_in_force(books, OCTOBER, at(1)).of(*call)
    wanted = budgets.replace("BIG", digest_of("big")).replace("NEW", digest_of("new"))
    assert [limit.budget for limit in found] == wanted.split()


def test_a_use_case_without_a_budget_is_under_the_default_and_each_has_its_own(books):
    limits = limits_in_force(books, OCTOBER, at(1))
    (find, _), (probe,) = limits.of("", "find", "", ""), limits.of("", "probe", "", "")
    assert (find.limit_nano, find.is_default, find.over) == (20 * NANO, True, "stop")
    assert find.budget != probe.budget


def test_without_a_default_a_use_case_is_under_its_team_alone(books, tmp_path):
    (tmp_path / "budgets.yaml").write_text(BUDGETS.partition("\n")[2])
    limits = limits_in_force(parse(read_folder(tmp_path)), OCTOBER, at(1))
    assert [one.budget for one in limits.of("", "find", "", "")] == ["unit:commerce"]


def test_what_is_in_force_is_that_of_the_instant(books):
    def bot(day, grants=()):
        limits = limits_in_force(_granted(books, grants), OCTOBER, at(day))
        return limits.rows["feature:refund-bot"]

    assert (bot(1).limit_nano, bot(1).up_to_nano) == (100 * NANO, 150 * NANO)
    assert bot(20).limit_nano == 130 * NANO
    assert (bot(20).ceiling_nano, bot(20).over) == (195 * NANO, "throttle")
    given = Grant(1, "feature", "refund-bot", OCTOBER, NANO, at(5), at(7), "x", "y", "z", 1)
    assert [bot(day, [given]).limit_nano // NANO for day in (4, 6, 8)] == [100, 101, 100]
    team = Grant(2, "team", "support", OCTOBER, NANO, at(5), FOREVER_US, "x", "y", "z", 1)
    limits = limits_in_force(_granted(books, [team]), OCTOBER, at(6))
    assert limits.rows["team:support"].limit_nano == 301 * NANO


def _granted(books, grants):
    return replace(books, budgets=books.budgets.granted(grants))


def test_a_grant_raises_a_use_case_that_is_under_the_default_and_no_other(books):
    given = Grant(1, "feature", "find", OCTOBER, NANO, at(5), at(7), "x", "y", "z", 1)
    for day, nano in ((4, 20), (6, 21), (8, 20)):
        limits = limits_in_force(_granted(books, [given]), OCTOBER, at(day))
        found = limits.named("feature", "find")
        assert (found.budget, found.limit_nano, found.is_default) == (
            "feature:find", nano * NANO, True,
        )  # fmt: skip
        assert limits.named("feature", "probe").limit_nano == 20 * NANO


def test_a_budget_holds_from_its_month_on(books):
    november = Period.parse("2026-11")
    assert "team:research" not in limits_in_force(books, OCTOBER, at(1)).rows
    assert "team:research" in limits_in_force(books, november, at(31)).rows


def test_a_feature_that_changed_hands_is_under_the_team_that_answers_now(books):
    before = limits_in_force(books, OCTOBER, at(10)).of("", "triage", "", "")
    after = limits_in_force(books, OCTOBER, at(16)).of("", "triage", "", "")
    assert "team:support" in [one.budget for one in before]
    assert "team:support" not in [one.budget for one in after]


def test_limits_are_the_same_after_they_were_published(books):
    before = {"feature:refund-bot": 7, "feature:find": 5, f"customer:{digest_of('new')}": 3}
    limits = limits_in_force(books, OCTOBER, at(1), before)
    again = from_plain(json.loads(json.dumps(as_plain(limits))))
    for call, _ in TABLE:
        assert again.of(*call) == limits.of(*call)
    assert [one.spent_before_nano for one in again.of("", "refund-bot", "", "new")] == [7, 0, 0, 3]
    assert again.of("", "find", "", "")[0].spent_before_nano == 5
    assert "big" not in json.dumps(as_plain(limits))
