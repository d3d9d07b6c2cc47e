from typing import get_args, get_origin

import pytest

from tallybook.books import Change
from tallybook.books.plan import _NAMED_BY, plan
from tallybook.books.schema import (
    BudgetsForm,
    Form,
    OrgForm,
    PolicyForm,
    PolicyVersionForm,
    PricesForm,
)


@pytest.fixture
def planned(folder):
    def made(before, after):
        current = folder.documents(**before)
        return plan(current, folder.documents(**after))

    return made


def lines(made):
    return made.text().split("\n")


def test_no_change(folder):
    documents = folder.documents()
    made = plan(documents, documents)
    assert (made.changes, made.kinds, made.text()) == ((), (), "no change")


def test_the_first_apply_adds_everything(folder):
    made = plan({}, folder.documents())
    assert {change.action for change in made.changes} == {"added"}
    assert made.kinds == ("org", "policy", "prices", "budgets")
    assert Change("org", "added", "teams search", "unit commerce") in made.changes


def test_rows_are_matched_by_id_and_date(planned, org_with):
    before = org_with(features=["{id: writer, team: search}"])
    after = org_with(
        features=[
            "{id: writer, team: search, to: 2026-10-15}",
            "{id: writer, team: support, from: 2026-10-15}",
        ]
    ).replace("headcount: 14", "headcount: 15")
    made = planned({"org": before}, {"org": after})
    assert lines(made) == [
        "~ org: features writer: to none -> 2026-10-15",
        "+ org: features writer 2026-10-15: team support",
        "~ org: teams support: headcount 14 -> 15",
        "1 added, 0 removed, 2 changed; new version of org",
    ]


def test_a_policy_version_is_compared_inside(planned, policy_with):
    pools = ["pools:", "  - {id: gateway, monthly: 4200, driver: calls}"]
    before = policy_with("teams: {search: {model: showback}}", *pools)
    after = policy_with(
        "teams: {search: {model: proportional}, support: {model: showback}}",
        *pools[:1],
        "  - {id: gateway, monthly: 4300, driver: calls}",
        "  - {id: vault, monthly: 10, driver: equal}",
        default='{model: real_cost, markup: "12%"}',
    )
    after += "  - {effective_from: 2027-01, default: {model: showback}}\n"
    assert lines(planned({"policy": before}, {"policy": after})) == [
        "~ policy: version from 2026-10, default: markup 15% -> 12%",
        "~ policy: version from 2026-10, pools gateway: monthly 4200 -> 4300",
        "+ policy: version from 2026-10, pools vault: driver equal, monthly 10",
        "~ policy: version from 2026-10, teams search: model showback -> proportional",
        "+ policy: version from 2026-10, teams support: {model: showback}",
        "+ policy: version from 2027-01: default {model: showback}",
        "3 added, 0 removed, 3 changed; new version of policy",
    ]
    back = planned({"policy": after}, {"policy": before})
    assert "- policy: version from 2027-01: default {model: showback}" in lines(back)


def test_the_order_of_rules_is_a_change(planned, org_with):
    rules = ["{when: {plan: pro}, team: search}", "{when: {plan: p*}, team: support}"]
    made = planned({"org": org_with(rules=rules)}, {"org": org_with(rules=rules[::-1])})
    assert lines(made)[0] == "~ org: rules order: the first match decides"


def test_the_order_of_other_rows_is_told_as_nothing_else(planned, org_with):
    keys = ["{id: a, team: search}", "{id: b, team: search}"]
    made = planned({"org": org_with(keys=keys)}, {"org": org_with(keys=keys[::-1])})
    assert lines(made)[0] == "~ org: order of rows: nothing else"
    assert made.kinds == ("org",)


def test_price_rows_are_named_by_paper_and_reach(planned):
    prices = (
        "contracts:\n"
        "  - {contract: M, provider: p, discount: 8%}\n"
        "  - {contract: M, provider: p, model: m, per_million_tokens: {output: 1}}\n"
        "aliases:\n  - {provider: p, model: a, is: b}\n"
    )
    said = lines(planned({}, {"prices": prices}))
    assert "+ prices: contracts M p: discount 8%" in said
    assert "+ prices: contracts M p m: per_million_tokens {output: 1}" in said
    assert "+ prices: aliases p a: is b" in said


