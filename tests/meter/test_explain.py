"""Figures in messages: exactly as written, and never a whole book."""

from decimal import Decimal

import pytest

from tallybook.meter.explain import explain, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-4, "-4"),
        (Decimal("4.50"), "4.50"),
        (2**70, str(2**70)),
        (True, "true"),
        (None, "null"),
        ("a", '"a"'),
        ({"b": 1, "a": [Decimal("0.1")]}, '{"a":["0.1"],"b":1}'),
        ("x" * 200, '"' + "x" * 79 + ".."),
    ],
)
def test_shown(value, text):
    assert shown(value) == text


def test_a_fault_that_nobody_foresaw_is_told_all_the_same(record):
    fields = record() | {"started_at": 1}
    assert explain(fields, "the reader's own words").what == "the reader's own words"
