"""An invoice that is withdrawn bills nothing, and what was booked of it is undone."""

import json

import pytest

from company import PRICES, usage
from tallybook.books.closing import Closing
from tallybook.clock import Period
from tallybook.close.evidence import invoices_item
from tallybook.errors import InvoiceError, PeriodError
from tallybook.reconcile.history import history
from tallybook.reconcile.true_up import true_up
from tallybook.reconcile.withdraw import withdraw
from tallybook.store.commands import Command

pytestmark = pytest.mark.both_stores

OCTOBER = Period.parse("2026-10")
NOVEMBER = OCTOBER.next()
BILL = ("usage 1.00 model=x-1 day=2026-10-03", "tax 0.19", "other 0.03")
MOVED = ("usage 1.00 model=x-1 day=2026-11-03", *BILL[1:])


@pytest.fixture
def metered(books):
    books.company.apply(prices=PRICES)
    books.company.ingest(usage())
    books.company.run()
    return books


def gone(books, invoice="P-000001", reason="of another company"):
    command = Command("invoice withdraw", {"invoice": invoice}, "fin")
    now_us = books.company.clock.now_us()
    return withdraw(books.store, invoice, reason=reason, command=command, now_us=now_us)


def trued(books):
    return true_up(books.store, OCTOBER, clock=books.company.clock, actor="fin")


def unreconciled(books, period=NOVEMBER):
    with books.store.read() as tx:
        return invoices_item(tx, period, Closing(unreconciled_nano=0))


def test_the_month_reconciles_as_if_it_had_never_come(metered):
    before = metered.reconcile()
    metered.enter("X", "2026-10", *BILL)
    made = gone(metered)
    assert (made.version, made.is_withdrawn, made.reason) == (2, True, "of another company")
    assert metered.reconcile() == before
    assert metered.company.failing("INV-13") == {}


def test_what_was_booked_of_it_is_undone_once(metered):
    before = metered.company.balances()
    metered.enter("X", "2026-10", *BILL)
    assert trued(metered).payable_nano == {"X": 1_220_000_000}
    gone(metered)
    undone = trued(metered)
    assert undone.payable_nano == {"X": 0}
    assert metered.company.balances() == before
    with metered.store.read() as tx:
        assert history(tx, "2026-10").reconciled("X", "2026-11") == []  # so it is accrued again
    (entry,) = [one for one in metered.company.journal() if one.id in undone.entries]
    assert entry.versions["invoices"] == "P-000001.2"
    assert "stands any more" in entry.text
    with pytest.raises(InvoiceError, match="no provider invoice is about 2026-10"):
        trued(metered)
    assert metered.company.failing() == {}


def test_a_provider_of_which_nothing_was_metered_is_undone_too(metered):
    before = metered.company.balances()
    metered.enter("Z", "2026-10", "usage 5.00", number="9")
    trued(metered)
    assert "Payable:z" in metered.company.balances()
    gone(metered)
    trued(metered)
    assert metered.company.balances() == before


def test_one_of_two_leaves_the_other(metered):
    metered.enter("X", "2026-10", *BILL)
    trued(metered)
    before = metered.company.balances()
    metered.enter("X", "2026-10", "fee 7.00", number="INV-2")
    trued(metered)
    gone(metered, "P-000002")
    undone = trued(metered)
    (entry,) = [one for one in metered.company.journal() if one.id in undone.entries]
    assert entry.versions["invoices"] == "P-000001.1 P-000002.2"
    assert metered.company.balances() == before


def test_a_closed_month_stays_and_the_next_one_undoes_it(metered):
    metered.enter("X", "2026-10", *BILL)
    trued(metered)
    metered.company.close()
    before = metered.company.statements("2026-10")
    gone(metered)
    assert trued(metered).period == "2026-11"
    assert metered.company.statements("2026-10") == before
    assert metered.company.balances("2026-11")["Payable:X"] == "1.22"
    assert metered.company.failing() == {}


def test_the_checklist_waits_until_what_was_booked_is_undone(metered):
    def waits():
        with metered.store.read() as tx:
            return not invoices_item(tx, OCTOBER, Closing(unreconciled_nano=0)).ok

    metered.enter("X", "2026-10", *BILL)
    assert waits()
    gone(metered)
    assert not waits()  # nobody booked it
    metered.enter("X", "2026-10", *BILL, restate="ours after all")
    trued(metered)
    gone(metered)
    assert waits()
    trued(metered)
    assert not waits()


def test_the_checklist_does_not_wait_for_a_version_that_books_nothing_new(metered):
    def waits():
        with metered.store.read() as tx:
            return not invoices_item(tx, OCTOBER, Closing(unreconciled_nano=0)).ok

    metered.enter("X", "2026-10", *BILL)
    trued(metered)
    other_day = BILL[0].replace("day=2026-10-03", "day=2026-10-04")
    metered.enter("X", "2026-10", other_day, *BILL[1:], restate="another day")
    assert waits()
    assert trued(metered).entries == ()
    assert not waits()


