"""One call as a log of a gateway tells it, as canonical records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallybook.meter.sources.foreign import Told
from tallybook.meter.usage.model import Part, Units, UsageReading

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
