"""The way in: a provider's response, or its bare ``usage``, to one true reading."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.usage.body import FAULTS, read_body, read_parts, read_usage
from tallybook.meter.usage.model import UsageReading, Wire
from tallybook.meter.usage.stream import UsageStream

__all__ = ["UsageStream", "read_body", "read_parts", "read_response", "read_usage"]

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_NOTHING: Final[Mapping[str, str]] = {}
_SILENT: Final = ("audio/speech",)  # what these answer is not JSON, and tells nothing


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
        EventError: the bytes are no JSON object, though the wire is JSON. A response without usage
            is no error: its usage is ``unknown``. A stream is never refused: what of it can be
            read is.
    """
    if wire != "json":
        stream = UsageStream(
            provider=provider, endpoint=endpoint, wire=wire, headers=headers, model=model
        )
        stream.feed(body)
        return stream.finish()
    if endpoint.endswith(_SILENT) and not body.lstrip().startswith(b"{"):
        return read_body({}, provider=provider, endpoint=endpoint, headers=headers, model=model)
    try:
        value = _DECODER.decode(body)
    except FAULTS as error:
        raise EventError(
            f"the response is not JSON: {error}",
            next_step="name its wire, or read what arrived of it with UsageStream",
        ) from error
    if type(value) is list and any(type(one) is dict for one in value):
        return _of_array(value, provider, endpoint, headers, model)
    if type(value) is not dict:
        raise EventError(f"{shown(value)} stands here; a response is a JSON object")
    return read_body(value, provider=provider, endpoint=endpoint, headers=headers, model=model)


def _of_array(
    chunks: list[Any], provider: str, endpoint: str, headers: Mapping[str, str], model: str
) -> UsageReading:
    """A stream that was sent as one JSON array, as Gemini does unless it is asked for events."""
    stream = UsageStream(provider=provider, endpoint=endpoint, headers=headers, model=model)
    for chunk in chunks:
        stream.take(chunk)
    return stream.finish()
