"""The way in: a provider's response, or its bare ``usage``, to one true reading."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.providers import provider_of
from tallybook.meter.usage.model import Part, UsageReading, Wire

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)
_NOTHING: Final[Mapping[str, str]] = {}


def read_response(
    body: bytes,
    *,
    provider: str,
    endpoint: str = "",
    wire: Wire = "json",
    headers: Mapping[str, str] = _NOTHING,
    model: str = "",
) -> UsageReading:
    """Read the bytes of a whole response.

    Args:
        body: the bytes as received, content encoding removed.
        provider: who answered, in any spelling that `tallybook.meter.providers` knows.
        endpoint: the path or the operation that was called; '' reads by the shape of the body.
        wire: how the bytes are framed.
        headers: of the response; the names in any case.
        model: what was asked for; used where the response names no model.

    Raises:
        EventError: the bytes are not what the wire says. A response without usage is no error:
            its usage is ``unknown``.
    """
    if wire != "json":
        raise EventError(f"the wire {wire} is not read here", next_step="read it as a stream")
    try:
        value = _DECODER.decode(body)
    except _FAULTS as error:
        raise EventError(f"the response is not JSON: {error}") from error
    if type(value) is not dict:
        raise EventError(f"{shown(value)} stands here; a response is a JSON object")
    return read_body(value, provider=provider, endpoint=endpoint, headers=headers, model=model)


def read_body(
    body: Mapping[str, Any],
    *,
    provider: str,
    endpoint: str = "",
    headers: Mapping[str, str] = _NOTHING,
    model: str = "",
) -> UsageReading:
    """Read a parsed JSON response; arguments as of `read_response`. It refuses nothing."""
    name = provider_of(provider)
    served = body.get("model")
    served = served if isinstance(served, str) else ""
    usage = body.get("usage")
    notes: tuple[str, ...] = ()
    part = Part(served or model)
    if isinstance(usage, Mapping):
        try:
            part = read_usage(usage, provider=provider, endpoint=endpoint, model=served or model)
        except EventError as error:
            notes = (error.what,)
    response_id = body.get("id")
    return UsageReading(
        provider=name,
        model=served,
        usage="unknown" if part.tokens is None else "reported",
        parts=(part,),
        response_id=response_id if isinstance(response_id, str) else "",
        request_id=headers.get("x-request-id", ""),
        notes=notes,
    )


def read_usage(
    usage: Mapping[str, Any],
    *,
    provider: str,  # noqa: ARG001 - every convention is chosen by it
    endpoint: str = "",  # noqa: ARG001 - as provider
    model: str = "",
) -> Part:
    """Read a bare ``usage`` object in the provider's own convention.

    Raises:
        EventError: the figures contradict each other: a part above its whole, a negative count.
    """
    whole, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    if not isinstance(whole, int):
        return Part(model)
    if isinstance(cached, int) and cached > whole:
        raise EventError(f"cached_tokens is {cached}, more than prompt_tokens, {whole}")
    tokens: dict[str, int | None] = {"input_uncached": whole, "output": output}
    if isinstance(cached, int):
        tokens |= {"input_uncached": whole - cached, "cache_read": cached}
    return Part(model, tokens)
