"""INV-13 on books without invoices, before any policy was applied, and on billed ones."""

from company import usage
from tallybook.check.bills import bills_reconcile
from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.store import Store
from tallybook.store.commands import Command

OCTOBER = (1_790_812_800_000_000, 1_793_491_200_000_000)


def test_books_without_invoices_have_nothing_to_prove(tmp_path):
    found = bills_reconcile(Store.create(tmp_path / "empty"))
    assert (found.ok, found.examined) == (True, 0)


def test_each_month_that_is_billed_is_reconciled_again(company):
    company.ingest(usage())
    form = MapForm(invoice=InvoiceForm(number="1", currency="USD"))
    told = typed(["usage 1.50 day=2026-10-03", "tax 0.10"], Ask("X", OCTOBER), form)
    bring_in(company.store, told, Terms("X", (), {}), Command("invoice", {}, "cfo"), 1)
    found = bills_reconcile(company.store)
    assert (found.ok, found.examined) == (True, 2)
    assert found.detail == "1 invoices of 1 months reconcile"
