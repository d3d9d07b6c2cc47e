"""What is booked and not settled, with its age."""

from company import policy, usage
from tallybook.clock import Period
from tallybook.close.close import check_close
from tallybook.close.open_items import open_items
from tallybook.post.basis import latest_books

LIMITS = '    limits: {unallocated: "100%"}'
DAY_US = 86_400_000_000


def limited(text):
    return policy("2020-01").replace(LIMITS, f"{LIMITS}\n    closing: {text}")


def items(company, period="2026-10"):
    found = check_close(
        company.store, Period.parse(period), clock=company.clock, actor="controller"
    )
    return {item.name: item for item in found}


def open_now(company):
    with company.store.read() as tx:
        books = latest_books(tx)[0]
        limit = books.policy.at(Period(2026, 10)).closing.open_items
        return open_items(tx, books.calendar, company.clock.now_us(), limit)


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
