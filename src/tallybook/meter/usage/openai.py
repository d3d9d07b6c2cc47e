"""OpenAI's APIs and those in their shape: chat, responses, embeddings, images, audio, realtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.meter.usage.conventions import CHAT, CHAT_OF, RESPONSES, TOTAL_ONLY
from tallybook.meter.usage.draft import Draft, units_of
from tallybook.meter.usage.figures import (
    at,
    count,
    dollars,
    dollars_of_ticks,
    items,
    milliseconds,
    text,
)

_RUNNING: Final = frozenset({"queued", "in_progress"})
_OF_OPENAI: Final = frozenset({"openai", "azure"})
_IMAGE_MODEL: Final = "image_generation"
_NO_OUTPUT: Final = frozenset({"embedding", "list"})


def read_chat(body: Mapping[str, Any], draft: Draft) -> None:
    """Chat Completions and completions of any provider; embeddings too."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        usage = at(body, ("x_groq", "usage"))
        if not isinstance(usage, dict):
            return
    how = CHAT_OF.get(draft.provider, CHAT)
    if text(body.get("object")) in _NO_OUTPUT and isinstance(body.get("data"), list):
        how = TOTAL_ONLY
    tokens = draft.tokens(usage, how)
    units = _units(usage)
    _cost(usage, draft)
    rows = items(at(body, ("usage_breakdown", "models")))
    if rows and tokens and _by_model(rows, tokens, draft):
        return
    draft.add(tokens, units)


def _units(usage: Mapping[str, Any]) -> dict[str, int | None]:
    """What a chat response counts besides tokens."""
    units = units_of(usage)
    for told in ("connectors", "server_side_tool_usage_details", "server_tool_use"):
        if isinstance(usage.get(told), dict):
            units |= units_of(usage[told])
    seconds = usage.get("prompt_audio_seconds")
    if seconds and not isinstance(seconds, dict):
        units["audio_ms"] = milliseconds(seconds, "prompt_audio_seconds")
    return units


def _cost(usage: Mapping[str, Any], draft: Draft) -> None:
    """A cost that the response states itself: evidence."""
    stated = usage.get("cost")
    if isinstance(stated, dict):
        stated = stated.get("total_cost")  # Perplexity
    amount = dollars(stated) if stated is not None else ""
    if not amount and "cost_in_usd_ticks" in usage:
        amount = dollars_of_ticks(usage["cost_in_usd_ticks"])
    if amount:
        draft.cost = (amount, "USD")
        if usage.get("is_byok") is True:
            draft.notes.append("the key is the customer's own: the cost is the router's fee only")


def _by_model(rows: list[Mapping[str, Any]], whole: Mapping[str, int | None], draft: Draft) -> bool:
    """Groq compound: one part for each model, if its rows are parts of the whole.

    In a stream every row repeats the whole; adding them up would bill it several times.
    """
    told = [
        (text(row.get("model")), draft.tokens(usage, CHAT))
        for row in rows
        if isinstance(usage := row.get("usage"), dict)
    ]
    if sum(_size(tokens) for _, tokens in told) != _size(whole):
        draft.notes.append(
            f"usage_breakdown has {len(rows)} rows that do not add up to the usage: the usage is"
            " taken, at the model of the response"
        )
        return False
    for model, tokens in told:
        draft.add(tokens, model=model)
    return True


def _size(tokens: Mapping[str, int | None] | None) -> int:
    return sum(number or 0 for name, number in (tokens or {}).items() if name != "reasoning")


def read_responses(body: Mapping[str, Any], draft: Draft) -> None:
    """The Responses API, also in the background; xAI's, OpenRouter's and Perplexity's too."""
    usage = body.get("usage")
    if text(body.get("status")) in _RUNNING:
        draft.notes.append("the response is still running: read it again by its id when it ends")
    if body.get("status") == "failed":
        draft.status = "error"
    units: dict[str, int | None] = {}
    tokens = None
    if isinstance(usage, dict):
        tokens = draft.tokens(usage, RESPONSES)
        units = _units(usage)
        _cost(usage, draft)
        searched = count(
            at(usage, ("tool_calls_details", "search_web", "invocation")), "search_web"
        )
        units |= {"web_search": searched} if searched else {}
    if draft.provider in _OF_OPENAI:
        units |= _tools(body, draft)
    draft.add(tokens, units)
    _made_images(body, draft)


