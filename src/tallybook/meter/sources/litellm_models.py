"""Who served a call of LiteLLM, and which model: its names carry the provider before a slash."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from tallybook.meter.providers import provider_of, provider_of_url
from tallybook.meter.sources.tags import text

_PROXY: Final = "litellm_proxy"
_FAMILIES: Final = (  # the beginning of a model's name, and who makes it; the last resort
    *(("claude", "anthropic"), ("gpt-", "openai"), ("chatgpt", "openai"), ("o1", "openai")),
    *(("o3", "openai"), ("o4", "openai"), ("text-embedding-", "openai"), ("gemini", "google")),
    *(("deepseek", "deepseek"), ("mistral", "mistral"), ("codestral", "mistral")),
    *(("command-", "cohere"), ("grok", "x-ai"), ("sonar", "perplexity"), ("voyage", "voyageai")),
)
_MODEL_TAG: Final = "model:"


def provider_and_model(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Provider and model of a row; '' for what it does not say.

    An Azure deployment is named by whoever made it; the model behind it is the one that LiteLLM
    found in its price map.
    """
    told = text(record.get("model"))
    provider, model = _split(
        text(record.get("custom_llm_provider")), told, text(record.get("api_base"))
    )
    if provider == "azure":
        mapped = _mapped(record) or _mapped(metadata)
        model = mapped.rpartition("/")[2] or model
    if not provider:
        for tag in record.get("request_tags") or ():
            if isinstance(tag, str) and tag.startswith(_MODEL_TAG):
                provider = _split("", tag.removeprefix(_MODEL_TAG), "")[0]
    return provider or maker_of(model), model


def _mapped(holder: Mapping[str, Any]) -> str:
    known = holder.get("model_map_information")
    return text(known.get("model_map_key")) if isinstance(known, dict) else ""


@lru_cache(maxsize=4096)
def _split(named: str, model: str, base: str) -> tuple[str, str]:
    """Provider and model, the model without the provider before it."""
    model = model.removeprefix(f"{_PROXY}/")
    first, slash, rest = model.partition("/")
    if named == _PROXY:
        named = ""
    if named:
        if slash and provider_of(first) == provider_of(named):
            model = rest
        return provider_of(named), model
    if slash and provider_of(first) in _KNOWN:
        return provider_of(first), rest
    return provider_of_url(base) if base else "", model


_KNOWN: Final = frozenset(
    {
        *("anthropic", "aws", "azure", "cerebras", "cohere", "deepseek", "fireworks", "google"),
        *("groq", "meta", "mistral", "moonshotai", "ollama", "openai", "openrouter"),
        *("perplexity", "together", "vllm", "voyageai", "x-ai", "zai"),
    }
)


def maker_of(model: str) -> str:
    """Who makes a model, by the beginning of its name; '' when that says nothing."""
    plain = model.lower()
    return next((maker for start, maker in _FAMILIES if plain.startswith(start)), "")
