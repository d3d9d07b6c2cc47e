"""Which API answered: told by provider and endpoint, else seen in the shape of the body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tallybook.meter.usage.anthropic import read_messages
from tallybook.meter.usage.bedrock import METRICS, read_converse, read_invoke
from tallybook.meter.usage.draft import Draft
from tallybook.meter.usage.figures import text
from tallybook.meter.usage.gemini import read_gemini, read_interactions
from tallybook.meter.usage.openai import (
    read_chat,
    read_images,
    read_moderation,
    read_responses,
    read_speech,
    read_transcription,
)
from tallybook.meter.usage.others import read_cohere, read_ocr, read_ollama


@dataclass(frozen=True, slots=True)
class Family:
    """One form of response.

    Attributes:
        name: as a note names it.
        read: takes what a body tells into the draft.
        marks: keys of a ``usage`` object by which the form is known; () for any.
        under: where the form keeps its ``usage``; '' in the body itself.
    """

    name: str
    read: Callable[[Mapping[str, Any], Draft], None]
    marks: frozenset[str] = frozenset()
    under: str = "usage"

    def knows(self, body: Mapping[str, Any]) -> bool:
        """Whether a body could be of this form."""
        held = body.get(self.under) if self.under else body
        if not self.marks or held is None:
            return True
        return isinstance(held, dict) and not self.marks.isdisjoint(held)


def _marks(names: str) -> frozenset[str]:
    return frozenset(names.split())


CHAT: Final = Family(
    "chat", read_chat, _marks("prompt_tokens completion_tokens total_tokens prompt_audio_seconds")
)
RESPONSES: Final = Family("responses", read_responses, _marks("input_tokens output_tokens"))
IMAGES: Final = Family("images", read_images)
TRANSCRIPTION: Final = Family("transcription", read_transcription)
SPEECH: Final = Family("speech", read_speech)
MODERATION: Final = Family("moderation", read_moderation)
MESSAGES: Final = Family("messages", read_messages, _marks("input_tokens output_tokens"))
CONVERSE: Final = Family("converse", read_converse)
INVOKE: Final = Family("invoke", read_invoke)
GEMINI: Final = Family("gemini", read_gemini, under="usageMetadata")
INTERACTIONS: Final = Family(
    "interactions", read_interactions, _marks("total_input_tokens total_output_tokens")
)
COHERE: Final = Family("cohere", read_cohere, _marks("billed_units tokens"))
OLLAMA: Final = Family("ollama", read_ollama, under="")
OCR: Final = Family("ocr", read_ocr, under="usage_info")

_ENDPOINTS: Final = (  # what stands in an endpoint, the first that fits, and its form
    (r"chat[./]?completions?|^completions?$|/completions|fim|agents/", CHAT),
    (r"converse|guardrail", CONVERSE),
    (r"invoke", INVOKE),
    (r"interactions", INTERACTIONS),
    (r"rawpredict|messages|^anthropic$", MESSAGES),
    (r"generatecontent|embedcontent|cachedcontents|predict|bidi", GEMINI),
    (r"transcri|translations", TRANSCRIPTION),
    (r"audio/speech|^speech$|^tts$", SPEECH),
    (r"image", IMAGES),
    (r"moderation", MODERATION),
    (r"/api/(generate|chat|embed)", OLLAMA),
    (r"ocr", OCR),
    (r"responses|realtime", RESPONSES),
)
_OF_PROVIDER: Final = {
    "anthropic": MESSAGES,
    "cohere": COHERE,
    "google": GEMINI,
    "ollama": OLLAMA,
}
_ANTHROPIC_ONLY: Final = _marks(
    "cache_creation_input_tokens cache_read_input_tokens cache_creation server_tool_use iterations"
    " inference_geo"
)
_RESPONSES_ONLY: Final = _marks(
    "total_tokens input_tokens_details input_token_details output_tokens_details seconds"
)


@lru_cache(maxsize=1024)
def family_told(provider: str, endpoint: str) -> Family | None:
    """The form that a provider's endpoint answers in; None where they do not settle it."""
    plain = endpoint.lower()
    if provider == "cohere" and "completions" not in plain:
        return COHERE  # its paths are named as others' are, and its bodies are not
    for pattern, family in _ENDPOINTS:
        if re.search(pattern, plain):
            return family
    return None


