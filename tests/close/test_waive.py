"""Waivers are signed acts: who, what, how much, why."""

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.close.close import check_close
from tallybook.close.waive import Waiver, waive, waivers
from tallybook.errors import MoneyError, PeriodError


def sign(company, **changes):
    given = {"item": "unpriced", "estimate": "12.50", "reason": "beta", "actor": "cfo", "now_us": 1}
    given |= changes
    with company.store.write() as tx:
        return waive(tx, "2026-10", given.pop("item"), **given)


def test_the_latest_signature_counts(company):
    assert sign(company).id == "A-000001"
    sign(company, actor="ceo")
    with company.store.read() as tx:
        assert waivers(tx, "2026-10") == {"unpriced": Waiver("ceo", None)}
        assert waivers(tx, "2026-11") == {}


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"item": "ended"}, PeriodError, "'ended' cannot be waived"),
        ({"reason": "  "}, PeriodError, "needs a reason"),
        ({"estimate": "about ten"}, MoneyError, "about ten"),
    ],
)
def test_what_is_no_waiver_is_refused(company, changes, error, words):
    with pytest.raises(error, match=words):
        sign(company, **changes)
    assert company.journal() == []


def test_a_closed_month_has_nothing_to_waive(company):
    company.close()
    with pytest.raises(PeriodError, match="nothing to waive"):
        sign(company)


def unpriced(company):
    items = check_close(
        company.store, Period.parse("2026-10"), clock=company.clock, actor="controller"
    )
    return next(item for item in items if item.name == "unpriced")


def test_a_waiver_covers_what_it_was_signed_for_and_no_more(company):
    company.ingest(usage("1", model="unheard-of"))
    sign(company, figure=unpriced(company).figure)
    assert unpriced(company).waived_by == "cfo"

    company.ingest(usage("2", model="unheard-of"))
    grown = unpriced(company)
    assert grown.blocks
    assert grown.evidence.endswith("; cfo signed for less")
    assert (grown.figure, grown.waived_by) == (2, "")

    sign(company, actor="ceo", figure=grown.figure)
    assert unpriced(company).waived_by == "ceo"
