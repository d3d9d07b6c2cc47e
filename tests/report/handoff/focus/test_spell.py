"""How rows are spelled: exact decimals, the columns of each version, JSON that keeps its digits."""

import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.report.handoff.focus.model import RATIO_ONE, Part
from tallybook.report.handoff.focus.spell import _allocated, columns_of, figure


@given(st.integers(-(10**25), 10**25), st.integers(0, 12), st.integers(0, 2))
def test_a_figure_is_exact_and_never_a_float(units, scale, decimals_min):
    text = figure(units, scale, min(decimals_min, scale))
    assert Decimal(text) == Decimal(units).scaleb(-scale)
    assert "E" not in text.upper()
    decimals = text.partition(".")[2]
    assert len(decimals) <= decimals_min or not decimals.endswith("0")


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [(12_500_000, 12, "0.0000125"), (0, 12, "0.00"), (-1_200, 3, "-1.20"), (7, 0, "7.00")],
)
def test_two_decimals_at_least(units, scale, text):
    assert figure(units, scale) == text


def test_the_versions_have_the_columns_of_the_specification():
    plain = {
        v: [name for name in columns_of(v) if not name.startswith("x_")] for v in ("1.2", "1.4")
    }
    assert {version: len(names) for version, names in plain.items()} == {"1.2": 57, "1.4": 65}
    assert all(names == sorted(names) for names in plain.values())
    gone = set(plain["1.2"]) - set(plain["1.4"])
    assert gone == {"ProviderName", "PublisherName"}
    for version in plain:
        assert len(set(columns_of(version))) == len(columns_of(version))


def test_a_ratio_keeps_its_twelve_digits():
    names = SimpleNamespace(teams={"a": "Team A"})
    part = Part("m", "o", 1, "a", "bot", RATIO_ONE // 3, "Tokens", 7)
    values = _allocated(part, names)
    assert values["AllocatedMethodDetails"] == (
        '{"Elements": [{"AllocatedRatio": 0.333333333333, "UsageUnit": "Tokens",'
        ' "UsageQuantity": 7}]}'
    )
    assert json.loads(values["AllocatedTags"]) == {"team": "a", "feature": "bot"}
    assert (values["x_AllocatedResourceId"], values["AllocatedResourceName"]) == ("a/bot", "Team A")
