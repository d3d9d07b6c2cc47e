"""What stands around a response: batch lines, events that carry one, errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallybook.meter.usage.draft import Draft
from tallybook.meter.usage.figures import at, text

_BATCH: Final = "batch"
_BATCH_OBJECTS: Final = frozenset({"batch", "message_batch"})
_ERROR_FROM: Final = 400


def unwrapped(body: Mapping[str, Any], draft: Draft) -> Mapping[str, Any]:
    """The response inside; what its envelope says goes into the draft.

    A line of a batch says ``default`` for its tier: that it is a batch is known from the envelope
    only.
    """
    if "custom_id" in body or "recordId" in body:
        return _of_batch(body, draft)
    held = body.get("response")
    if isinstance(held, dict):
        if "usage" in held or "object" in held:  # response.completed, response.done
            return held
        if "candidates" in held or "usageMetadata" in held:  # a line of a Gemini batch
            draft.tier = _BATCH
            return held
    message = body.get("message")
    if isinstance(message, dict) and "usage" in message and "usage" not in body:
        return message
    interaction = body.get("interaction")
    return interaction if isinstance(interaction, dict) else body


def _of_batch(line: Mapping[str, Any], draft: Draft) -> Mapping[str, Any]:
    draft.tier = _BATCH
    result, response = line.get("result"), line.get("response")
    if isinstance(result, dict):  # Anthropic
        draft.status = "ok" if result.get("type") == "succeeded" else "error"
        message = result.get("message")
        return message if isinstance(message, dict) else {}
    if isinstance(response, dict):  # OpenAI, Azure, Mistral, Groq, Together
        draft.request_id = text(response.get("request_id"))
        status = response.get("status_code")
        if line.get("error") or (type(status) is int and status >= _ERROR_FROM):
            draft.status = "error"
        inner = response.get("body")
        return inner if isinstance(inner, dict) else {}
    output = line.get("modelOutput")
    if isinstance(output, dict):  # Bedrock
        return output
    draft.status = "error"
    return {}


def is_batch(body: Mapping[str, Any]) -> bool:
    """Whether a body is a batch itself, whose totals repeat those of its lines."""
    return (
        text(body.get("object")) in _BATCH_OBJECTS or text(body.get("type")) in _BATCH_OBJECTS
    ) and "choices" not in body


def is_error(body: Mapping[str, Any]) -> bool:
    """Whether a body is nothing but an error: no response was made, none is billed."""
    error = body.get("error")
    return bool(error) and not (
        body.get("id") or body.get("usage") or body.get("choices") or body.get("usageMetadata")
    )


def error_text(body: Mapping[str, Any]) -> str:
    """The kind of an error, never its message: that may hold what a person wrote."""
    for path in (("error", "type"), ("error", "code"), ("error", "status")):
        found = at(body, path)
        if found:
            return str(found)[:80]
    return "of no kind that is told"
