"""INV-13: invoiced = metered + named differences; a bill that was changed is seen."""

import pytest

from tallybook.reconcile.bring_in import Terms, bring_in
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask
from tallybook.store.commands import Command

OCTOBER = (1_790_812_800_000_000, 1_793_491_200_000_000)


@pytest.fixture
def billed(lived):
    form = MapForm(invoice=InvoiceForm(number="1", currency="USD"))
    told = typed(["usage 4.25 model=x-1", "tax 0.70", "other 0.03"], Ask("X", OCTOBER), form)
    bring_in(lived.store, told, Terms("X", (), {}), Command("invoice", {}, "cfo"), 1)
    return lived


def test_sound_books_pass_with_and_without_invoices(lived, request):
    assert lived.failing("INV-13") == {}
    assert request.getfixturevalue("billed").failing("INV-13") == {}


def test_a_line_that_was_changed_is_seen(billed, damage):
    damage("UPDATE invoice_line SET amount_pico = '1' WHERE line = 2")
    assert "its lines add up to" in billed.failing("INV-13")["INV-13"]
