"""What finance shows before a close: each item with figures, a place to look and a next step."""

from company import policy, usage
from tallybook.clock import Period
from tallybook.close.close import check_close
from tallybook.ledger.append import append_entry
from tallybook.ledger.model import Entry, Posting, Reason

LIMITS = '    limits: {unallocated: "100%"}'
DAY_US = 86_400_000_000


def limited(text):
    return policy("2020-01").replace(LIMITS, f"{LIMITS}\n    closing: {text}")


def items(company, period="2026-10"):
    found = check_close(
        company.store, Period.parse(period), clock=company.clock, actor="controller"
    )
    return {item.name: item for item in found}


def billed(company, period="2026-10", suspense=3, payable=103):
    """An invoice of X for October, booked into a month, of which something is not explained."""
    nano = 10**9
    postings = (
        Posting("Accrued:X", (payable - suspense) * nano, source="true_up:X"),
        Posting("Suspense:X", suspense * nano, source="true_up:X"),
        Posting("Payable:X", -payable * nano, source="true_up:X"),
    )
    with company.store.write() as tx:
        entry = Entry(Reason.TRUE_UP, period, "2026-10", "invoice", postings)
        append_entry(tx, entry, "finance", company.clock.now_us())


def test_every_item_says_where_to_look(company):
    company.ingest(usage())
    found = items(company)
    assert list(found) == [
        *("ended", "order", "posted", "late", "unallocated", "estimated", "unknown", "unpriced"),
        *("suspects", "pools", "quarantine", "accrued", "unreconciled", "suspense"),
        *("accruals", "open_items", "disputes", "adjustments", "duties"),
    ]
    assert all(item.look for item in found.values() if item.waivable)
    assert found["accruals"].evidence == "accrued without an invoice: X 1.00"
    assert found["accruals"].look == "tallybook open-items"
    assert found["unreconciled"].evidence == "every invoice that is in is booked"


def test_suspense_above_the_limit_stops_the_close_until_it_is_signed(found_company):
    company = found_company(policy=limited('{suspense: "1%"}'))
    company.ingest(usage())
    company.run()
    billed(company)
    item = items(company)["suspense"]
    assert item.blocks
    assert item.evidence == ("3.00 of 103.00 invoiced is not explained: X 3.00; the limit is 1.0 %")
    company.waive("2026-10", "suspense")
    assert not items(company)["suspense"].blocks
    assert company.close().version == 1


def test_a_credit_that_was_bought_makes_no_room_for_suspense(found_company):
    """Four hundred on the payables once let through four times the suspense."""
    company = found_company(policy=limited('{suspense: "1%"}'))
    company.ingest(usage())
    company.run()
    billed(company)
    bought = (Posting("Prepaid:X", 400 * 10**9), Posting("Payable:X", -400 * 10**9))
    with company.store.write() as tx:
        entry = Entry(Reason.PREPAID, "2026-10", "2026-10", "credit", bought)
        append_entry(tx, entry, "finance", company.clock.now_us())
    item = items(company)["suspense"]
    assert item.blocks
    assert "3.00 of 103.00 invoiced" in item.evidence


def test_without_a_limit_suspense_is_shown(company):
    company.ingest(usage())
    company.run()
    billed(company)
    item = items(company)["suspense"]
    assert item.ok
    assert "3.00 of 103.00" in item.evidence
