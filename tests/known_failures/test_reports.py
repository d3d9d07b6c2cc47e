"""Documented failures of others in showing allocated cost, by their exhibit numbers."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict

import pytest

from company import PRICES, policy, usage
from tallybook.ledger.balance import trial_balance
from tallybook.ledger.chart import CENTRAL, Family, check_account
from tallybook.report.explain import explain
from tallybook.report.files import render

NANO_PER_CENT = 10**7
MODELS = {
    "real_cost": '{model: real_cost, markup: "15%"}',
    "proportional": "{model: proportional}",
    "budget": "{model: use_case_budget}",
    "showback": "{model: showback}",
}
SHARED = policy("2020-01").replace(", recovered_by: markup", "")


@pytest.fixture(params=MODELS)
def month(found_company, request):
    """A month under each model, with a price change on the 16th and a pool beyond its amount."""
    model = SHARED.replace('{model: real_cost, markup: "15%"}', MODELS[request.param])
    changed = PRICES.replace('output: "7"}', 'output: "7"}, to: 2026-10-16') + (
        "  - {contract: C3, provider: Y, model: y-1, from: 2026-10-16,"
        ' per_million_tokens: {input_uncached: "1", output: "2"}}\n'
    )
    company = found_company(policy=model, prices=changed)
    late = "2026-10-20T10:00:00Z"
    company.ingest(
        usage("1", tokens={"input_uncached": 333, "output": 77}),
        usage("2", provider="Y", model="y-1", team="b", feature="find"),
        usage("3", provider="Y", model="y-1", team="b", feature="find", started_at=late),
        usage("4", provider="Y", model="y-1", service="retrieval", started_at=late),
        usage("5", purpose="evaluation"),
        usage("6", team=None, feature=None),
        usage("7", team="b", feature=None, purpose=None, tokens={"output": 1}),
    )
    company.pool("2026-10", "gateway", "33.33")
    company.run()
    return company


def test_c08_the_drill_down_adds_up_to_the_list(month):
    """Kubecost #2164: the total of the list and the total behind it differed.

    Every line of every statement, explained. Ours: postings behind the lines add up to the total
    within the cent of each line, calls to the call, and the exported rows to the ledger cost.
    """
    issue = month.statements()
    behind: Counter[str] = Counter()
    for each in issue.statements:
        for line in each.lines:
            found = explain(month.store, line.id)
            assert abs(line.amount_cents * NANO_PER_CENT - found.posted_nano) < NANO_PER_CENT
            assert found.posted_nano == sum(part.amount_nano for part in found.entries)
            if line.kind in ("usage", "transfer"):
                assert found.calls.count == line.quantity.calls
                behind[each.team] += found.calls.count
        assert each.total_cents == sum(line.amount_cents for line in each.lines)
    assert behind == {"a": 2, "b": 3}
    rows = csv.DictReader(io.StringIO(render(issue, "csv")))
    added = [row for row in rows if row["charged"] == "yes" or row["part"] == "central"]
    cents = sum(int(row["amount"].replace(".", "")) for row in added)
    assert cents == issue.ledger_cost_cents


def test_c09_statements_and_trial_balance_are_one_account(month):
    """Koku PR #4200, #5238: platform cost counted twice went negative, a pool was not all spread.

    Usage, transfers, evaluation, a pool above its policy amount and a price that changes in the
    month. Ours: what is charged and what stays central is the trial balance, and that is what
    providers and pools cost; nobody is below zero, and pools are spread to the last unit.
    """
    issue = month.statements()
    held: dict[str, int] = defaultdict(int)
    with month.store.read() as tx:
        for row in trial_balance(tx, "2026-10"):
            family = check_account(row.account)
            name = f"Charge {row.team}" if family == Family.CHARGE else "central"
            if family in (*CENTRAL, Family.CHARGE):
                held[name] += row.closing_nano
            elif family in (Family.ACCRUED, Family.SOURCE):
                held["incurred"] -= row.closing_nano
    charged = sum(nano for name, nano in held.items() if name.startswith("Charge "))
    assert charged + held["central"] == held["incurred"]
    # 33.33 of the pool, 1.00 twice, and what the other calls come to at their price on their day
    assert held["incurred"] == 33_330_000_000 + 2_000_000_000 + 7_180_000 + 50_000 + 360_000_000
    for each in issue.statements:
        assert each.total_cents >= 0
        cents = each.total_cents if each.charged else 0
        limit_nano = len(each.lines) * NANO_PER_CENT
        assert abs(cents * NANO_PER_CENT - held[f"Charge {each.team}"]) < limit_nano
    assert abs(issue.ledger_cost_cents * NANO_PER_CENT - held["incurred"]) <= NANO_PER_CENT // 2
    # No part of a pool is left behind, and none was given out that was not there.
    assert [line for line in issue.central if line.kind in ("pool", "unallocated")] == []


def test_c03_looking_at_one_team_changes_nobodys_amounts(month):
    """OpenCost #1124: behind a filter, what was shared was shared among those who were left.

    Each team looked at alone, in every form, against all of them. Ours: the same page, the same
    set around it, and the same set afterwards.
    """
    issue = month.statements()
    pages = render(issue, "text").split("\f")[1:]
    assert [render(issue, "text", each.team) for each in issue.statements] == pages
    for each, page in zip(issue.statements, pages, strict=True):
        assert f"{each.total_cents // 100}.{each.total_cents % 100:02}" in page
        for form in ("csv", "json"):
            assert render(issue, form, each.team) == render(issue, form)
    assert month.statements() == issue
