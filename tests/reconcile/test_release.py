"""What an invoice takes back whole, and what it settles by a line of its own."""

from tallybook.ledger.model import PostingKey
from tallybook.reconcile.history import History, Standing
from tallybook.reconcile.model import ProviderResult, Variance, VarianceKind
from tallybook.reconcile.release import cleared, is_whole, released


def result(*variances):
    return ProviderResult("X", 0, 0, tuple(variances), ("P-1",), 1, 0, 0, 0)


def variance(kind, amount, cause="c"):
    return Variance("R-1", "X", kind, cause, "", "", None, amount, ())


def key(source):
    return PostingKey("Accrued:X", "", "", "", "", "X", "", "", source, "2026-10", "", 0)


HELD = {key("accrual:X"): -5, key("revalue:X"): -7, key("meter:X"): -100, key("prepaid:c:used"): 9}


def test_estimates_are_released_when_every_day_is_billed():
    assert released(HELD, result()) == {key("accrual:X"): -5, key("revalue:X"): -7}
    waits = result(variance(VarianceKind.TIMING, -3, "not_invoiced"))
    assert not is_whole(waits)
    assert released(HELD, waits) == {}
    assert is_whole(result(variance(VarianceKind.TIMING, -3, "cut_off")))


def test_capacity_credits_and_shortfalls_wait_for_a_line_of_their_kind():
    rows = (
        Standing("2026-09", "X", "Accrued:X", "commitment:d", "", -40),
        Standing("2026-10", "X", "Accrued:X", "commitment:d", "", -10),
        Standing("2026-10", "X", "Accrued:X", "capacity:p", "p", -30),
        Standing("2026-10", "X", "Accrued:X", "prepaid:c:used", "c", 9),
    )
    found = History(rows)

    def settled(*variances):
        postings = cleared(found, result(*variances), "2026-10", "true_up:X")
        assert sum(nano for _, nano in postings) == 0
        return {(k.account, k.detail): nano for k, nano in postings}

    assert settled() == {}
    assert settled(variance(VarianceKind.CREDIT, -8)) == {
        ("Accrued:X", "prepaid"): -9, ("Variance:credit", "credit"): 9,
    }  # fmt: skip
    assert settled(variance(VarianceKind.MINIMUM, 60)) == {
        ("Accrued:X", "commitment"): 50, ("Variance:minimum", "minimum"): -50,
    }  # fmt: skip
    both = settled(variance(VarianceKind.COMMITMENT, 33), variance(VarianceKind.MINIMUM, 60))
    assert both["Accrued:X", "capacity"] == 30
    assert both["Variance:minimum", "minimum"] == -50


def cleared_in(month, *rows):
    found = History((
        Standing("2026-09", "X", "Accrued:X", "commitment:d", "", -40),
        Standing("2026-10", "X", "Accrued:X", "commitment:d", "", -10),
        *(Standing(name, "X", "Accrued:X", "true_up:X", "commitment", nano) for name, nano in rows),
    ))  # fmt: skip
    bills = result(variance(VarianceKind.MINIMUM, 60))
    return {k.account: n for k, n in cleared(found, bills, month, "true_up:X")}.get("Accrued:X", 0)


def test_an_invoice_that_comes_after_a_later_one_does_not_clear_a_shortfall_again():
    # October's came first and cleared both months; then September's comes.
    assert cleared_in("2026-09", ("2026-10", 50)) == 0
    # Each in its turn cleared its own, and clears that again when it is trued up again.
    both = (("2026-09", 40), ("2026-10", 10))
    assert [cleared_in(name, *both) for name, _ in both] == [40, 10]
    # October's shortfall is never September's.
    assert cleared_in("2026-09") == 40
