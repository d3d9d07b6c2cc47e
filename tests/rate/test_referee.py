"""The price library itself as the referee: where both price a call, they agree to the last digit."""

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from genai_prices import Usage
from genai_prices.data import providers as library
from genai_prices.data_snapshot import get_snapshot

from tallybook.books.model import Prices
from tallybook.clock import Period
from tallybook.rate import (
    PriceBook,
    PriceKey,
    Unpriced,
    compile_prices,
    load_list,
    price_call,
    row_lookup,
)

START_US, END_US = Period.parse("2026-11").bounds_us(ZoneInfo("UTC"))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOON_US = 1_795_262_400_000_000
PROVIDERS = {provider.id: provider for provider in library}
BOOK = PriceBook(load_list(), Prices())

SAMPLE = [
    ("openai", "gpt-5.4"),
    ("openai", "gpt-5.6-sol"),
    ("openai", "gpt-4.1"),
    ("openai", "gpt-4o"),
    ("openai", "gpt-5-mini"),
    ("anthropic", "claude-haiku-5-5"),
    ("anthropic", "claude-opus-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("mistral", "mistral-large-4"),
    ("groq", "openai/gpt-oss-120b"),
]
TIERS = {
    "": None,
    "default": None,
    "standard": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": None,
}
CONTEXTS = (900, 100_000, 100_001, 200_000, 200_001, 272_000, 272_001)
CACHES = ((0, 0, 0), (811, 0, 0), (401, 203, 0), (101, 100, 99))


def library_model(provider, model):
    return next(m for m in PROVIDERS[provider].models if m.id == model)


def library_tier(model, tier):
    """The request context of a tier, or None if the library has no variant in force for it."""
    for variant in model.price_variants or ():
        ((name, value),) = variant.when.items()
        in_force = variant.constraint is None or variant.constraint.active(NOON)
        if value == tier and name in {"service_tier", "processing", "speed"} and in_force:
            return {name: value}
    return None


def library_pico(provider, model, usage, context):
    with localcontext() as exact:
        exact.prec = 60
        price = model.calc_price(
            Usage(**usage), PROVIDERS[provider], genai_request_timestamp=NOON, price_context=context
        )
        return price.total_price * Decimal(10) ** 12


def ours(key, tokens, units=None):
    rows, _ = compile_prices([key], [BOOK], "contract", START_US, END_US)
    return price_call(row_lookup(rows), key, tokens, units or {}, NOON_US)


def lookup_of(provider, model, tier):
    key = PriceKey(provider, model, tier, "")
    rows, _ = compile_prices([key], [BOOK], "contract", START_US, END_US)
    return key, row_lookup(rows)


def library_usage(context, read, write, write_1h, output):
    return {
        "input_tokens": context,
        "cache_read_tokens": read,
        "cache_write_tokens": write + write_1h,
        "cache_write_1h_tokens": write_1h,
        "output_tokens": output,
    }


def our_tokens(context, read, write, write_1h, output):
    uncached = context - read - write - write_1h
    return {
        "input_uncached": uncached, "cache_read": read, "cache_write": write,
        "cache_write_1h": write_1h, "output": output, "reasoning": output // 2,
    }  # fmt: skip


@pytest.mark.parametrize(("provider", "name"), SAMPLE)
def test_tier_by_context_by_cache_agrees_with_the_library(provider, name):
    model = library_model(provider, name)
    priced = 0
    for tier in TIERS:
        key, lookup = lookup_of(provider, name, tier)
        context = None if tier in {"", "default", "standard"} else library_tier(model, tier)
        for size, cache in product(CONTEXTS, CACHES):
            result = price_call(lookup, key, our_tokens(size, *cache, 57), {}, NOON_US)
            if isinstance(result, Unpriced):
                assert_refused_for_cause(model, tier, context, cache, result)
                continue
            expected = library_pico(provider, model, library_usage(size, *cache, 57), context)
            assert result == {"list": expected, "contract": expected, "card": expected}
            priced += 1
    assert priced >= 3 * len(CONTEXTS)


def assert_refused_for_cause(model, tier, context, cache, result):
    """We refuse where the library would answer with the standard or the parent's price."""
    if tier not in {"", "default", "standard"} and context is None:
        return  # the library has no such tier and answers with the standard price
    stated = vars(model.get_prices(NOON, context))
    _, write, write_1h = cache
    read_missing = cache[0] and "cache_read_mtok" not in stated
    write_missing = write and "cache_write_mtok" not in stated
    hour_missing = write_1h and "cache_write_1h_mtok" not in stated
    assert read_missing or write_missing or hour_missing, (model.id, tier, cache, result)


def test_every_standard_price_of_the_list_agrees_with_the_library():
    """Every model that we price, by its own id: input and output, below and above all thresholds."""
    priced = 0
    for provider, model in ((p, m) for p in library for m in p.models):
        key, lookup = lookup_of(provider.id, model.id, "")
        if BOOK.resolve(key).model.id != model.id:
            continue
        stated = vars(model.get_prices(NOON))
        if not {"input_mtok", "output_mtok"} <= set(stated):
            continue
        for size in (1_003, 600_001):
            tokens = {"input_uncached": size, "output": 211}
            result = price_call(lookup, key, tokens, {}, NOON_US)
            if isinstance(result, Unpriced):
                continue
            usage = {"input_tokens": size, "output_tokens": 211}
            assert result["list"] == library_pico(provider.id, model, usage, None), key
            priced += 1
    assert priced > 2 * 1_800


def test_each_list_id_means_itself():
    for provider in library:
        for model in provider.models:
            assert (
                BOOK.resolve(PriceKey(provider.id, model.id, "", "")).model.id.lower()
                == model.id.lower()
            )


@pytest.mark.parametrize(
    ("provider", "ref"),
    [
        ("openai", "gpt-4o-2024-08-06"),
        ("openai", "gpt-5.2-20251211"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("azure", "gpt-4.1-2025-04-14"),
        ("azure", "claude-haiku-4-5"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("google-vertex", "gemini-2.5-pro"),
        ("google-vertex", "claude-haiku-4-5@20251001"),
        ("openrouter", "anthropic/claude-haiku-4.5"),
    ],
)
def test_names_as_providers_report_them_mean_the_library_s_model(provider, ref):
    _, model = get_snapshot().find_provider_model(ref, None, provider, None)
    assert BOOK.resolve(PriceKey(provider, ref, "", "")).model.id == model.id


def test_search_fees_and_audio_agree_with_the_library():
    key, lookup = lookup_of("anthropic", "claude-haiku-4-5", "batch")
    model = library_model("anthropic", "claude-haiku-4-5")
    result = price_call(
        lookup, key, {"input_uncached": 11, "output": 3}, {"web_search": 7}, NOON_US
    )
    usage = {"input_tokens": 11, "output_tokens": 3, "web_searches": 7}
    assert result["list"] == library_pico("anthropic", model, usage, {"processing": "batch"})

    key, lookup = lookup_of("openai", "whisper-1", "")
    usage = {"audio_seconds": 37, "input_audio_seconds": 37}
    expected = library_pico("openai", library_model("openai", "whisper-1"), usage, None)
    assert price_call(lookup, key, {}, {"audio_ms": 37_000}, NOON_US)["list"] == expected


def test_off_peak_hours_agree_with_the_library():
    key, lookup = lookup_of("deepseek", "deepseek-chat", "")
    model = library_model("deepseek", "deepseek-chat")
    usage = {"input_tokens": 1_000, "output_tokens": 10}
    for minute in range(0, 24 * 60, 15):
        moment = NOON.replace(hour=minute // 60, minute=minute % 60)
        price = model.calc_price(
            Usage(**usage), PROVIDERS["deepseek"], genai_request_timestamp=moment
        )
        tokens = {"input_uncached": 1_000, "output": 10}
        result = price_call(lookup, key, tokens, {}, NOON_US + (minute - 720) * 60_000_000)
        assert result["contract"] == result["card"] == price.total_price * 10**12
