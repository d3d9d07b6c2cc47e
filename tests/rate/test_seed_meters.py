from decimal import Decimal

import pytest
from genai_prices.data_units import unit_data
from hypothesis import given
from hypothesis import strategies as st

from tallybook.rate.seed_meters import INSIDE, METERS, meters_of, pico_of_price


def made(prices, provider="p", model="m"):
    return meters_of(provider, model, {key: Decimal(price) for key, price in prices.items()})


@given(st.integers(0, 10**12))
def test_six_decimals_per_million_are_whole_pico(micro):
    assert pico_of_price(Decimal(micro) / 10**6, 1_000_000) == micro


@pytest.mark.parametrize(
    ("price", "per", "pico"),
    [
        ("2.50", 1_000_000, 2_500_000),
        ("1E+2", 1_000_000, 100_000_000),
        ("10", 1_000, 10_000_000_000),
        ("0.36", 3_600_000, 100_000),
        ("0.24", 3_600_000, None),
        ("0.18000000000000002", 1_000_000, None),
        ("0.0000001", 1_000_000, None),
        ("-1", 1_000_000, None),
        ("NaN", 1_000_000, None),
        ("Infinity", 1_000_000, None),
        ("0", 1_000_000, 0),
    ],
)
def test_a_price_is_whole_pico_or_refused(price, per, pico):
    assert pico_of_price(Decimal(price), per) == pico


def test_the_library_s_units_are_all_known_or_refused_by_name():
    pays_for = {raw["price_key"]: raw["per"] for raw in unit_data.values()}
    for key, (_, per) in METERS.items():
        # Hours become milliseconds; every other price pays for as many as the library says.
        assert per == pays_for[key] * (1_000 if key.endswith("_hours") else 1)
    assert set(INSIDE) <= set(pays_for)
    for key in set(pays_for) - set(METERS) - set(INSIDE):
        assert made({key: "1"}).refused == {key: "we do not count this"}


def test_a_subset_that_we_do_not_count_refuses_the_meter_that_holds_it():
    found = made({"input_mtok": "1", "output_mtok": "8", "output_reasoning_mtok": "3"})
    assert "output" not in found.prices
    assert found.base_refused.startswith(
        "output: output_reasoning_mtok 3 USD inside output_mtok 8 USD"
    )


def test_a_subset_at_its_whole_s_price_is_harmless():
    found = made({"input_mtok": "1", "input_video_mtok": "1.0"})
    assert found.refused == {}
    assert found.prices["input_uncached"] == 1_000_000


def test_a_cached_image_at_its_own_price_leaves_the_base_priced():
    found = made({"input_mtok": "5", "cache_read_mtok": "1.25", "cache_image_read_mtok": "2"})
    assert "cache_read" in found.refused
    assert found.base_refused == ""


def test_without_a_request_price_every_call_would_look_cheaper():
    assert made({"input_mtok": "1", "requests_kcount": "0.0000000001"}).base_refused


def test_the_unstated_cache_write_is_also_the_provider_s_default_class():
    prices = {"input_mtok": "1", "cache_write_mtok": "1.25"}
    classes = {
        ("anthropic", "claude-x"): "cache_write_5m",
        ("aws", "amazon.nova"): "cache_write_5m",
        ("google", "claude-x"): "cache_write_5m",
        ("openai", "gpt-x"): "cache_write_30m",
        ("azure", "gpt-x"): "cache_write_30m",
        ("aws", "openai.gpt-x"): "cache_write_30m",
    }
    for (provider, model), meter in classes.items():
        found = made(prices, provider, model).prices
        assert {m for m in found if m.startswith("cache_write")} == {"cache_write", meter}
        assert found[meter] == found["cache_write"]
    assert {m for m in made(prices).prices if m.startswith("cache_write")} == {"cache_write"}


def test_no_cache_price_is_ever_taken_from_input():
    assert set(made({"input_mtok": "1", "output_mtok": "2"}).prices) == {
        "input_uncached",
        "image_input",
        "output",
    }


def test_gemini_audio_takes_the_one_published_rate_unless_it_has_its_own():
    one_rate = {"input_mtok": "1", "cache_read_mtok": "0.1"}
    found = made(one_rate, "google", "gemini-x").prices
    assert (found["audio_input"], found["cache_read_audio"]) == (1_000_000, 100_000)
    own = made(
        one_rate | {"input_audio_mtok": "3", "cache_audio_read_mtok": "0.3"}, "google", "gemini-x"
    ).prices
    assert (own["audio_input"], own["cache_read_audio"]) == (3_000_000, 300_000)
    assert "audio_input" not in made(one_rate, "google", "claude-x").prices


def test_hours_of_audio_that_disagree_are_refused():
    found = made({"audio_hours": "0.36", "input_audio_hours": "0.72"})
    assert "disagrees" in found.refused["audio_ms"]
    assert found.prices == {}


def test_a_minimum_per_call_is_no_price():
    assert "audio_ms" in made({"audio_hours": "0.36"}, "groq", "whisper-large-v3").refused
    assert "audio_ms" in made({"audio_hours": "0.36"}, "openai", "whisper-1").prices
