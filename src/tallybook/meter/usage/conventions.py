"""Every provider's way of counting: the one place that knows what a figure includes.

A table, so that it can be checked against a provider's page line by line (`docs/usage.md`). Which
convention a response follows is decided by `families`; what to do with one, by `convention`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tallybook.meter.usage.convention import Convention
from tallybook.meter.usage.figures import Path, Paths


def _in(groups: tuple[str, ...], name: str) -> Paths:
    return tuple((group, name) for group in groups)


_PROMPT: Final = ("prompt_tokens_details",)
_COMPLETION: Final = ("completion_tokens_details",)

CHAT: Final = Convention(
    "OpenAI Chat Completions",
    input=(("prompt_tokens",),),
    output=(("completion_tokens",),),
    total=(("total_tokens",),),
    cache_read=(
        ("prompt_tokens_details", "cached_tokens"),
        ("prompt_cache_hit_tokens",),  # DeepSeek tells it twice
        ("num_cached_tokens",),  # Mistral
        ("cached_tokens",),  # Together, Moonshot
        ("cached_prompt_text_tokens",),  # xAI, older
        ("cache_read_input_tokens",),  # gateways that add Anthropic's names
    ),
    cache_write=(
        ("prompt_tokens_details", "cache_write_tokens"),
        ("prompt_tokens_details", "cache_creation_tokens"),
        ("cache_creation_input_tokens",),
    ),
    writes=(
        ("cache_write_30m", (*_PROMPT, "cache_write_tokens_details", "ttl_30m_tokens")),
        ("cache_write_12h", (*_PROMPT, "cache_write_tokens_details", "ttl_12h_tokens")),
    ),
    audio_input=(("prompt_tokens_details", "audio_tokens"), ("audio_prompt_tokens",)),
    image_input=(("prompt_tokens_details", "image_tokens"),),
    cached_audio=((*_PROMPT, "cached_tokens_details", "audio_tokens"),),
    cached_image=((*_PROMPT, "cached_tokens_details", "image_tokens"),),
    audio_output=(("completion_tokens_details", "audio_tokens"),),
    image_output=(("completion_tokens_details", "image_tokens"),),
    reasoning=(("completion_tokens_details", "reasoning_tokens"), ("reasoning_tokens",)),
)
CHAT_REASONING_BESIDE: Final = replace(CHAT, name="xAI chat", thought="beside")
CHAT_THINKING_HIDDEN: Final = replace(CHAT, name="Gemini, OpenAI-compatible", thought="hidden")
CHAT_PERPLEXITY: Final = replace(
    CHAT,
    name="Perplexity",
    reasoning=(("reasoning_tokens",),),  # the total leaves them out, and they are billed
    beside_output=(("citation_tokens",),),
    thought="beside",
    total=(),
)
CHAT_CONNECTORS: Final = replace(CHAT, name="Mistral", beside_input=(("connector_tokens",),))
TOTAL_ONLY: Final = Convention(
    "embeddings", input=(("prompt_tokens",), ("input_tokens",)), total=(("total_tokens",),)
)

_INPUT: Final = ("input_tokens_details", "input_token_details")
_OUTPUT: Final = ("output_tokens_details", "output_token_details")


def _ttl(name: str) -> Path:
    return ("input_tokens_details", "cache_write_tokens_details", name)


RESPONSES: Final = Convention(
    "OpenAI Responses, images, transcription, realtime",
    input=(("input_tokens",),),
    output=(("output_tokens",),),
    total=(("total_tokens",),),
    cache_read=(
        *_in(_INPUT, "cached_tokens"),
        ("input_tokens_details", "cache_read_input_tokens"),  # Perplexity
    ),
    cache_write=(("input_tokens_details", "cache_write_tokens"),),
    writes=(
        ("cache_write_30m", _ttl("ttl_30m_tokens")),
        ("cache_write_12h", _ttl("ttl_12h_tokens")),
    ),
    audio_input=_in(_INPUT, "audio_tokens"),
    image_input=_in(_INPUT, "image_tokens"),
    cached_audio=tuple((group, "cached_tokens_details", "audio_tokens") for group in _INPUT),
    cached_image=tuple((group, "cached_tokens_details", "image_tokens") for group in _INPUT),
    audio_output=_in(_OUTPUT, "audio_tokens"),
    image_output=_in(_OUTPUT, "image_tokens"),
    reasoning=_in(_OUTPUT, "reasoning_tokens"),
)

ANTHROPIC: Final = Convention(
    "Anthropic Messages",
    input=(("input_tokens",),),
    output=(("output_tokens",),),
    cache="beside",
    cache_read=(("cache_read_input_tokens",),),
    cache_write=(("cache_creation_input_tokens",),),
    writes=(
        ("cache_write_5m", ("cache_creation", "ephemeral_5m_input_tokens")),
        ("cache_write_1h", ("cache_creation", "ephemeral_1h_input_tokens")),
    ),
    reasoning=(("output_tokens_details", "thinking_tokens"),),
)

CONVERSE: Final = Convention(
    "Bedrock Converse, Nova",
    input=(("inputTokens",),),
    output=(("outputTokens",),),
    cache="beside",
    # The wire repeats each cache count under a second name: no extra tokens.
    cache_read=(("cacheReadInputTokens",), ("cacheReadInputTokenCount",)),
    cache_write=(("cacheWriteInputTokens",), ("cacheWriteInputTokenCount",)),
    writes=(
        ("cache_write_5m", ("cacheDetails", "5m")),
        ("cache_write_1h", ("cacheDetails", "1h")),
    ),
)
INVOCATION_METRICS: Final = Convention(
    "Bedrock invocation metrics and headers",
    input=(("inputTokenCount",),),
    output=(("outputTokenCount",),),
    cache="beside",
    cache_read=(("cacheReadInputTokenCount",),),
    cache_write=(("cacheWriteInputTokenCount",),),
)
LLAMA: Final = Convention(
    "Llama on Bedrock",
    input=(("prompt_token_count",),),
    output=(("generation_token_count",),),
)
TITAN: Final = Convention(
    "Titan on Bedrock",
    input=(("inputTextTokenCount",), ("inputTokenCount",)),
    output=(("outputTokenCount",),),
)
TITAN_EMBEDDING: Final = Convention("Titan embeddings", input=(("inputTextTokenCount",),))

GEMINI: Final = Convention(
    "Gemini and Vertex",
    input=(("promptTokenCount",),),
    output=(("candidatesTokenCount",), ("responseTokenCount",)),  # the latter: Live
    total=(("totalTokenCount",),),
    beside_input=(("toolUsePromptTokenCount",),),
    cache_read=(("cachedContentTokenCount",),),
    audio_input=(("promptTokensDetails", "AUDIO"),),
    image_input=(("promptTokensDetails", "IMAGE"),),
    cached_audio=(("cacheTokensDetails", "AUDIO"),),
    cached_image=(("cacheTokensDetails", "IMAGE"),),
    audio_output=(("candidatesTokensDetails", "AUDIO"),),
    image_output=(("candidatesTokensDetails", "IMAGE"),),
    reasoning=(("thoughtsTokenCount",),),
    thought="beside",
)
GEMINI_EMBEDDING: Final = replace(GEMINI, name="Gemini embeddings", output=(), reasoning=())
INTERACTIONS: Final = Convention(
    "Gemini Interactions",
    input=(("total_input_tokens",),),
    output=(("total_output_tokens",),),
    total=(("total_tokens",),),
    beside_input=(("total_tool_use_tokens",),),
    cache_read=(("total_cached_tokens",),),
    reasoning=(("total_thought_tokens",), ("total_reasoning_tokens",)),
    thought="beside",
)

COHERE: Final = Convention(
    "Cohere billed units",
    input=(("input_tokens",),),
    output=(("output_tokens",),),
)
OLLAMA: Final = Convention(
    "Ollama",
    input=(("prompt_eval_count",),),
    output=(("eval_count",),),
)
OLLAMA_EMBEDDING: Final = replace(OLLAMA, name="Ollama embeddings", output=())

CHAT_OF: Final = {
    "x-ai": CHAT_REASONING_BESIDE,
    "google": CHAT_THINKING_HIDDEN,
    "perplexity": CHAT_PERPLEXITY,
    "mistral": CHAT_CONNECTORS,
    "voyageai": TOTAL_ONLY,
}
"""The providers whose Chat Completions count otherwise than OpenAI's."""

