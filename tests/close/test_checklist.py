"""The checklist: figures as evidence, shares of value or of calls, what to do next."""

from fractions import Fraction

import pytest

from tallybook.attribute.model import AttributedLine, Owner
from tallybook.close.checklist import (
    Item,
    Measure,
    ended_item,
    measures,
    order_item,
    pools_item,
    posted_item,
    quarantine_item,
)


def line(rule="tag:team", state="reported", *, unpriced=False, calls=1, pico=100):
    owner = Owner("a", "", "production", "usage", "", "a", rule)
    return AttributedLine("X", owner, state, unpriced, calls, 10, pico, pico, pico, {})


def test_measures_are_of_value_where_there_is_one_else_of_calls():
    found = measures(
        [
            line(pico=60),
            line("fallback", pico=40),
            line(state="unknown", pico=0, calls=2),
            line(state="partial", pico=0),
            line(unpriced=True, pico=0, calls=4),
        ]
    )
    assert found["unallocated"].share == Fraction(40, 100)
    assert found["unknown"] == Measure(3, 9, 3)
    assert found["unpriced"].share == Fraction(4, 9)
    assert found["estimated"].share == 0


@pytest.mark.parametrize(("part", "share"), [(0, 0), (1, 1)])
def test_a_part_of_nothing_is_everything(part, share):
    assert Measure(part, 0, 0).share == share


def test_items_say_what_blocks_and_what_to_do():
    assert not ended_item(None, 10, 10).blocks
    assert ended_item(None, 11, 10).blocks
    assert order_item(["2026-09"]).next_step == "close 2026-09 first"
    assert not order_item([]).blocks
    assert posted_item(3).evidence == "3 entries are due"
    assert not posted_item(0).blocks
    assert "no actual entered: gateway" in pools_item(["gateway"]).evidence
    assert not quarantine_item(5).blocks
    assert not Item("x", ok=False, evidence="", waived_by="cfo").blocks
