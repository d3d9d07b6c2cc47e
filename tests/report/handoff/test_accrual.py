"""What stands accrued while bills come in, months apart, under both settings."""

from collections import defaultdict

import pytest

from tallybook.clock import FixedClock
from tallybook.ledger.append import append_entry
from tallybook.ledger.model import Entry, Posting, Reason
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.accrual import accrued_in

UNIT = 10**9
LAST = 1 << 62


@pytest.fixture
def store(new_store):
    return new_store()


def post(store, period, *postings, service_period=""):
    entry = Entry(
        Reason.METER, period, service_period or period, "text",
        tuple(Posting(account, nano, **more) for account, nano, more in postings),
    )  # fmt: skip
    with store.write() as tx:
        append_entry(tx, entry, "tester", FixedClock(1).now_us())


def leg(account, units, **more):
    return account, units * UNIT, more


@pytest.fixture
def trued_up(store):
    """Section 5 of the worked example: X and Y metered in October, X billed in November."""
    post(store, "2026-10", leg("Cost:X", 650, purpose="production"),
         leg("Variance:rate_card", -40, purpose="production"), leg("Accrued:X", -610))  # fmt: skip
    post(store, "2026-10", leg("Cost:Y", 300, purpose="evaluation"), leg("Accrued:Y", -300))
    post(store, "2026-10", leg("Pool:gateway", 150), leg("Variance:pool", 10),
         leg("Source:gateway", -160))  # fmt: skip
    post(store, "2026-11", leg("Accrued:X", 602), leg("Variance:price", 5),
         leg("Variance:volume", 20), leg("Variance:credit", -10), leg("Suspense:X", 3),
         leg("Tax:recoverable", 70), leg("Payable:X", -690), service_period="2026-10")  # fmt: skip
    post(store, "2026-12", leg("Accrued:Y", 300), leg("Payable:Y", -300))
    return store


def handed(store, period, mode):
    with store.read() as tx:
        found = accrued_in(tx, period, Accounts(accrual=mode), LAST)
    lines = defaultdict(int)
    for key, cents in (*found.accrual.items(), *found.prepaid.items()):
        lines[key.account, key.detail] += cents
    return {key: cents for key, cents in lines.items() if cents}, found


def test_october_is_the_same_under_both_settings(trued_up):
    for mode in ("reversing", "standing"):
        lines, found = handed(trued_up, "2026-10", mode)
        assert lines == {
            ("inference_expense", "cost_of_revenue"): 610_00,
            ("inference_expense", "research_and_development"): 300_00,
            ("accrued_liabilities", "X"): -610_00,
            ("accrued_liabilities", "Y"): -300_00,
        }
        assert (found.held_nano, found.accrued_nano) == (160 * UNIT, 910 * UNIT)
        assert found.ledger_nano == 1070 * UNIT


def test_a_bill_that_comes_through_accounts_payable_is_never_handed_over(trued_up):
    """T1 beside the provider's bill would book the cost twice."""
    lines, found = handed(trued_up, "2026-11", "standing")
    assert lines == {}
    assert (found.accrued_nano, found.ledger_nano) == (0, 18 * UNIT)


def test_a_reversing_accrual_is_made_again_for_what_is_not_billed_yet(trued_up):
    lines, _ = handed(trued_up, "2026-11", "reversing")
    assert {key: cents for key, cents in lines.items() if key[0] == "accrued_liabilities"} == {
        ("accrued_liabilities", "X"): -8_00, ("accrued_liabilities", "Y"): -300_00,
    }  # fmt: skip
    expense = {key[1]: cents for key, cents in lines.items() if key[0] == "inference_expense"}
    assert sum(expense.values()) == 308_00
    assert expense == {"cost_of_revenue": 206_46, "research_and_development": 101_54}
    lines, _ = handed(trued_up, "2026-12", "reversing")
    assert {key: cents for key, cents in lines.items() if key[0] == "accrued_liabilities"} == {
        ("accrued_liabilities", "X"): -8_00
    }


def test_prepaid_credits_that_were_drawn_stand_where_accruals_reverse(store):
    post(store, "2026-10", leg("Prepaid:X", 100), leg("Payable:X", -100))
    post(store, "2026-10", leg("Cost:X", 30, purpose="production"), leg("Accrued:X", -30))
    post(store, "2026-10", leg("Accrued:X", 30), leg("Prepaid:X", -30))
    for mode in ("reversing", "standing"):
        lines, found = handed(store, "2026-10", mode)
        assert lines == {("inference_expense", "cost_of_revenue"): 30_00, ("prepaid", "X"): -30_00}
        assert bool(found.prepaid) is (mode == "reversing")


def test_fractions_of_cents_balance_and_the_totals_are_the_rounded_ones(store):
    third = UNIT // 300
    post(store, "2026-10", ("Cost:X", third, {"purpose": "production"}),
         ("Cost:X", third, {"purpose": "evaluation"}), ("Cost:X", third, {"purpose": "internal"}),
         ("Accrued:X", -2 * third, {}), ("Accrued:Y", -third, {}))  # fmt: skip
    for mode in ("reversing", "standing"):
        lines, _ = handed(store, "2026-10", mode)
        assert sum(lines.values()) == 0
        assert sum(cents for cents in lines.values() if cents > 0) == 1
