from fractions import Fraction

import pytest

from tallybook.books.budgets import Budget, Increase
from tallybook.clock import Period, parse_instant

NANO = 10**9
BOT = "feature: refund-bot, monthly: 150"
INCREASE = (
    "feature: refund-bot, month: 2026-10, amount: 30, approved_by: fin@x.example, "
    "approved_on: 2026-10-20"
)


def text(*budgets, increases=()):
    made = "budgets:\n" + "".join(f"  - {{{row}}}\n" for row in budgets)
    return made + "increases:\n" + "".join(f"  - {{{row}}}\n" for row in increases)


def test_rows_become_budgets(folder):
    budgets = folder.books(
        budgets=text(
            BOT + ', from: 2026-10, to: 2026-12, warn: ["50%", "80%"], over: approval, '
            "approvers: [fin@x.example]",
            increases=[INCREASE],
        )
    ).budgets
    october, december = Period(2026, 10), Period(2026, 12)
    assert budgets.budgets == (
        Budget(
            "refund-bot", october, december, 150 * NANO, (Fraction(1, 2), Fraction(4, 5)),
            "approval", ("fin@x.example",),
        ),
    )  # fmt: skip
    assert budgets.increases == (
        Increase(
            "refund-bot", october, 30 * NANO, "fin@x.example", "2026-10-20",
            parse_instant("2026-10-20T00:00:00Z"),
        ),
    )  # fmt: skip
    assert budgets.in_force("refund-bot", Period(2026, 9)) is None
    assert budgets.in_force("refund-bot", october) == 180 * NANO
    assert budgets.in_force("refund-bot", Period(2026, 11)) == 150 * NANO
    assert budgets.in_force("refund-bot", december) is None
    assert budgets.in_force("refund-bot-2", october) is None


def test_an_open_budget_holds_until_further_notice(folder):
    budgets = folder.books(budgets=text(BOT + ", from: 2026-10")).budgets
    assert budgets.in_force("refund-bot", Period(2031, 1)) == 150 * NANO
    assert budgets.budgets[0].over == "none"


def test_no_file_means_no_budget(folder):
    assert folder.books().budgets.in_force("refund-bot", Period(2026, 10)) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("feature: refundbot, monthly: 1, from: 2026-10", 'unknown feature "refundbot"'),
        (BOT + ", from: 2026-10, to: 2026-10", "from 2026-10 is not before to 2026-10"),
        (BOT + ", from: 2026-10-01", '"2026-10-01" is not a month'),
        (BOT + ", from: 2026-10, warn: [80%, 50%]", "levels 80%, 50% do not rise"),
        (BOT + ", from: 2026-10, warn: [0.8]", '"0.8" is not a percentage'),
        (BOT + ", from: 2026-10, over: approval", "nobody may approve"),
        (BOT + ", from: 2026-10, over: block", '"block" is not known'),
        ("feature: refund-bot, from: 2026-10", "monthly is missing"),
        ("feature: refund-bot, from: 2026-10, resets: never", "amount is missing"),
        (BOT + ", from: 2026-10, resets: never", "monthly under resets: never"),
        ("feature: refund-bot, amount: 1, from: 2026-10", "amount under resets: monthly"),
        (BOT + ", from: 2026-10, resets: yearly", '"yearly" is not known'),
    ],
)
def test_wrong_budgets(folder, row, said):
    fault = folder.fault(budgets=text(row))
    assert fault.startswith("budgets.yaml:2: budgets 1")
    assert said in fault


def test_a_budget_that_does_not_reset_is_of_no_month(folder):
    row = "feature: refund-bot, amount: 150, resets: never, from: 2026-10"
    budgets = folder.books(budgets=text(row)).budgets
    (made,) = budgets.budgets
    assert (made.monthly_nano, made.carries) == (150 * NANO, True)
    assert budgets.row_of("feature", "refund-bot", Period(2031, 1)) is made
    assert budgets.in_force("refund-bot", Period(2026, 10)) is None
    said = folder.fault(budgets=text(row, increases=[INCREASE]))
    assert "does not reset, and an increase is of one month" in said


def test_one_budget_per_feature_and_month(folder):
    first, second = BOT + ", from: 2026-10, to: 2026-12", BOT + ", from: 2026-12"
    assert len(folder.books(budgets=text(second, first)).budgets.budgets) == 2
    fault = folder.fault(budgets=text(first, BOT + ", from: 2026-11"))
    assert fault.startswith(
        'budgets.yaml:3: budgets 2: budget of "refund-bot" from 2026-11 overlaps the row at line 2'
    )


