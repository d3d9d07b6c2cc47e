"""One name for each provider: how tools spell them, and the name that prices are kept under.

The names are those of the public price list (`tallybook.rate.lists`), so that a call finds its
price; a provider that is not known keeps the name it came with, in lower case.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_SPELLINGS: Final = {
    "anthropic": ("claude", "anthropic_text", "anthropic.messages"),
    "aws": (
        *("bedrock", "bedrock_converse", "bedrock_mantle", "aws.bedrock", "aws_bedrock"),
        *("amazon-bedrock", "amazon_bedrock", "amazon", "sagemaker", "aws.sagemaker"),
        "aws-bedrock",
    ),
    "azure": (
        *("azure_ai", "azure_openai", "azure-openai", "az.ai.openai", "az.ai.inference"),
        *("azure.ai.openai", "azure.ai.inference", "azure_text", "azure-foundry", "microsoft"),
    ),
    "cohere": ("cohere_chat",),
    "fireworks": ("fireworks_ai", "fireworks-ai"),
    "google": (
        *("gemini", "vertex_ai", "vertex-ai", "vertex_ai_beta", "vertexai", "vertex", "gcp"),
        *("gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai", "google_genai", "google_vertexai"),
        *("google-vertex", "google_ai_studio", "palm", "generativeai", "google.generative-ai"),
        "google-gemini",
    ),
    "groq": (),
    "meta": ("meta_llama", "llama_api"),
    "mistral": ("mistralai", "mistral_ai", "codestral"),
    "moonshotai": ("moonshot", "moonshot_ai"),
    "ollama": ("ollama_chat",),
    "openai": ("openai_chat", "openai.chat", "openai.responses", "text-completion-openai"),
    "openrouter": (),
    "perplexity": ("perplexityai",),
    "together": ("together_ai", "togetherai", "together-ai"),
    "vllm": ("hosted_vllm",),
    "voyageai": ("voyage",),
    "x-ai": ("xai", "x_ai", "grok"),
    "zai": ("z.ai", "z_ai", "z-ai"),
}
_PROVIDER_OF: Final = {
    spelling: provider
    for provider, spellings in _SPELLINGS.items()
    for spelling in (provider, *spellings)
}
_HOSTS: Final = (  # the end of a host name, and whose it is
    (".openai.azure.com", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".services.ai.azure.com", "azure"),
    (".models.ai.azure.com", "azure"),
    ("api.openai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    (".amazonaws.com", "aws"),
    (".aws", "aws"),
    (".googleapis.com", "google"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.mistral.ai", "mistral"),
    ("api.deepseek.com", "deepseek"),
    ("api.groq.com", "groq"),
    ("api.x.ai", "x-ai"),
    ("openrouter.ai", "openrouter"),
    ("api.perplexity.ai", "perplexity"),
    ("api.voyageai.com", "voyageai"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.moonshot.ai", "moonshotai"),
    ("api.cerebras.ai", "cerebras"),
)

_MODELS: Final = tuple(
    (provider, re.compile(mark))
    for provider, mark in (
        (
            "aws",
            r"(arn:aws:bedrock|(?:(us|eu|apac|global)\.)?(anthropic|amazon|meta|mistral|cohere)\.)",
        ),
        (
            "openai",
            r"(gpt-[0-9]|chatgpt-|o[134](-|$)|text-embedding-(3|ada)|dall-e-|whisper-|tts-|gpt-image)",
        ),
        ("anthropic", r"claude-"),
        ("google", r"(models/)?(gemini|text-embedding-00|gemini-embedding)"),
        ("mistral", r"(mistral|ministral|magistral|codestral|pixtral|devstral)-"),
        ("cohere", r"(command-|embed-(english|multilingual|v4)|rerank-)"),
        ("deepseek", r"deepseek-(chat|reasoner)$"),
        ("x-ai", r"grok-"),
        ("perplexity", r"sonar"),
        ("voyageai", r"(voyage|rerank-2)-"),
    )
)


def provider_of(told: str) -> str:
    """The one name of a provider, whatever spelling a tool used; '' stays ''."""
    plain = told.strip().lower()
    if plain in _PROVIDER_OF:
        return _PROVIDER_OF[plain]
    # `anthropic.messages`, `gcp.vertex.agent`: the company, then which of its APIs
    return _PROVIDER_OF.get(plain.partition(".")[0], plain)


@lru_cache(maxsize=4096)
def provider_of_model(model: str) -> str:
    """Whose model it is by its name alone; '' of a name that several serve, or nobody known.

    For records that name no provider. Open weights are served by many: they stay without.
    """
    plain = model.strip().lower()
    head, slash, _ = plain.partition("/")
    if slash and head in _PROVIDER_OF:
        return _PROVIDER_OF[head]
    return next((who for who, mark in _MODELS if mark.match(plain)), "")


def provider_of_url(url: str) -> str:
    """The provider that answers at an address or host name; '' when nobody known does."""
    try:
        host = (urlsplit(url if "//" in url else f"//{url}").hostname or "").lower()
    except ValueError:  # brackets around what is no address
        return ""
    for end, provider in _HOSTS:
        if host == end.removeprefix(".") or host.endswith(end if end[0] == "." else f".{end}"):
            return provider
    return ""
