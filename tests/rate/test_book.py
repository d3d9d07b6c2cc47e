from fractions import Fraction
from itertools import permutations

import pytest

from tallybook.books.model import FOREVER_US, PriceAlias, Prices
from tallybook.books.terms import ContractRow
from tallybook.errors import PriceError
from tallybook.rate import PriceBook, PriceKey, load_list
from tallybook.rate.grid import price_at
from tallybook.rate.lists import parse_list

START, MIDDLE, END = 1_000_000, 2_000_000, 3_000_000
KEY = PriceKey("openai", "gpt-4.1", "", "")
LIST = {"input_uncached": 2_000_000, "cache_read": 500_000, "output": 8_000_000}


def row(**fields):
    given = {
        "contract": "c", "provider": "openai", "model": "", "tier": "", "region": "",
        "discount": None, "prices": {}, "long_context_over": None, "long_context_prices": {},
        "from_us": 0, "to_us": FOREVER_US, "line": "prices.yaml:1",
    }  # fmt: skip
    return ContractRow(**(given | fields))


def book(*rows, aliases=()):
    return PriceBook(load_list(), Prices(rows, aliases))


def contract_at(made, key=KEY, us=START, context=0):
    (layer,) = made.layers(key, us, us + 1)
    return price_at(layer.contract, 0, context)


def test_without_a_contract_the_contract_price_is_the_list_price():
    (layer,) = book().layers(KEY, START, END)
    assert layer.contract == layer.list
    assert layer.undated
    assert layer.contract_ref == ""
    assert {meter: price_at(layer.list, 0, 0)[meter] for meter in LIST} == LIST


def test_a_discount_is_taken_once_and_rounded_half_even():
    made = contract_at(book(row(discount=Fraction(1, 3))))
    assert made["input_uncached"] == 1_333_333
    assert made["output"] == 5_333_333
    halves = contract_at(book(row(discount=Fraction("0.99999975"))))
    assert halves["cache_read"] == 0  # 0.125 pico
    assert halves["input_uncached"] == 0  # 0.5 pico, to the even one
    assert halves["output"] == 2


def test_an_explicit_price_leaves_what_it_does_not_name_at_list():
    made = contract_at(
        book(row(prices={"input_uncached": 7}), row(model="x", discount=Fraction(1, 2)))
    )
    assert made["input_uncached"] == 7
    assert made["output"] == LIST["output"]


def test_an_unnamed_meter_takes_the_list_price_not_a_wider_discount():
    made = contract_at(
        book(row(discount=Fraction(1, 2)), row(model="gpt-4.1", prices={"input_uncached": 7}))
    )
    assert (made["input_uncached"], made["output"]) == (7, LIST["output"])


SPECIFICITY = [
    row(discount=Fraction(1, 10)),
    row(model="gpt-*", discount=Fraction(2, 10)),
    row(model="gpt-4*", discount=Fraction(3, 10)),
    row(model="gpt-4.1", discount=Fraction(4, 10)),
    row(model="gpt-4.1", region="eu", discount=Fraction(5, 10)),
    row(model="gpt-4.1", tier="standard", discount=Fraction(6, 10)),
    row(model="gpt-4.1", tier="standard", region="eu", discount=Fraction(7, 10)),
]


@pytest.mark.parametrize("count", range(1, len(SPECIFICITY) + 1))
def test_the_most_specific_row_wins_in_any_order(count):
    key = PriceKey("openai", "gpt-4.1", "default", "eu")
    expected = LIST["output"] * (10 - count) // 10
    for rows in (SPECIFICITY[:count], SPECIFICITY[:count][::-1]):
        assert contract_at(book(*rows), key)["output"] == expected


def test_a_named_tier_or_region_prices_no_other():
    made = book(
        row(tier="batch", discount=Fraction(1, 2)), row(region="eu", discount=Fraction(1, 4))
    )
    assert contract_at(made)["output"] == LIST["output"]


def test_a_later_start_wins_from_its_date_and_earlier_calls_keep_theirs():
    made = book(
        row(prices={"output": 5, "input_uncached": 4}), row(prices={"output": 3}, from_us=MIDDLE)
    )
    assert contract_at(made, us=MIDDLE - 1)["output"] == 5
    assert contract_at(made, us=MIDDLE)["output"] == 3
    assert contract_at(made, us=MIDDLE)["input_uncached"] == 4
    assert [layer.from_us for layer in made.layers(KEY, START, END)] == [START, MIDDLE]


def test_a_row_ends_before_its_end():
    made = book(row(prices={"output": 5}, to_us=MIDDLE))
    assert contract_at(made, us=MIDDLE - 1)["output"] == 5
    assert contract_at(made, us=MIDDLE)["output"] == LIST["output"]


def test_two_prices_of_one_specificity_are_refused_when_the_book_is_built():
    with pytest.raises(
        PriceError, match=r"two prices for output of one call.*a\.yaml:3.*a\.yaml:9"
    ):
        book(row(prices={"output": 5}, line="a.yaml:3"), row(prices={"output": 6}, line="a.yaml:9"))
    with pytest.raises(PriceError, match="two prices for every meter"):
        book(row(discount=Fraction(1, 2)), row(discount=Fraction(1, 3)))


