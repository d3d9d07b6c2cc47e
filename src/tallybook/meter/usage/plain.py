"""The answers that are most of all traffic, read in one step: a plain chat, a plain message.

A gateway reads every answer that passes, and nearly all of them tell four figures in one known
place. Those are decoded into exactly that shape, without the text around it. Whatever an answer
holds beyond the shape (another key inside ``usage``, an envelope, figures that do not add up) makes
this reader stand back, and the whole reader decides. Where it does answer, it says what the whole
reader would: `tests/meter/usage/test_plain.py` holds both against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from tallybook.meter.providers import provider_of
from tallybook.meter.usage.body import FAULTS
from tallybook.meter.usage.conventions import CHAT_OF, request_id_names, tier_of
from tallybook.meter.usage.families import CHAT, MESSAGES, family_told
from tallybook.meter.usage.figures import FIGURE_MAX
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.meter.usage.places import model_in, region_in

_Count = Annotated[int, msgspec.Meta(ge=0, le=FIGURE_MAX)]
_Absent = Annotated[int, msgspec.Meta(gt=0, lt=0)] | UnsetType
"""A key that leaves the plain shape wherever it stands: no value of it can be decoded."""

_Told = tuple[dict[str, int | None], str, str]
"""Tokens by class, the tier and the region, as far as the body tells them."""
_T = TypeVar("_T", bound="_Body")

Reader = Callable[[bytes, Mapping[str, str]], UsageReading | None]
"""Reads a body with the headers of its answer (names in lower case); None where it stands back."""


class _InDetails(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    cached_tokens: _Count | None = None
    cache_write_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    image_tokens: _Count | None = None


class _OutDetails(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    reasoning_tokens: _Count | None = None
    audio_tokens: _Count | None = None
    image_tokens: _Count | None = None
    accepted_prediction_tokens: _Count | None = None
    rejected_prediction_tokens: _Count | None = None


class _ChatUsage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    prompt_tokens: _Count
    completion_tokens: _Count
    total_tokens: _Count
    prompt_tokens_details: _InDetails | None = None
    completion_tokens_details: _OutDetails | None = None
    prompt_cache_hit_tokens: _Count | None = None
    prompt_cache_miss_tokens: _Count | None = None


class _Body(msgspec.Struct, gc=False, kw_only=True):
    """What every plain answer may hold, and the keys of envelopes, which none does."""

    id: str | None = None
    model: str | None = None
    custom_id: _Absent = UNSET
    recordId: _Absent = UNSET  # noqa: N815 - as it is sent
    response: _Absent = UNSET
    message: _Absent = UNSET
    interaction: _Absent = UNSET


class _Chat(_Body, gc=False, kw_only=True):
    usage: _ChatUsage
    object: str | None = None
    service_tier: str | None = None
    usage_breakdown: _Absent = UNSET
    type: _Absent = UNSET
    data: _Absent = UNSET


class _Lives(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    ephemeral_5m_input_tokens: _Count
    ephemeral_1h_input_tokens: _Count


class _MessageUsage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    input_tokens: _Count
    output_tokens: _Count
    cache_creation_input_tokens: _Count | None = None
    cache_read_input_tokens: _Count | None = None
    cache_creation: _Lives | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    server_tool_use: None = None


class _Message(_Body, gc=False, kw_only=True):
    usage: _MessageUsage
    type: str | None = None
    service_tier: _Absent = UNSET
    object: _Absent = UNSET


_CHAT: Final = msgspec.json.Decoder(_Chat)
_MESSAGE: Final = msgspec.json.Decoder(_Message)
_CHAT_OBJECTS: Final = frozenset({None, "chat.completion", "text_completion"})
_CLOUDS: Final = frozenset({"aws", "google"})  # bodies are wrapped there
_SPILLED: Final = "x-ms-is-spilled-over"


_names: Final = lru_cache(maxsize=64)(request_id_names)
_tier_of: Final = lru_cache(maxsize=64)(tier_of)


@lru_cache(maxsize=512)
def plain_reader(provider: str, endpoint: str, model: str = "") -> Reader | None:
    """How plain answers of an endpoint are read; None where none are known.

    Args:
        provider: who answers, in any spelling.
        endpoint: the path.
        model: what was asked for.
    """
    name = provider_of(provider)
    family = family_told(name, endpoint)
    asked = model or model_in(endpoint)
    if name in _CLOUDS:
        return None
    if family is CHAT and name not in CHAT_OF:
        return _reader(_CHAT, _chat, name, endpoint, asked)
    if family is MESSAGES and name == "anthropic":
        return _reader(_MESSAGE, _message, name, endpoint, asked)
    return None


def _reader(
    decoder: msgspec.json.Decoder[_T],
    told_in: Callable[[_T, Mapping[str, str]], _Told | None],
    provider: str,
    endpoint: str,
    asked: str,
) -> Reader:
    """A reader of one shape; ``told_in`` says what a body tells that was decoded into it."""
    decode, request_ids = decoder.decode, _names(provider)

    def read(body: bytes, headers: Mapping[str, str]) -> UsageReading | None:
        try:
            shape = decode(body)
        except FAULTS:
            return None
        told = told_in(shape, headers)
        if told is None:
            return None
        tokens, tier, region = told
        served = shape.model or ""
        request_id = None
        for name in request_ids:
            request_id = headers.get(name)
            if request_id:
                break
        return UsageReading(
            provider,
            served,
            "reported",
            (Part(served or asked, tokens),),
            "ok",
            shape.id or "",
            request_id or "",
            tier,
            region or region_in(endpoint, headers),
        )

    return read


def _chat(told: _Chat, headers: Mapping[str, str]) -> _Told | None:
    if told.object not in _CHAT_OBJECTS or _SPILLED in headers:
        return None
    tokens = _chat_tokens(told.usage)
    tier = _tier_of(told.service_tier) if told.service_tier else ""
    return None if tokens is None else (tokens, tier, "")


def _chat_tokens(usage: _ChatUsage) -> dict[str, int | None] | None:
    """Disjoint tokens; None where there is sound, or pictures, or the figures do not add up."""
    rest, output = usage.prompt_tokens, usage.completion_tokens
    if usage.total_tokens != rest + output:
        return None
    tokens: dict[str, int | None] = {"output": output}
    beside, inside = usage.completion_tokens_details, usage.prompt_tokens_details
    if beside is not None:
        thought = beside.reasoning_tokens
        if beside.audio_tokens or beside.image_tokens or (thought or 0) > output:
            return None
        if thought is not None:
            tokens["reasoning"] = thought
    read, write = usage.prompt_cache_hit_tokens, None
    if inside is not None:
        if inside.audio_tokens or inside.image_tokens:
            return None
        write = inside.cache_write_tokens
        if inside.cached_tokens is not None:
            read = inside.cached_tokens
    if read is not None:
        tokens["cache_read"] = read
        rest -= read
    if write is not None:
        tokens["cache_write"] = write
        rest -= write
    tokens["input_uncached"] = rest
    return tokens if rest >= 0 else None


def _message(told: _Message, _headers: Mapping[str, str]) -> _Told | None:
    if told.type != "message":
        return None
    usage = told.usage
    tokens: dict[str, int | None] = {"output": usage.output_tokens}
    written, lives = usage.cache_creation_input_tokens, usage.cache_creation
    if lives is not None:
        five, hour = lives.ephemeral_5m_input_tokens, lives.ephemeral_1h_input_tokens
        if written != five + hour:
            return None
        tokens["cache_write_5m"], tokens["cache_write_1h"] = five, hour
    elif written is not None:
        tokens["cache_write"] = written
    if usage.cache_read_input_tokens is not None:
        tokens["cache_read"] = usage.cache_read_input_tokens
    tokens["input_uncached"] = usage.input_tokens
    tier = _tier_of(usage.service_tier) if usage.service_tier else ""
    geo = usage.inference_geo
    return tokens, tier, geo if geo and geo != "not_available" else ""
