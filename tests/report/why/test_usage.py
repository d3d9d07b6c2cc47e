"""Slots of time: their days, cut where our month begins and ends."""

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tallybook.clock import Period, parse_instant
from tallybook.report.why.model import UsageCell
from tallybook.report.why.usage import slots_of, summed

UTC = ZoneInfo("UTC")
OCTOBER = Period.parse("2026-10").bounds_us(UTC)


@given(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
def test_slots_cover_the_days_without_gap_and_cut_at_the_month(name):
    zone = ZoneInfo(name)
    found = slots_of(date(2026, 9, 30), date(2026, 11, 1), zone, OCTOBER)
    for before, after in pairwise(found):
        assert before.to_us == after.from_us
    inside = [slot for slot in found if slot.inside]
    assert (inside[0].from_us, inside[-1].to_us) == OCTOBER
    assert all(slot.from_us < slot.to_us for slot in found)


def test_a_day_of_another_zone_is_cut_in_two():
    found = slots_of(date(2026, 9, 30), date(2026, 9, 30), ZoneInfo("America/New_York"), OCTOBER)
    assert [(slot.day, slot.inside) for slot in found] == [
        ("2026-09-30", False), ("2026-09-30", True)
    ]  # fmt: skip
    assert found[0].to_us == parse_instant("2026-10-01T00:00:00Z")


def test_cells_that_differ_in_nothing_are_added_up():
    cell = UsageCell("d", True, "2026-10", "p", "m", "k", "a", "a", "a", "f", "", "output", 3, 1, 1)
    other = cell._replace(payer="b")
    assert set(summed([cell, other, cell])) == {cell._replace(quantity=6, calls=2), other}