def _tools(body: Mapping[str, Any], draft: Draft) -> dict[str, int | None]:
    """Fees by the call: searches as billed, files searched, containers (not calls in them)."""
    output = items(body.get("output"))
    told = at(body, ("tool_usage", "web_search", "num_requests"))
    if told is None:
        searches = sum(
            one.get("type") == "web_search_call"
            and text(at(one, ("action", "type"))) in {"search", ""}
            for one in output
        )
    else:
        searches = count(told, "tool_usage.web_search.num_requests") or 0
    if searches:
        draft.extras["web_search_calls"] = searches
    files = sum(one.get("type") == "file_search_call" for one in output)
    ran = [one for one in output if one.get("type") == "code_interpreter_call"]
    containers = len({text(one.get("container_id")) for one in ran})
    found = {"web_search": searches, "file_search": files, "container": containers}
    return {name: number for name, number in found.items() if number}


def _made_images(body: Mapping[str, Any], draft: Draft) -> None:
    """Images made by a tool: not inside ``usage``, and at another model's price."""
    usage = at(body, ("tool_usage", "image_gen"))
    if not isinstance(usage, dict):
        return
    tokens = draft.tokens(usage, RESPONSES)
    if not _size(tokens):
        return
    models = [one.get("model") for one in items(body.get("tools")) if "image" in str(one)]
    model = next((text(one) for one in models if text(one)), "")
    if not model:
        draft.notes.append("the response does not say which model made the image")
    draft.add(tokens, model=model or _IMAGE_MODEL, operation="image_generation")


def read_images(body: Mapping[str, Any], draft: Draft) -> None:
    """Images: tokens where the model counts them, else so many images."""
    usage = body.get("usage")
    tokens = draft.tokens(usage, RESPONSES) if isinstance(usage, dict) else None
    if tokens is None:
        made = len(items(body.get("data")))
        draft.add(None, {"image": made} if made else None)
        return
    if not any(key.startswith("output_token") and key.endswith("details") for key in usage or {}):
        tokens |= {"image_output": tokens.pop("output", None), "output": 0}
    draft.add(tokens)
    svg = body.get("svg_usage")
    if isinstance(svg, dict):
        drawn = draft.tokens(svg, RESPONSES)
        if _size(drawn):
            draft.add(drawn, model=text(svg.get("model")), operation="svg")


def read_transcription(body: Mapping[str, Any], draft: Draft) -> None:
    """Speech to text: tokens, or the length of the audio."""
    usage = body.get("usage")
    if isinstance(usage, dict) and usage.get("type") != "duration":
        draft.add(draft.tokens(usage, RESPONSES) or draft.tokens(usage, CHAT), _units(usage))
        return
    seconds = usage.get("seconds") if isinstance(usage, dict) else None
    if seconds is None and body.get("duration") is not None:
        seconds = body["duration"]
        draft.estimated = True
        draft.notes.append("the length of the audio is told, not the seconds that are billed")
    length = milliseconds(seconds, "seconds")
    draft.add(None, None if length is None else {"audio_ms": length})


def read_speech(body: Mapping[str, Any], draft: Draft) -> None:
    """Text to speech: the stream of events tells tokens, a plain response is only audio."""
    usage = body.get("usage")
    if isinstance(usage, dict):
        draft.add(draft.tokens(usage, RESPONSES))
    else:
        draft.notes.append("speech is priced by the characters of the request, which is not here")


def read_moderation(body: Mapping[str, Any], draft: Draft) -> None:
    """Moderation: free at OpenAI, by tokens elsewhere."""
    if isinstance(body.get("usage"), dict):
        read_chat(body, draft)
    elif draft.provider in _OF_OPENAI and isinstance(body.get("results"), list):
        draft.add({"input_uncached": 0, "output": 0})
        draft.notes.append("moderation is free and tells no usage")