def test_the_feature_must_live_in_the_budgets_months(folder, org_with):
    org = org_with(features=["{id: f, team: search, from: 2026-10-15, to: 2026-12-15}"])
    row = "feature: f, monthly: 1, from: "
    folder.books(org=org, budgets=text(row + "2026-10, to: 2027-01"))
    folder.books(org=org, budgets=text(row + "2026-10"))
    fault = folder.fault(org=org, budgets=text(row + "2026-09"))
    assert 'feature "f" does not exist in 2026-09' in fault
    fault = folder.fault(org=org, budgets=text(row + "2026-10, to: 2027-02"))
    assert 'feature "f" does not exist in 2027-01' in fault


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feature": "site-search"}, 'feature "site-search" has no budget in 2026-10 to increase'),
        ({"feature": "x"}, 'unknown feature "x"'),
        ({"month": "2026-09", "approved_on": "2026-09-30"}, "has no budget in 2026-09"),
        ({"amount": "0.00"}, "an increase of zero"),
        ({"amount": "-5"}, '"-5" is not an amount'),
        ({"approved_by": "me"}, '"me" may not approve for "refund-bot"; expected one of fin'),
        ({"approved_on": "2026-11-01"}, "approved on 2026-11-01, after 2026-10 ended"),
    ],
)
def test_wrong_increases(folder, change, said):
    row = {
        "feature": "refund-bot", "month": "2026-10", "amount": "30",
        "approved_by": "fin", "approved_on": "2026-10-31",
    }  # fmt: skip
    budget = BOT + ", from: 2026-10, approvers: [fin]"

    def written(**fields):
        return ", ".join(f"{key}: {value}" for key, value in fields.items())

    folder.books(budgets=text(budget, increases=[written(**row)]))
    fault = folder.fault(budgets=text(budget, increases=[written(**row | change)]))
    assert fault.startswith("budgets.yaml:4: increases 1")
    assert said in fault


def test_a_budget_is_of_one_thing_whatever_it_is(folder):
    rows = (
        "team: support, from: 2026-10, monthly: 500, over: stop",
        "unit: commerce, from: 2026-10, monthly: 900, over: stop",
        "key: vk-support-prod, from: 2026-10, monthly: 50, over: throttle, calls_per_minute: 30",
        'customer: "*", from: 2026-10, monthly: 5, over: stop',
        (
            "feature: refund-bot, from: 2026-10, monthly: 9, over: downgrade, up_to: 120%, "
            "downgrade: {gpt-4o: gpt-4o-mini}"
        ),
    )
    budgets = folder.books(budgets=text(*rows)).budgets
    assert [f"{row.scope}:{row.subject}" for row in budgets.budgets] == [
        "team:support", "unit:commerce", "key:vk-support-prod", "customer:*", "feature:refund-bot",
    ]  # fmt: skip
    assert [row.calls_per_minute for row in budgets.budgets] == [0, 0, 30, 0, 0]
    assert [row.up_to for row in budgets.budgets] == [1, 1, Fraction(11, 10), 1, Fraction(6, 5)]
    assert budgets.budgets[4].downgrade == {"gpt-4o": "gpt-4o-mini"}
    assert budgets.in_force("", Period(2026, 10)) is None
    assert budgets.row_of("team", "support", Period(2026, 10)) is budgets.budgets[0]


def test_the_default_is_a_limit_and_no_budget(folder):
    made = folder.books(budgets='default: {monthly: 50, warn: ["80%"], over: stop}\n').budgets
    assert made.default.monthly_nano == 50 * NANO
    assert made.default.over == "stop"
    assert made.in_force("refund-bot", Period(2026, 10)) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("from: 2026-10, monthly: 1", "a budget of nothing; expected one of feature, team"),
        ("feature: refund-bot, team: support, from: 2026-10, monthly: 1", "of feature and team"),
        ("team: suport, from: 2026-10, monthly: 1", 'unknown team "suport"'),
        ("unit: commerc, from: 2026-10, monthly: 1", 'unknown unit "commerc"'),
        (BOT + ", from: 2026-10, over: stop, up_to: 120%", "up_to 120% under over: stop"),
        (BOT + ", from: 2026-10, over: throttle, up_to: 90%", "up_to 90% under over: throttle"),
        (BOT + ", from: 2026-10, calls_per_minute: 5", "5 calls a minute under over: none"),
        (BOT + ", from: 2026-10, over: throttle, calls_per_minute: 0", "0 calls a minute"),
        (BOT + ", from: 2026-10, over: downgrade", "0 models to answer instead"),
        (BOT + ", from: 2026-10, downgrade: {a: b}", "1 models to answer instead"),
        (
            BOT + ", from: 2026-10, over: downgrade, downgrade: {a: b, b: c}",
            "b is both replaced and answers instead",
        ),
    ],
)
def test_wrong_limits(folder, row, said):
    fault = folder.fault(budgets=text(row))
    assert fault.startswith("budgets.yaml:2: budgets 1")
    assert said in fault


def test_one_team_budget_per_month(folder):
    row = "team: support, from: 2026-10, monthly: 1"
    fault = folder.fault(budgets=text(row, row))
    assert 'budget of team "support" from 2026-10 overlaps the row at line 2' in fault
