"""How large a call can be, from the body of its request: never what it says, only how much."""

from __future__ import annotations

from collections.abc import Mapping
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
    speed: Any = None
    generationConfig: _Google | None = None  # noqa: N815 - the provider's name
    inferenceConfig: _Bedrock | None = None  # noqa: N815 - as above


_DECODER: Final = msgspec.json.Decoder(_Told)
_TIERS: Final = ("priority", "flex")
_FAST: Final = "fast"
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
    if not tier and told.speed == _FAST:
        tier = _FAST
    size = Size(
        input_tokens=len(body) + _FRAME if is_here else None,
        output_tokens=min(tokens * choices, _OUTPUT_MOST),
        is_stated=stated is not None,
        caches=b'"cache_control"' in body or b'"cachePoint"' in body,
        hears=b"audio" in body or b"AUDIO" in body,
        sees=b"image" in body or b"inlineData" in body,
    )
    return size, str(tier)


class Group(msgspec.Struct):
    """The requests of a batch for one model, together.

    ``most`` is the input of the largest: the price of a long context is that of a request.
    """

    size: Size
    requests: int = 0
    most: int = 0

    def with_one(self, one: Size) -> Group:
        """One request more."""
        held = self.size
        known = held.input_tokens is not None and one.input_tokens is not None
        size = Size(
            input_tokens=(held.input_tokens or 0) + (one.input_tokens or 0) if known else None,
            output_tokens=held.output_tokens + one.output_tokens,
            is_stated=held.is_stated and one.is_stated,
            caches=held.caches or one.caches,
            hears=held.hears or one.hears,
            sees=held.sees or one.sees,
        )
        return Group(size, self.requests + 1, max(self.most, one.input_tokens or 0))


class _Request(msgspec.Struct):
    """A request of a batch: a line of OpenAI's file, or one of those in Anthropic's body."""

    url: str = ""
    body: msgspec.Raw = msgspec.Raw()
    params: msgspec.Raw = msgspec.Raw()


class _Requests(msgspec.Struct):
    requests: list[_Request] = []


class _Model(msgspec.Struct):
    model: str = ""


_REQUEST: Final = msgspec.json.Decoder(_Request)
_REQUESTS: Final = msgspec.json.Decoder(_Requests)
_MODEL: Final = msgspec.json.Decoder(_Model)


def batched(
    groups: Mapping[str, Group], line: bytes, provider: str, output_tokens: int
) -> dict[str, Group]:
    """The requests of a batch by model, with those of one more line of its file.

    Args:
        groups: so far.
        line: of the file, or a whole body that holds the requests.
        provider: whose they are.
        output_tokens: what an answer has at most where a request does not say.

    Raises:
        ValueError: it is no request.
    """
    try:
        told = [_REQUEST.decode(line), *_REQUESTS.decode(line).requests]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("no request of a batch") from error
    found = dict(groups)
    for one in told:
        body = bytes(one.body) or bytes(one.params)
        if not body:
            continue
        model = _model_of(body)
        operation = one.url.rpartition("/")[2]
        operation = operation if operation in _NO_OUTPUT else "chat"
        asked = Asked(provider, "", operation, model, False, False, False)
        size, _ = sized(asked, body, output_tokens)
        held = found.get(model) or Group(Size(0, 0, is_stated=True))
        found[model] = held.with_one(size)
    if not found:
        raise ValueError("no request of a batch")
    return found


def _model_of(body: bytes) -> str:
    try:
        return _MODEL.decode(body).model
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("no request of a batch") from error


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
