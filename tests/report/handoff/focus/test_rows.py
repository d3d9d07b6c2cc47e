"""Corrections: a charge that changed is taken back and booked again; the rest is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from tallybook.report.handoff.focus.model import RATIO_ONE, Bearer, Part, Row, Sku, Totals
from tallybook.report.handoff.focus.rows import corrections


def row(meter, quantity, price=3, origin=""):
    sku = Sku("X", "x-1", "", "", meter, price, price)
    part = Part("m", origin, 10, "a", "", RATIO_ONE) if origin else None
    pico = quantity * price
    return Row("Usage", meter, "2026-10", Bearer("a"), pico, pico, pico, sku, quantity, part=part)


def test_only_what_changed_is_corrected():
    before = [row("input", 5), row("output", 7)]
    after = [row("input", 5), row("output", 9), row("cached", 1)]
    found = list(corrections(before, after))
    assert [(each.description, each.step, each.quantity) for each in found] == [
        ("output", "reversal", -7), ("output", "rebooked", 9), ("cached", "rebooked", 1),
    ]  # fmt: skip
    assert all(each.corrects for each in found)
    assert list(corrections(before, before)) == []


def test_a_split_charge_is_corrected_with_all_of_its_parts():
    parts = [row("input", 5, origin="o"), row("output", 7, origin="o")]
    found = list(corrections(parts, [parts[0], row("output", 8, origin="o")]))
    assert [(each.part.origin, each.quantity) for each in found] == [
        ("o/reversal", -5), ("o/reversal", -7), ("o/rebooked", 5), ("o/rebooked", 8),
    ]  # fmt: skip
    assert {each.part.origin_pico for each in found} == {-10, 10}


METERS = st.sampled_from(["input", "output", "cached"])
MONTHS = st.dictionaries(METERS, st.integers(1, 9)).map(
    lambda counts: [row(meter, quantity) for meter, quantity in counts.items()]
)


@given(MONTHS, MONTHS)
def test_corrections_are_what_the_month_moved_by(before, after):
    moved = Totals()
    for each in corrections(before, after):
        moved.add(each)
    was, now = Totals(), Totals()
    for rows, totals in ((before, was), (after, now)):
        for each in rows:
            totals.add(each)
    assert moved.effective_pico == now.effective_pico - was.effective_pico
    assert moved.list_pico == now.list_pico - was.list_pico