def test_it_comes_back_only_for_a_reason(metered, tmp_path):
    metered.enter("X", "2026-10", *BILL)
    gone(metered)
    with pytest.raises(InvoiceError, match="was withdrawn by fin: of another company"):
        metered.enter("X", "2026-10", *BILL)
    (back,) = metered.enter("X", "2026-10", *BILL, restate="ours after all")
    assert (back.id, back.version, back.total_pico) == ("P-000001", 3, 1_220_000_000_000)
    assert metered.provider("X").invoiced_pico == 1_220_000_000_000


def test_a_report_by_days_speaks_for_none_of_its_days_any_more(books, tmp_path):
    amount = {"amount": {"value": 1.0, "currency": "usd"}, "line_item": "x-1, input"}
    day = {"start_time": 1_790_985_600, "end_time": 1_791_072_000, "results": [amount]}
    path = tmp_path / "costs.json"
    path.write_text(json.dumps({"object": "page", "data": [day]}), encoding="utf-8")
    books.take("openai", path)
    assert books.provider("openai").invoiced_pico
    gone(books)
    with pytest.raises(PeriodError, match="neither usage nor provider invoices"):
        books.reconcile()


def test_another_month_under_the_number_is_refused_until_it_is_withdrawn(metered):
    """Taken as a next version it kept the old month, whose booking then stood beside the new one."""
    metered.enter("X", "2026-10", *BILL)
    trued(metered)
    before = metered.company.dump()
    for why in ("", "wrong month"):
        with pytest.raises(
            InvoiceError, match=r"P-000001 \(INV-1\) is in for 2026-10; this is of 2026-11"
        ) as refused:
            metered.enter("X", "2026-11", *MOVED, restate=why)
        assert "tallybook invoice withdraw P-000001" in refused.value.next_step
    assert metered.company.dump() == before


def test_withdrawn_of_one_month_it_comes_again_for_another_one(metered):
    metered.company.ingest(usage("nov", started_at="2026-11-03T00:00:00Z"))
    metered.company.run("2026-11")
    before = metered.company.balances()
    metered.enter("X", "2026-10", *BILL)
    trued(metered)
    gone(metered, reason="it bills November")
    with pytest.raises(InvoiceError, match="was withdrawn by fin: it bills November"):
        metered.enter("X", "2026-11", *MOVED)
    (moved,) = metered.enter("X", "2026-11", *MOVED, restate="of November")
    assert (moved.id, moved.version, moved.became) == ("P-000002", 1, "new")
    assert moved.period == "2026-11"
    true_up(metered.store, NOVEMBER, clock=metered.company.clock, actor="fin")
    waiting = unreconciled(metered)
    assert (waiting.ok, "true-up 2026-10" in waiting.next_step) == (False, True)
    trued(metered)  # what it booked of October
    assert unreconciled(metered).ok
    after = metered.company.balances()
    moved_by = {name: (before.get(name), held) for name, held in after.items()
                if before.get(name) != held}  # fmt: skip
    assert moved_by == {
        "Accrued:X": ("-2.00", "-1.00"),  # October's is open
        "Payable:X": (None, "-1.22"),
        "Suspense:X": (None, "0.03"),
        "Tax:recoverable": (None, "0.19"),
    }
    assert metered.company.failing() == {}


def test_a_number_that_was_moved_is_looked_up_where_it_stands(metered):
    metered.enter("X", "2026-10", *BILL)
    gone(metered)
    metered.enter("X", "2026-11", *MOVED, restate="of November")
    (again,) = metered.enter("X", "2026-11", *MOVED)
    assert (again.id, again.became) == ("P-000002", "unchanged")
    with pytest.raises(InvoiceError, match=r"P-000002 .* is in for 2026-11; this is of 2026-10"):
        metered.enter("X", "2026-10", *BILL, restate="no, October")
    gone(metered, "P-000002")
    (back,) = metered.enter("X", "2026-10", *BILL, restate="no, October")
    assert (back.id, back.version, back.period) == ("P-000001", 3, "2026-10")


@pytest.mark.parametrize(
    ("invoice", "reason", "words"),
    [
        ("P-000009", "r", "no provider invoice 'P-000009'"),
        ("P-000001", " ", "no reason"),
        ("P-000002", "r", "is withdrawn already, by fin"),
    ],
)
def test_what_cannot_be_withdrawn_is_refused(metered, invoice, reason, words):
    metered.enter("X", "2026-10", *BILL)
    metered.enter("X", "2026-10", "fee 1.00", number="INV-2")
    gone(metered, "P-000002")
    with pytest.raises(InvoiceError, match=words):
        gone(metered, invoice, reason)
