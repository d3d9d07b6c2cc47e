"""What finance shows before a close: each item with figures, a place to look and a next step."""

import pytest

from company import policy, usage
from tallybook.clock import Period
from tallybook.close.close import check_close
from tallybook.close.dispute import dispute as raise_dispute
from tallybook.close.dispute import due_day, settle_dispute
from tallybook.close.open_items import open_items
from tallybook.errors import LedgerError, PeriodError
from tallybook.ledger.append import append_entry
from tallybook.ledger.model import Entry, Posting, Reason
from tallybook.post.basis import latest_books
from tallybook.report.disputed import disputed_line

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


def open_now(company):
    with company.store.read() as tx:
        books = latest_books(tx)[0]
        limit = books.policy.at(Period(2026, 10)).closing.open_items
        return open_items(tx, books.calendar, company.clock.now_us(), limit)


def test_every_item_says_where_to_look(company):
    company.ingest(usage())
    found = items(company)
    assert list(found) == [
        *("ended", "order", "posted", "late", "unallocated", "estimated", "unknown", "unpriced"),
        *("suspects", "pools", "quarantine", "unreconciled", "suspense", "accruals", "open_items"),
        *("disputes", "adjustments", "duties"),
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


def test_without_a_limit_suspense_is_shown(company):
    company.ingest(usage())
    company.run()
    billed(company)
    item = items(company)["suspense"]
    assert item.ok
    assert "3.00 of 103.00" in item.evidence


def test_open_items_age_from_the_end_of_their_month(found_company):
    company = found_company(policy=limited('{open_items: {days: 30, amount: "0.50"}}'))
    company.ingest(usage(), usage("2", provider="Y", model="y-1"))
    company.run()
    found = {one.what: one for one in open_now(company)}
    assert (found["Accrued:X"].days, found["Accrued:X"].amount_nano) == (4, -(10**9))
    assert not any(one.over for one in found.values())
    company.clock.advance(26 * DAY_US)
    assert {one.what for one in open_now(company) if one.over} == {"Accrued:X"}
    item = items(company)["open_items"]
    assert item.blocks
    assert "Accrued:X of 2026-10 -1.00, 30 days; the limit is 30 days above 0.50" in item.evidence
    company.waive("2026-10", "open_items")
    assert company.close().version == 1


@pytest.fixture
def issued(found_company):
    """October, closed; its lines may be disputed until 12 November."""
    company = found_company(policy=limited("{dispute_days: 12}"))
    company.ingest(usage(), usage("2", team="b", feature="find"))
    company.close()
    return company


def raised(company, line, reason="not ours", actor="lead", today="2026-11-12"):
    with company.store.write() as tx:
        return raise_dispute(
            tx, disputed_line(tx, line), reason=reason, today=today, actor=actor,
            now_us=company.clock.now_us(),
        )  # fmt: skip


def settled(company, ending, adjusting="", actor="cfo", reason="seen"):
    with company.store.write() as tx:
        settle_dispute(
            tx, "D-0001", ending, adjusting=adjusting, reason=reason, actor=actor,
            now_us=company.clock.now_us(),
        )  # fmt: skip


def line_of_a(company):
    return company.statements().statement("a").lines[0]


def test_a_line_is_disputed_by_the_date_on_the_statement(issued):
    assert issued.statements().dispute_until == "2026-11-12" == due_day(Period(2026, 10), 12)
    line = line_of_a(issued)
    with pytest.raises(PeriodError, match="until 2026-11-12; it is 2026-11-13"):
        raised(issued, line.id, today="2026-11-13")
    made = raised(issued, line.id)
    assert (made.id, made.team, made.amount_cents) == ("D-0001", "a", line.amount_cents)
    with pytest.raises(LedgerError, match="disputed already: D-0001 by lead"):
        raised(issued, line.id)
    assert [one.kind for one in open_now(issued)].count("dispute") == 1
    assert issued.rebuilt() == {("2026-10", 1): ""}


def test_a_dispute_ends_by_an_adjusting_entry_or_a_rejection(issued):
    raised(issued, line_of_a(issued).id)
    with pytest.raises(PeriodError, match="lead raised D-0001 and cannot settle it"):
        settled(issued, "rejected", actor="lead")
    with pytest.raises(LedgerError, match="there is no adjusting entry"):
        settled(issued, "adjusted", "J-0009")
    for_b = ("Charge:b:find=-0.25", "Variance:goodwill=0.25")
    issued.ingest(usage("nov", started_at="2026-11-02T00:00:00Z"))
    issued.run("2026-11")
    issued.adjusted(*for_b, period="2026-11", about="2026-10")
    with pytest.raises(LedgerError, match="J-0001 has no line of a"):
        settled(issued, "adjusted", "J-0001")
    for_a = ("Charge:a:bot=-0.25", "Variance:goodwill=0.25")
    issued.adjusted(*for_a, period="2026-11", about="2026-10")
    settled(issued, "adjusted", "J-0002")
    assert [one.kind for one in open_now(issued)].count("dispute") == 0
    with pytest.raises(LedgerError, match="adjusted already is dispute D-0001"):
        settled(issued, "rejected")


def test_only_lines_that_were_issued_are_disputed(company):
    company.ingest(usage())
    company.run()
    for line in ("L-2026-10-000000000000", "E-000001"):
        with pytest.raises(LedgerError, match="no line of an issued statement"):
            raised(company, line)


def test_requests_that_nobody_decided_stop_the_close(company):
    from tallybook.close.checklist import Item  # noqa: PLC0415

    company.ingest(usage())
    found = check_close(
        company.store, Period(2026, 10), clock=company.clock, actor="me",
        asked=lambda _tx, period: [Item("budgets", ok=False, evidence=f"7 of {period}")],
    )  # fmt: skip
    assert [(item.name, item.evidence) for item in found if item.blocks] == [
        ("budgets", "7 of 2026-10")
    ]
