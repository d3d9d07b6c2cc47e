"""What has no price says why, and what no price file may say is refused in full words."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from tallybook.books.model import FOREVER_US, Prices
from tallybook.books.terms import ContractRow
from tallybook.clock import parse_instant
from tallybook.errors import PriceError
from tallybook.rate import PriceBook, PriceKey, Unpriced, compile_prices, load_list
from tallybook.rate.lists import list_bytes, parse_list
from tallybook.rate.rating import field_sql
from tallybook.rate.reference import price_call, row_lookup

START, END = parse_instant("2026-10-01T00:00:00Z"), parse_instant("2026-11-01T00:00:00Z")
LIST: dict[str, Any] = {
    "version": "v",
    "source": "s",
    "currency": "USD",
    "scale": 12,
    "refused": [],
    "providers": [],
}


def row(line: str = "prices.yaml:1", **fields: Any) -> ContractRow:
    given = {
        "contract": "c", "provider": "openai", "model": "", "tier": "", "region": "",
        "discount": None, "prices": {}, "long_context_over": None, "long_context_prices": {},
        "from_us": START, "to_us": FOREVER_US, "line": line,
    }  # fmt: skip
    return ContractRow(**(given | fields))


def book(*rows: ContractRow, currency: str = "USD") -> PriceBook:
    return PriceBook(load_list(), Prices(rows), currency)


def compiled(*rows: ContractRow) -> object:
    key = PriceKey("openai", "gpt-4.1", "", "")
    return compile_prices([key], [book(*rows)], "contract", START, END)


NARROW = "\n  next: end one of the rows, or narrow it to a model, tier or region"
REFUSALS: dict[str, Callable[[], object]] = {
    "list genai-prices-0.2.3 is in USD, the books in EUR\n"
    "  next: keep the books in the currency of the list": lambda: book(currency="EUR"),
    "prices.yaml: two prices for cache_read, output of one call from 2026-10-01T00:00:00.000Z: a:3,"
    " and a:9" + NARROW: lambda: book(
        row("a:3", prices={"output": 1, "cache_read": 2, "web_search": 3}),
        row(
            "a:9",
            prices={"output": 1},
            long_context_over=5,
            long_context_prices={"cache_read": 7},
        ),
    ),
    "prices.yaml: two prices for every meter of one call from 2026-10-01T00:00:00.000Z: a:3, and a:9"
    + NARROW: lambda: book(
        row("a:3", discount=Fraction(1, 2)), row("a:9", discount=Fraction(1, 3))
    ),
    "prices.yaml: openai/gpt-4.1: output at -1 pico is not from 0 to 2^63 - 1\n"
    "  next: check the unit of the price: per million tokens, or per unit": lambda: compiled(
        row(prices={"output": -1})
    ),
    "there is no price list 'nope'\n  next: name one of: genai-prices-0.2.3": lambda: list_bytes(
        "nope"
    ),
    "list v is in EUR at scale 12; a list is in USD at scale 12": lambda: parse_list(
        LIST | {"currency": "EUR"}
    ),
    "list v is in USD at scale 9; a list is in USD at scale 12": lambda: parse_list(
        LIST | {"scale": 9}
    ),
}


@pytest.mark.parametrize(("said", "refused"), REFUSALS.items())
def test_a_price_file_that_cannot_be_used_says_why(
    said: str, refused: Callable[[], object]
) -> None:
    with pytest.raises(PriceError) as error:
        refused()
    assert str(error.value) == said


def test_the_largest_price_is_still_one() -> None:
    rows, _ = compiled(row(prices={"output": 2**63 - 1}))  # type: ignore[misc]
    assert rows[0].contract["output"] == 2**63 - 1


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (
            PriceKey("nobody", "nothing", "", ""),
            "list genai-prices-0.2.3 has no model 'nothing' of 'nobody'",
        ),
        (
            PriceKey("openai", "our-own", "", ""),
            "list genai-prices-0.2.3 has no model 'our-own' of 'openai'",
        ),
        (
            PriceKey("openai", "gpt-4.1", "prioritty", ""),
            "openai/gpt-4.1: the list has no tier 'prioritty'",
        ),
        (
            PriceKey("azure", "gpt-4.1", "batch", ""),
            "openai/gpt-4.1 is resold: the list has no tier 'batch' for it",
        ),
        (PriceKey("deepseek", "deepseek-v4-pro", "", ""), "no price at this hour of the day"),
    ],
)
def test_a_key_without_a_price_says_why(key: PriceKey, reason: str) -> None:
    _, gaps = compile_prices([key], [book()], "contract", START, END)
    assert {gap.reason for gap in gaps} == {reason}
    assert {gap.key for gap in gaps} == {key}
    assert min(gap.from_us for gap in gaps) >= START
    assert max(gap.to_us for gap in gaps) <= END


def test_a_call_without_a_row_is_unpriced_for_its_own_instant() -> None:
    key = PriceKey("p", "m", "", "")
    found = price_call(row_lookup([]), key, {"output": 1}, {}, 7)
    assert found == Unpriced(key, 7, 8, "no price at this instant and context")


def test_a_key_with_a_price_has_no_reason() -> None:
    (stretch,) = book().layers(PriceKey("openai", "gpt-4.1", "", ""), START, END)
    assert stretch.list
    assert stretch.reason == ""


def test_every_provider_of_a_list_stands_under_its_own_name() -> None:
    providers = load_list().providers
    assert {name: provider.id for name, provider in providers.items()} == {n: n for n in providers}
    assert all(model.provider == name for name in providers for model in providers[name].models)


@pytest.mark.parametrize(
    ("field", "sql"),
    [
        ("service", "e.service"),
        ("labels.kind", "COALESCE(e.labels['kind'], '')"),
        ("labels.o'clock", "COALESCE(e.labels['o''clock'], '')"),
    ],
)
def test_a_field_of_a_rule_is_read_from_the_event(field: str, sql: str) -> None:
    assert field_sql(field) == sql
