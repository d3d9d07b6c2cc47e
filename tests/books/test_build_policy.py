from fractions import Fraction

import pytest

from tallybook.books.model import STATES, Alerts, CostPool, Evaluation, RateCard, TeamPolicy
from tallybook.clock import Period
from tallybook.errors import AllocationError

NANO = 10**9


def version(folder, policy):
    return folder.books(policy=policy).policy.versions[0]


def test_what_a_version_leaves_out(folder, policy_with):
    made = version(folder, policy_with())
    assert made.effective_from == Period(2026, 10)
    assert made.default == TeamPolicy("real_cost", Fraction(3, 20), "actual")
    assert made.rate_card == RateCard("contract", "monthly")
    assert made.pool_method == "direct"
    assert made.pools == ()
    assert made.evaluation == Evaluation("charged", "")
    assert made.variance == "absorb"
    assert dict(made.limits) == dict.fromkeys(STATES, Fraction(0))


def test_limits_are_shares(folder, policy_with):
    limits = version(folder, policy_with('limits: {unallocated: "1%", unknown: "0.5%"}')).limits
    assert limits["unallocated"] == Fraction(1, 100)
    assert limits["unknown"] == Fraction(1, 200)
    assert limits["estimated"] == limits["unpriced"] == 0


def test_pools(folder, policy_with):
    made = version(
        folder,
        policy_with(
            "pools:",
            '  - {id: gateway, monthly: "4200.00", driver: calls, recovered_by: markup}',
            '  - {id: vault, monthly: 9000, driver: fixed, weights: {support: 2, search: 1}, floor: "50.5"}',
            "  - {id: quality, driver: production_cost}",
            "evaluation: {funding: pooled, pool: quality}",
        ),
    )
    gateway, vault, quality = made.pools
    assert gateway == CostPool("gateway", 4200 * NANO, "calls", {}, 0, "markup")
    assert list(vault.weights.items()) == [("search", 1), ("support", 2)]
    assert (vault.monthly_nano, vault.floor_nano) == (9000 * NANO, 50_500_000_000)
    assert vault.recovered_by == "driver"
    assert quality.monthly_nano is None
    assert made.evaluation == Evaluation("pooled", "quality")


def test_a_team_inherits_what_it_leaves_out_under_the_same_model(folder, policy_with):
    made = version(
        folder,
        policy_with(
            "teams:",
            "  support: {model: real_cost}",
            '  search: {markup: "0%"}',
            "  platform: {model: showback}",
        ),
    )
    assert made.policy_for("support") == TeamPolicy("real_cost", Fraction(3, 20))
    assert made.policy_for("search") == TeamPolicy("real_cost", Fraction(0))
    assert made.policy_for("platform") == TeamPolicy("showback")
    assert made.policy_for("elsewhere") == made.default
    assert list(made.teams) == ["platform", "search", "support"]


def test_charge_is_inherited_too(folder, policy_with):
    made = version(
        folder,
        policy_with(
            "teams: {support: {charge: actual}, search: {}}",
            default="{model: use_case_budget, charge: committed}",
        ),
    )
    assert made.policy_for("search") == TeamPolicy("use_case_budget", Fraction(0), "committed")
    assert made.policy_for("support").charge == "actual"


@pytest.mark.parametrize(
    ("entry", "key", "model"),
    [
        ('{model: showback, markup: "15%"}', "markup", "showback"),
        ('{model: proportional, markup: "15%"}', "markup", "proportional"),
        ("{charge: committed}", "charge", "real_cost"),
        ("{model: showback, charge: actual}", "charge", "showback"),
    ],
)
def test_a_setting_that_would_be_ignored_is_refused(folder, policy_with, entry, key, model):
    fault = folder.fault(policy=policy_with("teams:", f"  search: {entry}"))
    assert fault.startswith(f"policy.yaml:5: versions 1, teams, search, {key}: {key} ")
    assert f"has no meaning under {model}" in fault
    assert f"do: remove {key}, or set model: " in fault


def test_an_unknown_team_is_refused_at_its_line(folder, policy_with):
    fault = folder.fault(policy=policy_with("teams:", "  suport: {model: showback}"))
    assert fault.startswith(
        'policy.yaml:5: versions 1, teams, suport: unknown team "suport" (did you mean support?)'
    )
    pools = "pools: [{id: a, monthly: 1, driver: fixed, weights: {suport: 1}}]"
    assert "weights, suport: unknown team" in folder.fault(policy=policy_with(pools))


def test_the_central_team_has_no_weight(folder, policy_with):
    pools = "pools: [{id: a, monthly: 1, driver: fixed, weights: {support: 1, platform: 3}}]"
    assert "is central and outside every driver" in folder.fault(policy=policy_with(pools))


def test_a_team_must_exist_while_the_version_holds(folder, org_with):
    org = org_with(teams=["{id: labs, unit: commerce, to: 2026-10-01}"])
    policy = (
        "versions:\n"
        "  - effective_from: 2026-10\n    default: {model: showback}\n    teams: {labs: {}}\n"
        "  - effective_from: 2026-01\n    default: {model: showback}\n    teams: {labs: {}}\n"
    )
    fault = folder.fault(org=org, policy=policy)
    assert fault.startswith('policy.yaml:4: versions 1, teams, labs: team "labs" does not exist')