_TIERS: Final = {
    "default": "standard",
    "on_demand": "standard",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
    "on_demand_offpeak": "offpeak",
    "provisioned_throughput": "provisioned",
    "service_tier_unspecified": "",
    "traffic_type_unspecified": "",
    "auto": "",  # what was asked for, not what was served
}


def tier_of(told: object) -> str:
    """The tier that was served, under one name for all providers; '' if it is not told."""
    if type(told) is not str:
        return ""
    plain = told.lower()
    return _TIERS.get(plain, plain)


_REQUEST_ID: Final = {
    "azure": ("apim-request-id", "x-request-id"),
    "anthropic": ("request-id",),
    "aws": ("x-amzn-requestid",),
    "google": ("x-goog-request-id",),
}
_ANY_REQUEST_ID: Final = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid")


def request_id_names(provider: str) -> tuple[str, ...]:
    """The headers that may hold the provider's id of a request, the first one first."""
    return (*_REQUEST_ID.get(provider, ()), *_ANY_REQUEST_ID)


UNITS: Final = {
    # OpenAI, Anthropic
    "web_search_requests": "web_search",
    "code_execution_requests": "code_execution",
    # xAI
    "web_search_calls": "web_search",
    "x_search_calls": "social_search",
    "code_interpreter_calls": "code_execution",
    "file_search_calls": "file_search",
    "num_sources_used": "search_source",
    # Perplexity
    "num_search_queries": "web_search",
    # Cohere
    "search_units": "rerank_search",
    "classifications": "classification",
    # Mistral
    "pages_processed": "page",
    "web_search": "web_search",
    "web_search_premium": "web_search_premium",
    "code_interpreter": "code_execution",
    "image_generation": "image",
    "document_library": "file_search",
    # Bedrock guardrails
    "topicPolicyUnits": "guardrail_topic_unit",
    "contentPolicyUnits": "guardrail_content_unit",
    "contentPolicyImageUnits": "guardrail_content_image_unit",
    "wordPolicyUnits": "guardrail_word_unit",
    "sensitiveInformationPolicyUnits": "guardrail_sensitive_unit",
    "contextualGroundingPolicyUnits": "guardrail_grounding_unit",
    "automatedReasoningPolicyUnits": "guardrail_reasoning_unit",
}
"""A provider's count to our unit; names that the price lists have are theirs.

`sensitiveInformationPolicyFreeUnits` and `web_fetch_requests` are left out: they are free.
"""
