"""Events of a stream, folded into the body that the same response would have without a stream.

So both are read by the same reader, and a stream cannot be billed otherwise than its response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallybook.meter.usage.bedrock import METRICS
from tallybook.meter.usage.figures import at, items, text


@dataclass(slots=True)
class Folded:
    """What the events so far make.

    Attributes:
        body: the response as far as it is known.
        others: further responses that ended on the same stream.
        ended: whether the event came that says the figures are final.
        chosen: whether a reason to finish was told.
        failed: whether an error came.
        placeholder: whether the figure of output is only a placeholder.
        grounding: what was searched for, so far.
        begun: whether anything came but errors.
    """

    body: dict[str, Any] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    chosen: bool = False
    failed: bool = False
    placeholder: bool = False
    grounding: dict[str, list[Any]] = field(default_factory=dict)
    begun: bool = False


_Take = Callable[[Folded, Mapping[str, Any]], None]


def fold(folded: Folded, event: Mapping[str, Any], name: str = "") -> None:
    """Take one event in.

    Args:
        folded: what the events before it make.
        event: its data, parsed.
        name: its type where the frame tells it and the data does not (Bedrock).
    """
    if event.get("error"):
        folded.failed = True
    kind = name or text(event.get("type")) or text(event.get("event_type"))
    known = _KINDS.get(kind)
    if known is None:
        known = _response if kind.startswith("response.") else _by_shape(event)
    known(folded, event)
    folded.begun |= known is not _failed and not event.get("error")
    if METRICS in event:
        folded.body[METRICS] = event[METRICS]
        folded.ended = True


def _by_shape(event: Mapping[str, Any]) -> _Take:
    for keys, known in _SHAPES:
        if not keys.isdisjoint(event):
            return known
    return _passed


def _passed(folded: Folded, event: Mapping[str, Any]) -> None:
    """An event that tells nothing of usage."""


def _told(folded: Folded, event: Mapping[str, Any]) -> None:
    folded.body.update((key, value) for key, value in event.items() if value is not None)


def _last(folded: Folded, event: Mapping[str, Any]) -> None:
    _told(folded, event)
    folded.ended = True


def _chat(folded: Folded, event: Mapping[str, Any]) -> None:
    """Chunks of Chat Completions: usage may be null, cumulative, or only in the last."""
    body = folded.body
    for key, value in event.items():
        if key == "choices":
            if value and any(one.get("finish_reason") for one in items(value)):
                folded.chosen = True
        elif value is not None:
            body[key] = value


def _message_start(folded: Folded, event: Mapping[str, Any]) -> None:
    message = event.get("message")
    if isinstance(message, dict):
        folded.body = dict(message)
        folded.placeholder = True


def _message_delta(folded: Folded, event: Mapping[str, Any]) -> None:
    """The figures so far: they replace those of the start, and are never added to them."""
    told = event.get("usage")
    if not isinstance(told, dict):
        return
    known = folded.body.get("usage")
    usage = dict(known) if isinstance(known, dict) else {}
    usage.update((key, value) for key, value in told.items() if value is not None)
    split = usage.get("cache_creation")
    if (
        "cache_creation_input_tokens" in told
        and "cache_creation" not in told
        and isinstance(split, dict)
        and _sum(split) != told["cache_creation_input_tokens"]
    ):
        del usage["cache_creation"]  # it split another figure, that of the start
    folded.body["usage"] = usage
    if told.get("output_tokens") is not None:
        folded.placeholder = False


def _sum(split: Mapping[str, Any]) -> int:
    return sum(one for one in split.values() if type(one) is int)


def _message_stop(folded: Folded, _: Mapping[str, Any]) -> None:
    folded.ended = True


_FINAL: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.done"}
)


def _response(folded: Folded, event: Mapping[str, Any]) -> None:
    """Responses and Realtime: only the last event of a response has its usage."""
    response = event.get("response")
    if not isinstance(response, dict):
        return
    if folded.ended and folded.body.get("id") != response.get("id"):
        folded.others.append(folded.body)
    folded.body = dict(response)
    folded.ended = text(event.get("type")) in _FINAL


def _beside(folded: Folded, event: Mapping[str, Any]) -> None:
    """An operation beside the response: Realtime's transcription of what was said."""
    folded.others.append(dict(event))


