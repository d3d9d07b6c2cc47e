"""Where what is about a month posts, and what is due."""

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.ledger.model import PostingKey, Reason
from tallybook.reconcile.landing import corrected, due, landing

OCTOBER = Period.parse("2026-10")


def key(account, source):
    return PostingKey(account, "", "", "", "", "X", "", "", source, "2026-10", "", 0)


def test_an_open_month_takes_it_itself_a_closed_one_leaves_it_to_the_next(company):
    company.ingest(usage())
    company.run()
    with company.store.read() as tx:
        assert landing(tx, OCTOBER, None, Reason.TRUE_UP) == "2026-10"
        assert corrected(tx, "2026-10", "2026-10") == ""
    company.close()
    with company.store.read() as tx:
        assert landing(tx, OCTOBER, None, Reason.TRUE_UP) == "2026-11"
        assert landing(tx, OCTOBER, Period.parse("2026-12"), Reason.TRUE_UP) == "2026-12"
        assert corrected(tx, "2026-10", "2026-11").startswith("A-")
        with pytest.raises(PeriodError, match="2026-10 is closed") as refused:
            landing(tx, OCTOBER, OCTOBER, Reason.TRUE_UP)
    assert "2026-11" in refused.value.next_step
    with (
        company.store.read() as tx,
        pytest.raises(PeriodError, match="2026-09 is before 2026-10") as early,
    ):
        landing(tx, OCTOBER, Period.parse("2026-09"), Reason.TRUE_UP)
    assert "name 2026-10 or a later month" in early.value.next_step


def test_what_is_due_is_target_minus_booked_by_source():
    one, other = key("Accrued:X", "accrual:X"), key("Variance:fx", "revalue:X")
    groups = due([(one, 5), (one, 2), (other, 3)], {one: 4, other: 3})
    assert [(source, [p.amount_nano for p in ps]) for source, ps in groups.items()] == [
        ("accrual:X", [3])
    ]
