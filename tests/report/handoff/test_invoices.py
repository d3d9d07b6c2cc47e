"""A provider's bill of October comes in November: it is never handed over, and all still ties."""

from decimal import Decimal

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.reconcile.true_up import true_up
from tallybook.report.handoff.accounts_file import Accounts
from tallybook.report.handoff.focus.model import Totals
from tallybook.report.handoff.focus.rows import period_rows
from tallybook.report.handoff.journal import neutral_journal
from tallybook.store.commands import Command

from .conftest import found

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
WINDOW = (1_790_812_800_000_000, 1_793_491_200_000_000)
BILL = [
    "usage 180.00 day=2026-10-02 model=x-large token_class=input_uncached quantity=2400000",
    "usage 225.00 day=2026-10-02 model=x-large token_class=output quantity=800000",
    "credit -10.00", "tax 70.00", "other 3.00",
]  # fmt: skip


@pytest.fixture(scope="module")
def billed(tmp_path_factory):
    """October closed; in November a bill of X for some of it, and usage of its own; closed."""
    company = found(tmp_path_factory.mktemp("billed"))
    company.clock.advance(30 * 86_400 * 1_000_000)
    company.close()
    form = MapForm(invoice=InvoiceForm(number="1", currency="USD", total="468.00"))
    bring_in(company.store, typed(BILL, Ask("X", WINDOW), form), Terms("X", (), {}),
             Command("invoice enter", {}, "tester"), company.clock.now_us())  # fmt: skip
    true_up(company.store, OCTOBER, clock=company.clock, actor="controller")
    company.ingest(
        usage("n", started_at="2026-11-02T00:00:00Z", model="x-small", team="A", feature="a-bot",
              tokens={"input_uncached": 500_000}),
        name="november",
    )  # fmt: skip
    company.pool("2026-11", "gateway", "160.00")
    company.run("2026-11")
    company.close("2026-11")
    yield company
    company.store.close()


def lines(journal, account):
    every = [line for each in journal.vouchers for line in each.lines if line.account == account]
    return sum(line.amount_cents for line in every)


def test_a_standing_accrual_hands_over_only_what_is_new(billed):
    journal = neutral_journal(billed.store, NOVEMBER, Accounts(accrual="standing"))
    assert lines(journal, "inference_expense") == -lines(journal, "accrued_liabilities") == 50_00
    assert not [
        x for each in journal.vouchers for x in each.lines if x.account == "recoverable_tax"
    ]


def test_a_reversing_accrual_hands_over_what_is_not_billed_yet(billed):
    balances = billed.balances()
    standing = -sum(
        Decimal(amount) for account, amount in balances.items() if account.startswith("Accrued")
    )
    journal = neutral_journal(billed.store, NOVEMBER, Accounts())
    assert lines(journal, "inference_expense") == standing * 100 > 300_00


def test_the_platform_ends_at_central_with_what_accounts_payable_brings(billed):
    control = neutral_journal(billed.store, NOVEMBER, Accounts(accrual="standing")).control
    assert control.rounding_cents == 0
    assert control.accrued_cents == 50_00
    assert control.billed_cents != 0
    balances = billed.balances("2026-11")
    cost = sum(
        Decimal(amount) for account, amount in balances.items()
        if account.partition(":")[0] in ("Cost", "Pool", "Variance", "Absorption", "Suspense", "Charge")
    )  # fmt: skip
    assert cost * 100 == control.ledger_cost_cents
    stays = control.held_cents + control.accrued_cents + control.billed_cents
    assert stays - control.recharged_cents == control.central_cents


def test_what_the_invoice_posted_is_in_focus_as_a_correction(billed):
    totals = Totals()
    rows = list(period_rows(billed.store, NOVEMBER, totals))
    booked = {row.account: row for row in rows if row.account}
    assert {"Variance:credit", "Suspense:X"} <= booked.keys()
    assert all(row.corrects and row.service_period == "2026-10" for row in booked.values())
    control = neutral_journal(billed.store, NOVEMBER, Accounts()).control
    assert Decimal(totals.effective_pico).scaleb(-10) == control.ledger_cost_cents
