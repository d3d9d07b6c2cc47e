"""Adjustment lines: a team's own late calls at the closed month's card, and what shares moved."""

import sys
from pathlib import Path

import pytest

from company import POLICY, usage
from tallybook.books.model import TeamPolicy
from tallybook.ledger.model import Posting
from tallybook.post.sheet import latest_sheet
from tallybook.report.adjustments import (
    Adjustment,
    adjustment_central,
    adjustment_figures,
    adjustment_label,
)
from tallybook.report.held import held_in

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "allocate"))
import worked_example as law
from moved import UNIT, used

BUDGETS = 'budgets:\n  - {feature: bot, from: 2026-01, monthly: "5.00", over: none}\n'
LATE = (usage("l-1"), usage("l-2", purpose="evaluation"), usage("l-3", team=None, feature=None))


def adjusted(company):
    company.ingest(usage("1"), usage("2", team="b", feature="find"))
    company.close()
    company.ingest(*LATE)
    company.run("2026-11")
    with company.store.read() as tx:
        _, found = held_in(tx, latest_sheet(tx, "2026-11"))
    return found


def parts(found):
    return {
        (key.team, key.detail): (figures.calls, figures.nano)
        for key, figures in adjustment_figures(found).items()
    }


@pytest.mark.parametrize(
    ("model", "own", "shares"),
    [
        ('{model: real_cost, markup: "15%"}', (1, 1_150_000_000), 666_666_667),
        ("{model: proportional}", (1, 1_000_000_000), 8_166_666_667),
        ("{model: use_case_budget, charge: committed}", (1, 1_000_000_000), 7_166_666_667),
        ("{model: showback}", (1, 1_000_000_000), 8_166_666_667),
    ],
)  # fmt: skip
def test_own_calls_are_at_card_and_the_rest_is_shares(found_company, model, own, shares):
    text = (POLICY % "2020-01").replace('{model: real_cost, markup: "15%"}', model)
    company = found_company(policy=text, budgets=BUDGETS)
    found = adjusted(company)
    made = parts(found)
    assert made["a", "2026-10 late calls"] == own
    total = sum(nano for (team, _), (_, nano) in made.items() if team == "a")
    with company.store.read() as tx:
        held = tx.scalar(
            "SELECT SUM(p.amount_nano) FROM posting p JOIN chain c ON c.seq = p.seq"
            " WHERE c.period = '2026-11' AND p.service_period = '2026-10' AND p.team = 'a'"
            " AND (p.account LIKE 'Charge:%' OR p.account LIKE 'Memo:Shown:%')"
        )
    assert total == held
    assert ("b", "2026-10 late calls") not in made
    assert made["a", "2026-10 shares"] == (0, shares)


def test_central_lines_of_adjustments_name_their_month(company):
    central = adjustment_central(adjusted(company))
    assert {key.service_period for key in central} == {"2026-10"}
    assert next(nano for key, nano in central.items() if key.kind == "unowned") == 10**9


def leg(team, nano, detail, account=""):
    named = {"team": team, "kind": "transfer", "service": "retrieval", "detail": detail}
    account = account or f"Charge:{team}:transfer"
    return Posting(account, nano, service_period="2026-10", source="transfer:retrieval", **named)


def test_transfer_prices_of_late_calls_have_a_line_of_their_own():
    late = used("b", "b", origin="a", rule="transfer_price", service="retrieval", card=5)
    held = [
        leg("a", 6 * UNIT, "owed to b"),
        leg("b", -6 * UNIT, "earned from a"),
        Posting("Charge:b:usage", 5 * UNIT, service_period="2026-10", team="b", kind="usage",
                service="retrieval", detail="paid for a: transfer_price"),
        Posting("Charge:b:pool", UNIT, service_period="2026-10", team="b", kind="pool"),
    ]  # fmt: skip
    one = Adjustment(
        period="2026-10",
        version=1,
        policy=law.policy(TeamPolicy("real_cost")),
        unowned="platform",
        changes=(((), (late,)),),
        held={posting.key: posting.amount_nano for posting in held},
    )
    assert parts([one]) == {
        ("a", "2026-10 transfer prices"): (0, 6 * UNIT),
        ("b", "2026-10 late calls"): (1, 5 * UNIT),
        ("b", "2026-10 transfer prices"): (0, -6 * UNIT),
        ("b", "2026-10 shares"): (0, UNIT),
    }
    (key, *_) = adjustment_figures([one])
    words = "October, transfer prices of late calls (S-2026-10-a v1)"
    assert adjustment_label(one, key, 0) == words