def _ending(folded: Folded, event: Mapping[str, Any]) -> None:
    """An event that is the whole answer: an image, a transcript."""
    if folded.ended and "usage" in folded.body:
        folded.others.append(folded.body)
    folded.body = dict(event)
    folded.ended = True


def _started(folded: Folded, event: Mapping[str, Any]) -> None:
    identity = text(event.get("id"))
    if identity:
        folded.body["id"] = identity


def _cohere_end(folded: Folded, event: Mapping[str, Any]) -> None:
    _started(folded, event)
    usage = at(event, ("delta", "usage"))
    held = event.get("response")
    if isinstance(usage, dict):
        folded.body["usage"] = usage
    elif isinstance(held, dict):  # the older API
        _told(folded, held)
    folded.ended = True


def _interaction(folded: Folded, event: Mapping[str, Any]) -> None:
    held = event.get("interaction")
    if isinstance(held, dict):
        _told(folded, held)
    folded.ended = text(event.get("event_type")).startswith("interaction.complete")


def _failed(folded: Folded, _: Mapping[str, Any]) -> None:
    folded.failed = True


def _gemini(folded: Folded, event: Mapping[str, Any]) -> None:
    """Chunks of Gemini: cumulative, so the last counts; the first may tell only the traffic."""
    body = folded.body
    for key in ("modelVersion", "responseId"):
        if event.get(key):
            body[key] = event[key]
    told = event.get("usageMetadata")
    if isinstance(told, dict):
        known = body.get("usageMetadata") or {}
        if any(key.endswith("TokenCount") for key in told):
            known = {key: known[key] for key in ("trafficType", "serviceTier") if key in known}
        body["usageMetadata"] = {**known, **told}
    for candidate in items(event.get("candidates")):
        if candidate.get("finishReason"):
            folded.chosen = folded.ended = True
        if isinstance(candidate.get("groundingMetadata"), dict):
            _ground(folded, candidate["groundingMetadata"])
    if at(event, ("promptFeedback", "blockReason")):
        folded.ended = True


def _ground(folded: Folded, found: Mapping[str, Any]) -> None:
    """Grounding so far: a query that is told again is the same query."""
    for key in ("webSearchQueries", "groundingChunks"):
        told = found.get(key)
        if isinstance(told, list):
            known = folded.grounding.setdefault(key, [])
            known += [one for one in told if one not in known]
    folded.body["candidates"] = [{"groundingMetadata": folded.grounding}]


def _live(folded: Folded, event: Mapping[str, Any]) -> None:
    if at(event, ("serverContent", "turnComplete")):
        folded.ended = True


def _nova(folded: Folded, event: Mapping[str, Any]) -> None:
    held = event["metadata"]
    if isinstance(held, dict) and "usage" in held:
        _last(folded, held)


def _ollama(folded: Folded, event: Mapping[str, Any]) -> None:
    if event.get("done") is True:
        _last(folded, event)
    elif "model" in event:
        folded.body["model"] = event["model"]


_KINDS: Final[dict[str, _Take]] = {
    "message_start": _message_start,
    "message_delta": _message_delta,
    "message_stop": _message_stop,
    "message-start": _started,
    "message-end": _cohere_end,
    "stream-end": _cohere_end,
    "transcript.text.done": _ending,
    "image_generation.completed": _ending,
    "image_edit.completed": _ending,
    "speech.audio.done": _ending,
    "conversation.item.input_audio_transcription.completed": _beside,
    "conversation.response.done": _last,
    "conversation.response.error": _failed,
    "interaction.start": _interaction,
    "interaction.complete": _interaction,
    "interaction.completed": _interaction,
    "error": _failed,
    "metadata": _last,  # ConverseStream
    "exception": _failed,
}

_SHAPES: Final[tuple[tuple[frozenset[str], _Take], ...]] = (  # the first of which a key is there
    (frozenset({"choices", "x_groq"}), _chat),
    (frozenset({"candidates", "usageMetadata", "promptFeedback"}), _gemini),
    (frozenset({"serverContent"}), _live),
    (frozenset({"done"}), _ollama),
    (frozenset({"metadata"}), _nova),
    (frozenset({METRICS, "prompt_token_count", "inputTextTokenCount", "usage"}), _told),
)