def test_versions_are_ordered_and_the_latest_in_force_decides(folder):
    policy = (
        "versions:\n"
        '  - {effective_from: 2026-10, default: {model: real_cost, markup: "20%"}}\n'
        "  - {effective_from: 2026-01, default: {model: showback}}\n"
    )
    made = folder.books(policy=policy).policy
    assert [str(held.effective_from) for held in made.versions] == ["2026-01", "2026-10"]
    assert made.at(Period(2026, 9)).default.model == "showback"
    assert made.at(Period(2026, 10)).default.model == "real_cost"
    assert made.at(Period(2030, 1)).default.markup == Fraction(1, 5)
    with pytest.raises(AllocationError, match="no policy is in force in 2025-12") as refused:
        made.at(Period(2025, 12))
    assert "effective_from: 2025-12" in refused.value.next_step


def test_one_version_per_month(folder):
    row = "  - {effective_from: 2026-10, default: {model: showback}}\n"
    fault = folder.fault(policy="versions:\n" + row * 2)
    assert fault.startswith(
        "policy.yaml:3: versions 2, effective_from: two versions take effect in 2026-10, the other "
        "at line 2"
    )
    assert "no version of the policy" in folder.fault(policy="versions: []\n")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["pools: [{id: a, monthly: 1, driver: fixed}]"], "driver fixed has no weight above zero"),
        (
            ["pools: [{id: a, monthly: 1, driver: fixed, weights: {search: 0}}]"],
            "driver fixed has no weight above zero",
        ),
        (
            ["pools: [{id: a, monthly: 1, driver: calls, weights: {search: 1}}]"],
            "weights have no meaning under driver calls",
        ),
        (
            ["pools: [{id: a, monthly: 1, driver: calls}, {id: a, monthly: 1, driver: calls}]"],
            'pool "a" stands twice, first at line 4',
        ),
        (["pools: [{id: a, driver: calls}]"], 'pool "a" has no monthly amount and evaluation'),
        (["evaluation: {funding: pooled}"], "pooled evaluation names no pool"),
        (["evaluation: {funding: pooled, pool: quality}"], 'unknown pool "quality"'),
        (["evaluation: {funding: charged, pool: quality}"], 'pool "quality" has no meaning under'),
        (
            [
                "pools: [{id: a, monthly: 5, driver: calls}]",
                "evaluation: {funding: pooled, pool: a}",
            ],
            'pool "a" is filled by pooled evaluation and has monthly 5',
        ),
        (["pools: [{id: a, monthly: -1, driver: calls}]"], '"-1" is not an amount'),
        (['limits: {unknown: "101%"}'], '"101%" is out of range'),
        (['limits: {lost: "1%"}'], "limits, lost: unknown key"),
    ],
)
def test_contradictions(folder, policy_with, lines, said):
    fault = folder.fault(policy=policy_with(*lines))
    assert said in fault
    assert fault.startswith(("policy.yaml:4: ", "policy.yaml:5: "))


@pytest.mark.parametrize("answer", ["cloud_finops", "annual_capex", None])
def test_how_the_company_budgets(folder, policy_with, answer):
    made = version(folder, policy_with(*([f"budgeting: {answer}"] if answer else [])))
    assert made.budgeting == answer
    # No amount depends on it: a policy with the answer is the policy without.
    assert made == version(folder, policy_with())


def test_how_the_company_budgets_is_one_of_two(folder, policy_with):
    fault = folder.fault(policy=policy_with("budgeting: monthly"))
    assert "monthly is not known" in fault.replace('"', "")
    assert "cloud_finops" in fault


def test_the_answer_is_kept_by_later_versions(folder, policy_with):
    second = "  - {effective_from: 2026-12, default: {model: showback}}\n"
    third = "  - {effective_from: 2027-02, default: {model: showback}, budgeting: annual_capex}\n"
    policy = folder.books(
        policy=policy_with("budgeting: cloud_finops").rstrip("\n") + "\n" + second + third
    ).policy
    told = [policy.budgeting_at(Period(*month)) for month in ((2026, 9), (2026, 12), (2027, 2))]
    assert told == [None, "cloud_finops", "annual_capex"]


def test_when_alerts_are_given(folder, policy_with):
    stated = 'alerts: {loop: 0, fan_out: {times: 2}, spend: {least: "0.50"}}'
    made = version(folder, policy_with(stated))
    assert made.alerts == Alerts(loop=0, fan_out_times=2, spend_least_nano=500_000_000)
    # No amount depends on it: a policy with the answer is the policy without.
    assert made == version(folder, policy_with())
    later = "  - {effective_from: 2026-12, default: {model: showback}}\n"
    policy = folder.books(policy=policy_with(stated).rstrip("\n") + "\n" + later).policy
    told = [policy.alerts_at(Period(*month)).loop for month in ((2026, 9), (2026, 12))]
    assert told == [Alerts().loop, 0]


def test_an_alert_has_a_whole_threshold(folder, policy_with):
    fault = folder.fault(policy=policy_with("alerts: {loop: often}"))
    assert fault.startswith(("policy.yaml:4: ", "policy.yaml:5: "))
    assert "often" in fault


def test_a_tolerance_is_an_amount_and_makes_no_new_version_of_the_policy(folder, policy_with):
    made = version(folder, policy_with('tolerance: "5.00"'))
    assert made.tolerance == "5.00"
    assert made == version(folder, policy_with())
    assert "tolerance" in folder.fault(policy=policy_with("tolerance: some"))
