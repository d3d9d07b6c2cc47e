"""What an answer cost: the price book's own answer, or none."""

from __future__ import annotations

import pytest

from company import PRICES, org, policy
from tallybook.books.model import Prices
from tallybook.clock import parse_instant
from tallybook.gateway.prices import PriceTable, as_text, table_of
from tallybook.meter.usage.read import read_body

NOW_US = parse_instant("2026-11-22T10:00:00Z")


def reading(model="gpt-4o-mini", provider="openai", **usage):
    figures = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010, **usage}
    return read_body(
        {"id": "x", "model": model, "choices": [], "usage": figures}, provider=provider
    )


def test_a_cost_is_exact_and_a_second_call_is_only_arithmetic():
    table = PriceTable(Prices())
    assert table.cost_pico(reading(), NOW_US) == 1000 * 150_000 + 10 * 600_000
    assert table.cost_pico(reading(), NOW_US) == 156_000_000
    assert len(table._compiled) == 1


@pytest.mark.parametrize(
    "found", [reading("unheard-of"), read_body({"id": "x"}, provider="openai")]
)
def test_what_is_unknown_or_unpriced_has_no_cost(found):
    assert PriceTable(Prices()).cost_pico(found, NOW_US) is None


def test_the_prices_of_the_books_hold(tmp_path):
    mine = PRICES.replace("provider: X", "provider: openai")
    for name, text in (("org", org()), ("policy", policy()), ("prices", mine)):
        (tmp_path / f"{name}.yaml").write_text(text)
    cost = table_of(tmp_path).cost_pico(reading("x-1"), NOW_US)
    assert cost == 1000 * 10_000_000 + 10 * 50_000_000


@pytest.mark.parametrize(
    ("pico", "text"), [(0, "0.00"), (22_500_000, "0.0000225"), (10**12, "1.00")]
)
def test_a_cost_is_written_in_full(pico, text):
    assert as_text(pico) == text