def family_of(provider: str, endpoint: str, body: Mapping[str, Any]) -> Family | None:
    """The form of a body: as told if the body can be of it, else by its shape; None if unknown."""
    told = family_told(provider, endpoint)
    usage = body.get("usage")
    if told is not None and told.knows(body):
        if told is not MESSAGES and told is not RESPONSES:
            return told
        if usage is not None or not _elsewhere(body):
            return _settled(told, usage)
    return family_seen(provider, body)


def _elsewhere(body: Mapping[str, Any]) -> bool:
    """Whether a body without ``usage`` keeps its figures under another name."""
    return "usageMetadata" in body or "prompt_eval_count" in body or METRICS in body


def _settled(told: Family, usage: object) -> Family:
    """Messages and Responses name their figures alike and count them otherwise."""
    if not isinstance(usage, dict):
        return told
    if told is MESSAGES and "input_tokens_details" in usage and _ANTHROPIC_ONLY.isdisjoint(usage):
        return RESPONSES
    if told is RESPONSES and _RESPONSES_ONLY.isdisjoint(usage):
        return told if _ANTHROPIC_ONLY.isdisjoint(usage) else MESSAGES
    return told


def family_seen(provider: str, body: Mapping[str, Any]) -> Family | None:  # noqa: PLR0911 - a list of shapes, in order
    """The form that a body shows by its keys; None if nobody knows it."""
    if "usageMetadata" in body or "candidates" in body or "predictions" in body:
        return GEMINI
    usage = body.get("usage")
    if isinstance(usage, dict):
        return _of_usage(provider, body, usage)
    if METRICS in body or "prompt_token_count" in body or "inputTextTokenCount" in body:
        return INVOKE
    if "prompt_eval_count" in body or "eval_count" in body or "done" in body:
        return OLLAMA
    if "usage_info" in body:
        return OCR
    if isinstance(body.get("meta"), dict) and "billed_units" in body["meta"]:
        return COHERE
    if "choices" in body or text(body.get("object")).startswith("chat.completion"):
        return CHAT
    if body.get("object") == "response":
        return RESPONSES
    if provider == "aws":
        return INVOKE  # its headers may tell what its body does not
    return _OF_PROVIDER.get(provider)


_SHAPES: Final = (  # keys of a ``usage`` object, the first of which one is there, and its form
    (_marks("prompt_tokens completion_tokens"), CHAT),
    (_marks("inputTokens outputTokens topicPolicyUnits contentPolicyUnits"), CONVERSE),
    (_marks("total_input_tokens total_output_tokens"), INTERACTIONS),
    (_marks("billed_units"), COHERE),
    (_marks("seconds"), TRANSCRIPTION),
    (_marks("total_tokens"), CHAT),
)


def _of_usage(provider: str, body: Mapping[str, Any], usage: Mapping[str, Any]) -> Family | None:
    if "prompt_tokens" not in usage and ("input_tokens" in usage or "output_tokens" in usage):
        if isinstance(body.get("data"), list):
            return IMAGES
        messages = INVOKE if provider == "aws" else MESSAGES
        if not _ANTHROPIC_ONLY.isdisjoint(usage) or body.get("type") == "message":
            return messages
        is_bare = _RESPONSES_ONLY.isdisjoint(usage)
        return messages if is_bare and provider in {"anthropic", "aws"} else RESPONSES
    for marks, family in _SHAPES:
        if not marks.isdisjoint(usage):
            return family
    return COHERE if provider == "cohere" else None


def body_of_usage(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """A body that holds nothing but a ``usage`` object, where its form keeps it."""
    if "promptTokenCount" in usage or "totalTokenCount" in usage or "candidatesTokenCount" in usage:
        return {"usageMetadata": usage}
    if "prompt_eval_count" in usage or "eval_count" in usage or "usageMetadata" in usage:
        return usage
    if "pages_processed" in usage:
        return {"usage_info": usage}
    if "inputTokenCount" in usage or "outputTokenCount" in usage:
        return {METRICS: usage}
    if "prompt_token_count" in usage or "inputTextTokenCount" in usage:
        return usage
    return {"usage": usage}
