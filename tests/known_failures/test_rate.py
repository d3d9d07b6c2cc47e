"""Documented failures of others in pricing, by their exhibit numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from genai_prices import Usage, calc_price

from tallybook.books.model import FOREVER_US, Prices
from tallybook.books.terms import ContractRow
from tallybook.rate import (
    PriceBook,
    PriceKey,
    Unpriced,
    compile_prices,
    load_list,
    price_call,
    row_lookup,
)
from tallybook.rate.seed_meters import meters_of, pico_of_price

START, DAY15, END = 1_793_491_200_000_000, 1_794_700_800_000_000, 1_796_083_200_000_000
KEY = PriceKey("openai", "gpt-4.1", "", "")
M_TOKENS = {"output": 1_000_000}


def contract(pico: int, from_us: int) -> ContractRow:
    line = f"prices.yaml: output from {from_us}"
    return ContractRow(
        "c", "openai", "", "", "", None, {"output": pico}, None, {}, from_us, FOREVER_US, line
    )


def book(*rows: ContractRow) -> PriceBook:
    return PriceBook(load_list(), Prices(rows))


def priced(publications: list[PriceBook], key: PriceKey, tokens: dict[str, int], at_us: int) -> Any:
    rows, _ = compile_prices([key], publications, "contract", START, END)
    return price_call(row_lookup(rows), key, tokens, {}, at_us)


def test_m13_price_overwritten_in_place() -> None:
    """The rate changed on day 15 and past calls were re-priced."""
    publications = [book(contract(5, 0)), book(contract(5, 0), contract(3, DAY15))]
    before = priced(publications, KEY, M_TOKENS, DAY15 - 1)
    after = priced(publications, KEY, M_TOKENS, DAY15)
    assert before["contract"] == 5_000_000
    assert after["contract"] == 3_000_000
    assert before["card"] == after["card"] == 5_000_000


def test_m14_wrong_unit_key() -> None:
    """A per-1,000 price under a per-million key made a valid file, off by 1000x."""
    assert pico_of_price(Decimal("2.5"), 1_000) == 1_000 * (
        pico_of_price(Decimal("2.5"), 1_000_000) or 0
    )
    for misnamed in ("input_ktok", "web_searches_mtok", "requests_mtok", "input_mtokens"):
        made = meters_of("openai", "m", {misnamed: Decimal("2.5")})
        assert (made.prices, made.refused) == ({}, {misnamed: "we do not count this"})


def test_m17_float_noise_in_a_published_price() -> None:
    """0.18000000000000002 per million was accepted."""
    made = meters_of("p", "m", {"input_mtok": Decimal("0.18000000000000002")})
    assert made.prices == {}
    assert "input_mtok 0.18000000000000002 USD" in made.base_refused
    named = {(row.provider, row.model): row.reason for row in load_list().refused}
    assert "0.18000000000000002" in named["huggingface_together", "Qwen/Qwen3-VL-8B-Instruct"]
    key = PriceKey("huggingface_together", "Qwen/Qwen3-VL-8B-Instruct", "", "")
    assert isinstance(priced([book()], key, {"input_uncached": 1}, START), Unpriced)


TIERS = {"standard": {}, "batch": {"processing": "batch"}, "flex": {"service_tier": "flex"}}


@pytest.mark.parametrize(("tier", "size"), list(product(TIERS, (272_000, 272_001))))
def test_a17_tier_by_long_context_by_batch_by_reasoning(tier: str, size: int) -> None:
    """Flex was doubled above 272k, priority halved, reasoning charged at the standard rate."""
    key = PriceKey("openai", "gpt-5.4", tier, "")
    tokens = {"input_uncached": size - 50, "cache_read": 50, "output": 70, "reasoning": 60}
    usage = Usage(
        input_tokens=size, cache_read_tokens=50, output_tokens=70, output_reasoning_tokens=60
    )
    moment = datetime(2026, 11, 15, tzinfo=UTC)
    referee = calc_price(
        usage,
        "gpt-5.4",
        provider_id="openai",
        genai_request_timestamp=moment,
        price_context=TIERS[tier],
    )
    assert priced([book()], key, tokens, DAY15)["contract"] == referee.total_price * 10**12


def test_a17_a_misspelt_tier_is_not_the_standard_tier() -> None:
    """The library answers with the standard price; here the call is on the worklist."""
    assert isinstance(
        priced([book()], PriceKey("openai", "gpt-5.4", "flx", ""), M_TOKENS, START), Unpriced
    )


def test_a17_the_tier_is_per_call_and_never_on_summed_tokens() -> None:
    """Two calls below the threshold are two calls below it, whatever they add up to."""
    key = PriceKey("openai", "gpt-5.4", "", "")
    below = {"input_uncached": 200_000}
    one, other = (priced([book()], key, below, START)["contract"] for _ in range(2))
    assert one == other
    both = priced([book()], key, {"input_uncached": 400_000}, START)["contract"]
    assert both == 2 * (2 * one)