def test_removal_of_an_optional_file(folder):
    budgets = "budgets:\n  - {feature: refund-bot, from: 2026-10, monthly: 700}\n"
    current = folder.documents(budgets=budgets)
    (folder.path / "budgets.yaml").unlink()
    made = plan(current, folder.documents())
    assert lines(made) == [
        "- budgets: budgets refund-bot 2026-10: monthly 700",
        "0 added, 1 removed, 0 changed; new version of budgets",
    ]


def test_rows_of_one_name_are_numbered(planned, org_with):
    rules = ["{when: {plan: pro}, team: search}", "{when: {plan: pro}, team: support}"]
    made = planned({}, {"org": org_with(rules=rules)})
    assert "+ org: rules {plan: pro} (2): team support" in lines(made)


def test_values_outside_rows(planned):
    made = planned({"prices": "currency: USD\n"}, {"prices": "aliases: []\n"})
    assert lines(made)[0] == "- prices: currency: USD"


TERMS = """
contracts:
  - {contract: M-1, provider: mistral, currency: EUR, from: 2026-10-01, per_million_tokens: {output: "6.00"}}
rates:
  - {currency: EUR, date: 2026-10-01, rate: "1.0842"}
commitments:
  - {id: deal, provider: openai, amount: "1200000.00", from: 2026-01, to: 2027-01}
credits:
  - {id: grant, provider: openai, amount: "100.00", bought: 2026-10-02, expires: 2026-12-01}
capacity:
  - {id: run-7, kind: training, pool: tuned, once: "900.00", from: 2026-10-04}
"""


def test_every_term_of_the_prices_is_a_row(planned, policy_with):
    """None of the rows that docs/accruals.md shows could be applied."""
    tuned = policy_with("pools:", "  - {id: tuned, driver: capacity, idle: support}")
    later = TERMS.replace("1200000", "900000").replace("12-01}", "12-31}")
    later += '  - {id: run-8, kind: training, pool: tuned, once: "50.00", from: 2026-11-04}\n'
    files = {"policy": tuned, "prices": TERMS}
    assert "+ prices: commitments deal 2026-01: amount 1200000.00" in "\n".join(
        lines(planned({"policy": tuned, "prices": None}, files))
    )
    assert lines(planned(files, {"policy": tuned, "prices": later})) == [
        "+ prices: capacity run-8 2026-11-04: kind training, once 50.00, pool tuned",
        "~ prices: commitments deal 2026-01: amount 1200000.00 -> 900000.00",
        "~ prices: credits grant: expires 2026-12-01 -> 2026-12-31",
        "1 added, 0 removed, 2 changed; new version of prices",
    ]


def test_every_list_of_rows_in_a_file_has_what_names_its_rows():
    forms = (OrgForm, PolicyForm, PolicyVersionForm, PricesForm, BudgetsForm)
    lists = [
        (name, get_args(field.annotation)[0])
        for form in forms
        for name, field in form.model_fields.items()
        if get_origin(field.annotation) is list
    ]
    rows = {name for name, row in lists if isinstance(row, type) and issubclass(row, Form)}
    assert rows == set(_NAMED_BY)


def test_an_order_of_pools_is_one_value(planned, policy_with):
    serves = {"a": "{b: 10%}", "b": "{c: 10%}", "c": "{}"}
    pools = ["pools:", *(f"  - {{id: {name}, monthly: 10, driver: calls, serves: {to}}}"
                         for name, to in serves.items())]  # fmt: skip
    before = policy_with("pool_method: step_down", "pool_order: [a, b]", *pools)
    made = planned({"policy": before}, {"policy": before.replace("[a, b]", "[b, a]")})
    assert lines(made) == [
        "~ policy: version from 2026-10, pool_order: [a, b] -> [b, a]",
        "0 added, 0 removed, 1 changed; new version of policy",
    ]
