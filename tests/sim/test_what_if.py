import pytest

from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.sim.what_if import what_ifs

MONTH = Period.parse("2026-09")


def test_the_models_change_only_who_pays(lived) -> None:
    issued = lived.done.pages.months["2026-09"]
    (own,) = {each.ledger_cost_cents for each in what_ifs(lived.store, MONTH).values()}
    assert 0 < issued.ledger_cost_cents - own < 100
    supposed = what_ifs(lived.store, MONTH)
    assert list(supposed) == ["showback", "proportional", "real_cost", "use_case_budget"]
    for model, issue in supposed.items():
        assert issue.ledger_cost_cents == own, model
        assert {each.model for each in issue.statements} == {model}
        assert "what if" in issue.company
        assert issue.status == "draft"
        assert issue.simulated
    assert supposed["showback"].charged_total_cents == 0
    assert supposed["real_cost"].charged_total_cents > 0


def test_supposing_posts_nothing(lived) -> None:
    def links() -> int:
        with lived.store.read() as tx:
            return int(tx.scalar("SELECT COUNT(*) FROM chain"))

    before = links()
    what_ifs(lived.store, MONTH)
    assert links() == before


def test_a_month_that_never_ran_is_refused(lived) -> None:
    with pytest.raises(PeriodError, match="nothing is booked"):
        what_ifs(lived.store, Period.parse("2026-12"))