def test_two_globs_that_meet_on_a_call_are_refused_when_it_is_priced():
    made = book(row(model="gpt-4*", prices={"output": 5}), row(model="*4.1", prices={"output": 6}))
    assert contract_at(made)["output"] == 5  # more literal characters
    made = book(row(model="gpt*", prices={"output": 5}), row(model="*4.1", prices={"output": 6}))
    with pytest.raises(PriceError, match="two prices for output"):
        made.layers(KEY, START, END)


def test_rows_of_one_specificity_share_the_call_by_meter():
    rows = (row(prices={"output": 5}), row(prices={"web_search": 6}, contract="d"))
    for order in permutations(rows):
        made = contract_at(book(*order))
        assert (made["output"], made["web_search"]) == (5, 6)
    (layer,) = book(*rows).layers(KEY, START, END)
    assert layer.contract_ref == "c, d"


def test_long_context_prices_hold_above_the_threshold():
    made = book(
        row(
            prices={"output": 5, "input_uncached": 1},
            long_context_over=1_000,
            long_context_prices={"output": 9},
        )
    )
    assert contract_at(made, context=1_000)["output"] == 5
    assert contract_at(made, context=1_001)["output"] == 9
    assert contract_at(made, context=1_001)["input_uncached"] == 1


def test_a_contract_prices_what_the_list_does_not_know():
    key = PriceKey("openai", "our-own", "scale", "")
    assert contract_at(book(), key) is None
    (layer,) = book(row(model="our-own", prices={"output": 5})).layers(key, START, END)
    assert price_at(layer.contract, 0, 0) == {"output": 5}
    assert layer.list == ()
    assert "no model 'our-own' of 'openai'" in layer.reason


def test_a_discount_on_nothing_is_no_price():
    key = PriceKey("openai", "our-own", "", "")
    (layer,) = book(row(discount=Fraction(1, 2))).layers(key, START, END)
    assert layer.contract == ()


def test_a_contract_may_use_the_event_s_name_the_alias_s_or_the_list_s():
    alias = PriceAlias("azure", "chat-prod", "openai", "gpt-4.1-2025-04-14")
    key = PriceKey("azure", "chat-prod", "", "")
    assert contract_at(book(aliases=[alias]), key)["output"] == LIST["output"]
    for provider, model in (
        ("azure", "chat-prod"),
        ("openai", "gpt-4.1-2025-*"),
        ("openai", "gpt-4.1"),
    ):
        made = book(row(provider=provider, model=model, prices={"output": 5}), aliases=[alias])
        assert contract_at(made, key)["output"] == 5


def test_a_row_in_the_event_s_own_provider_name_goes_first():
    key = PriceKey("google-vertex", "gemini-2.5-pro", "", "")
    rows = [
        row(provider="google", prices={"output": 5}),
        row(provider="google-vertex", prices={"output": 6}),
    ]
    assert contract_at(book(*rows), key)["output"] == 6
    assert contract_at(book(*rows), PriceKey("gemini", "gemini-2.5-pro", "", ""))["output"] == 5


def test_a_reseller_s_other_tiers_are_not_the_seller_s():
    (layer,) = book().layers(PriceKey("azure", "gpt-4.1", "batch", ""), START, END)
    assert layer.contract == ()
    assert "is resold: the list has no tier 'batch'" in layer.reason


def test_a_refused_price_says_why():
    (layer,) = book().layers(PriceKey("perplexity", "sonar-deep-research", "", ""), START, END)
    assert "output_reasoning_mtok" in layer.reason
    (layer,) = book().layers(PriceKey("openai", "gpt-4.1", "prioritty", ""), START, END)
    assert layer.reason == "openai/gpt-4.1: the list has no tier 'prioritty'"


def test_books_in_another_currency_refuse_the_list():
    with pytest.raises(PriceError, match=r"list genai-prices-0\.2\.3 is in USD, the books in EUR"):
        PriceBook(load_list(), Prices(), currency="EUR")


def test_a_price_before_its_start_is_no_price_and_the_first_never_stands_in():
    dated = {
        "version": "v", "source": "s", "currency": "USD", "scale": 12, "refused": [],
        "providers": [{"id": "p", "fallbacks": [], "models": [{
            "id": "m", "match": {"equals": "m"}, "tiers": {"standard": [{
                "from_us": MIDDLE, "undated": False,
                "parts": [{"from_s": 0, "to_s": 86400, "bands": [{"over": -1, "prices": {"output": 1}}]}],
            }]},
        }]}],
    }  # fmt: skip
    early, late = PriceBook(parse_list(dated), Prices()).layers(
        PriceKey("p", "m", "", ""), START, END
    )
    assert (early.contract, early.undated) == ((), False)
    assert early.reason == "tier 'standard' has no list price yet"
    assert price_at(late.contract, 0, 0) == {"output": 1}
