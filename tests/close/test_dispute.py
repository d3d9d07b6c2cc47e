"""Lines of issued statements that a team disputes, until somebody else settles it."""

import pytest

from company import policy, usage
from tallybook.clock import Period
from tallybook.close.dispute import dispute as raise_dispute
from tallybook.close.dispute import due_day, settle_dispute
from tallybook.close.open_items import open_items
from tallybook.errors import LedgerError, PeriodError
from tallybook.post.basis import latest_books
from tallybook.report.disputed import disputed_line

LIMITS = '    limits: {unallocated: "100%"}'


def limited(text):
    return policy("2020-01").replace(LIMITS, f"{LIMITS}\n    closing: {text}")


def open_now(company):
    with company.store.read() as tx:
        books = latest_books(tx)[0]
        limit = books.policy.at(Period(2026, 10)).closing.open_items
        return open_items(tx, books.calendar, company.clock.now_us(), limit)


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


@pytest.mark.both_stores
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


@pytest.mark.both_stores
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
