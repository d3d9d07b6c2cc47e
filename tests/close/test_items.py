"""The checklist put together."""

from company import usage
from tallybook.clock import Period
from tallybook.close.checklist import Item
from tallybook.close.close import check_close


def test_requests_that_nobody_decided_stop_the_close(company):
    company.ingest(usage())
    found = check_close(
        company.store, Period(2026, 10), clock=company.clock, actor="me",
        asked=lambda _tx, period: [Item("budgets", ok=False, evidence=f"7 of {period}")],
    )  # fmt: skip
    assert [(item.name, item.evidence) for item in found if item.blocks] == [
        ("budgets", "7 of 2026-10")
    ]
