"""Waivers are signed acts: who, what, how much, why."""

import pytest

from tallybook.close.waive import waive, waivers
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
        assert waivers(tx, "2026-10") == {"unpriced": "ceo"}
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
