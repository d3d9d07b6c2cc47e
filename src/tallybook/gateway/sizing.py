"""How large a call can be, from the body of its request: never what it says, only how much."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tallybook.budget.bound import Size
from tallybook.sdk.asked import Asked

_FRAME: Final = 512
"""Tokens that a provider may add around a request: roles, separators, tool preambles."""
_ELSEWHERE: Final = (
    b'"previous_response_id"', b'"conversation"', b'"file_id"', b'"file_data"', b'"fileUri"',
    b'"image_url"', b'"s3Location"', b'"cached_content"', b'"cachedContent"', b'"prompt_id"',
    b'"type":"url"', b'"type": "url"', b'"container"', b'"mcp_servers"', b'"vector_store_ids"',
    b'"document"', b"/pdf",
)  # fmt: skip
"""Marks of input that is not in the body, or packed in it: its bytes bound nothing. A page of a PDF
is some hundred bytes and thousands of tokens."""
_NO_OUTPUT: Final = frozenset({"embeddings", "rerank"})
_BY_TOKENS: Final = frozenset(
    {"chat", "completions", "responses", "messages", "converse", "invoke", "generate",
     "embeddings", "rerank", "conversations"}
)  # fmt: skip
"""Operations whose cost is that of tokens; others are billed by what their request does not say."""


class _Google(msgspec.Struct):
    maxOutputTokens: Any = None  # noqa: N815 - the provider's name
    candidateCount: Any = None  # noqa: N815 - as above


class _Bedrock(msgspec.Struct):
    maxTokens: Any = None  # noqa: N815 - the provider's name


class _Told(msgspec.Struct):
    """The keys that bound an answer, whoever's API it is."""

    max_tokens: Any = None
    max_completion_tokens: Any = None
    max_output_tokens: Any = None
    max_tokens_to_sample: Any = None
    max_gen_len: Any = None
    n: Any = None
    best_of: Any = None
    service_tier: Any = None
    generationConfig: _Google | None = None  # noqa: N815 - the provider's name
    inferenceConfig: _Bedrock | None = None  # noqa: N815 - as above


_DECODER: Final = msgspec.json.Decoder(_Told)
_TIERS: Final = ("priority", "flex")
_OUTPUT_MOST: Final = 100_000_000
"""Tokens: no model answers more to one call, whatever number its caller states."""


def sized(asked: Asked, body: bytes, output_tokens: int) -> tuple[Size, str]:
    """How large a call can be, and the tier that it asks for ('' for the usual one).

    Args:
        asked: what it asks for.
        body: of the request, whole.
        output_tokens: what an answer has at most where the request does not say.
    """
    told = _told(body)
    stated = _stated(told)
    if stated is None and told.generationConfig is not None:
        stated = _whole(told.generationConfig.maxOutputTokens)
    if stated is None and told.inferenceConfig is not None:
        stated = _whole(told.inferenceConfig.maxTokens)
    choices = 1
    if told.n is not None or told.best_of is not None:
        choices = max(_whole(told.n) or 1, _whole(told.best_of) or 1)
    if told.generationConfig is not None:
        choices = max(choices, _whole(told.generationConfig.candidateCount) or 1)
    tokens = output_tokens if stated is None else stated
    if asked.operation in _NO_OUTPUT:
        tokens, stated = 0, 0
    is_here = asked.operation in _BY_TOKENS and not _has_more(body)
    tier = told.service_tier if told.service_tier in _TIERS else ""
    size = Size(
        input_tokens=len(body) + _FRAME if is_here else None,
        output_tokens=min(tokens * choices, _OUTPUT_MOST),
        is_stated=stated is not None,
        caches=b'"cache_control"' in body or b'"cachePoint"' in body,
        hears=b"audio" in body or b"AUDIO" in body,
        sees=b"image" in body or b"inlineData" in body,
    )
    return size, str(tier)


def with_model(body: bytes, model: str) -> bytes:
    """The same request for another model; all else stays as it was.

    Raises:
        ValueError: the body is no JSON object that names a model.
    """
    fields: dict[str, msgspec.Raw] = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    if "model" not in fields:
        raise ValueError("the model does not stand in the body")
    fields["model"] = msgspec.Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)


def _told(body: bytes) -> _Told:
    try:
        return _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Told()


def _has_more(body: bytes) -> bool:
    """Whether something that is billed stands elsewhere; a loop, for it is run for every call."""
    for mark in _ELSEWHERE:  # noqa: SIM110 - a generator costs as much again as the search
        if mark in body:
            return True
    return False


def _stated(told: _Told) -> int | None:
    for count in (
        told.max_completion_tokens,
        told.max_output_tokens,
        told.max_tokens,
        told.max_tokens_to_sample,
        told.max_gen_len,
    ):
        if type(count) is int and count >= 0:
            return count
    return None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
