"""One call as a log of a gateway tells it, as canonical records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from tallybook.meter.model import COUNT_MAX
from tallybook.meter.sources.flattened import CONVENTIONS, tokens_of
from tallybook.meter.sources.foreign import Told
from tallybook.meter.usage.model import Part, Units, UsageReading
from tallybook.meter.usage.read import read_body, read_response

UNKNOWN: Final = "unknown"
"""The provider or model of a call whose log does not say: it finds no price, and so is seen."""

ZERO: Final[Mapping[str, int]] = {"input_uncached": 0, "output": 0}
"""What a gateway's own cache answered: no provider saw it, nothing was used."""


def call(**fields: Any) -> dict[str, Any]:
    """A canonical record of the fields that hold something: neither None, '' nor an empty map."""
    return {
        name: value for name, value in fields.items() if value is not None and value not in ("", {})
    }


def with_usage(
    record: dict[str, Any],
    tokens: Mapping[str, int | None] | None,
    units: Units | None = None,
    *,
    usage: str = "reported",
) -> Told:
    """A call with what it used; figures of no kind leave it unknown."""
    if tokens:
        record["tokens"] = dict(tokens)
    if units:
        record["units"] = dict(units)
    if usage != "reported":
        record["usage"] = usage
    return Told(record)


def with_reading(record: dict[str, Any], reading: UsageReading) -> Iterator[Told]:
    """A call with what the provider's own response says: one event for each part of it.

    What the response states of itself (its id, tier, region and model) goes before what the gateway
    noted beside it. The cost that the log states is of the whole and stays with the first part.
    """
    told = record | call(
        model=reading.model,
        response_id=reading.response_id,
        request_id=reading.request_id,
        tier=reading.tier,
        region=reading.region,
    )
    if reading.status != "ok" and "status" not in told:
        told["status"] = reading.status
    parts = reading.parts or (Part(reading.model),)
    for number, part in enumerate(parts):
        each = dict(told)
        if number:
            each["event_id"] = f"{told['event_id']}/{number}"
            each.pop("reported_cost", None)
            if "response_id" in told:
                each["response_id"] = f"{told['response_id']}/{number}"
        if part.model:
            each["model"] = part.model
        if part.operation:
            each["operation"] = part.operation
        yield with_usage(each, part.tokens, part.units, usage=reading.usage)


TRANSLATED: Final = frozenset({"anthropic", "aws", "google", "cohere", "ollama"})
"""Providers with an API of their own: a chat completion of theirs is a gateway's translation."""

_SSE: Final = ("data:", "event:")
NOTHING: Final[Mapping[str, Any]] = {}


def with_body(
    record: dict[str, Any],
    body: object,
    *,
    convention: str,
    endpoint: str = "",
    headers: Mapping[str, str] = NOTHING,
) -> list[Told] | None:
    """A call with what the body of its response says; None if that says nothing of usage.

    Args:
        record: the call so far, with its provider.
        body: an object, or the text of a stream.
        convention: what a body that the gateway translated follows; see `flattened.py`.
        endpoint: where the call went.
        headers: of the response.

    Raises:
        EventError: the figures of the body contradict each other.
    """
    provider, model = record["provider"], record["model"]
    if isinstance(body, dict):
        usage = body.get("usage")
        if isinstance(usage, dict) and "prompt_tokens" in usage and provider in TRANSLATED:
            return _translated(record, body, usage, convention)
        reading = read_body(
            body, provider=provider, endpoint=endpoint, headers=headers, model=model
        )
    elif isinstance(body, str) and body.startswith(_SSE):
        reading = read_response(
            body.encode("utf-8", "surrogatepass"),
            provider=provider,
            endpoint=endpoint,
            wire="sse",
            headers=headers,
            model=model,
        )
    else:
        return None
    if reading.usage == "unknown" and not any(part.tokens or part.units for part in reading.parts):
        record |= {
            name: value
            for name, value in call(
                response_id=reading.response_id, request_id=reading.request_id
            ).items()
            if name not in record
        }
        return None
    return list(with_reading(record, reading))


def _translated(
    record: dict[str, Any], body: Mapping[str, Any], usage: Mapping[str, Any], convention: str
) -> list[Told] | None:
    tokens = tokens_of(usage, CONVENTIONS[convention])
    if not tokens or not any(tokens.values()):
        return None
    model = body.get("model")
    return [with_usage(record | call(model=model if isinstance(model, str) else ""), tokens)]


def whole_ms(value: object) -> int | None:
    """Milliseconds as a count; a fraction is cut off. None of what is none."""
    try:
        figure = int(value) if type(value) in (int, Decimal) else None  # type: ignore[call-overload]
    except (ValueError, OverflowError):  # not finite
        return None
    return figure if figure is not None and 0 <= figure <= COUNT_MAX else None
