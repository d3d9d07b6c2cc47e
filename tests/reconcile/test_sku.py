"""Words of products: model, class and tier, and spellings of one model."""

import pytest

from tallybook.reconcile.read.sku import model_mark, model_of, tier_of, token_class_of


@pytest.mark.parametrize(
    ("product", "model", "token_class", "tier"),
    [
        ("Claude4.5Sonnet-cache-write-input-token-count", "Claude4.5Sonnet", "cache_write", ""),
        ("Claude4.6Sonnet-cache-read-input-token-count", "Claude4.6Sonnet", "cache_read", ""),
        ("anthropic.claude-opus-4-8-mantle-cache-write-tokens-standard",
         "anthropic.claude-opus-4-8", "cache_write", "standard"),
        ("NovaLite-output-tokens-batch", "NovaLite", "output", "batch"),
        ("gpt-4o-0806-Inp-glbl Tokens", "gpt-4o-0806", "input_uncached", ""),
        ("gpt 4o 0806 cached Inp global Tokens", "gpt 4o 0806", "cache_read", ""),
        ("gpt-4.1 Outp glbl Tokens", "gpt-4.1", "output", ""),
        ("Gemini 2.5 Flash Text Input - Predictions", "Gemini 2.5 Flash", "input_uncached", ""),
        ("Gemini 2.5 Flash Audio Input - Predictions", "Gemini 2.5 Flash", "audio_input", ""),
        ("gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06", "cache_read", ""),
        ("cache_creation.ephemeral_1h_input_tokens", "cache_creation.ephemeral_1h",
         "cache_write_1h", ""),
        ("uncached_input_tokens", "uncached", "input_uncached", ""),
        ("Web search tool calls", "Web search tool calls", "web_search", ""),
        ("Fine-tune hosting hours", "Fine-tune hosting hours", "", ""),
    ],
)  # fmt: skip
def test_words(product, model, token_class, tier):
    assert (model_of(product), token_class_of(product), tier_of(product)) == (
        model, token_class, tier,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude4.5Sonnet"),
        ("claude-sonnet-4-5", "Claude Sonnet 4.5"),
        ("gpt-4o-2024-08-06", "gpt 4o 0806"),
        ("amazon.nova-lite-v1:0", "NovaLite"),
        ("gemini-2.5-flash", "Gemini 2.5 Flash"),
    ],
)
def test_spellings_of_one_model_share_a_mark(one, other):
    assert model_mark(one) == model_mark(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("gpt-5.4", "gpt-4.5"), ("gpt-4o", "gpt-4o-mini"), ("claude-opus-4-1", "claude-opus-4")],
)
def test_other_models_do_not(one, other):
    assert model_mark(one) != model_mark(other)
