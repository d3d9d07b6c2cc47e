"""A parsed body, or a bare ``usage`` object, to one reading: the part that bytes do not touch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tallybook.errors import EventError
from tallybook.meter.providers import provider_of
from tallybook.meter.usage.conventions import tier_of
from tallybook.meter.usage.draft import Draft
from tallybook.meter.usage.envelope import error_text, is_batch, is_error, unwrapped
from tallybook.meter.usage.families import Family, body_of_usage, family_of
from tallybook.meter.usage.figures import at, text
from tallybook.meter.usage.model import Part, UsageReading
from tallybook.meter.usage.places import model_in, region_in

FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)
"""What decoding JSON may raise."""
_NOTHING: Final[Mapping[str, str]] = {}


def read_body(
    body: Mapping[str, Any],
    *,
    provider: str,
    endpoint: str = "",
    headers: Mapping[str, str] = _NOTHING,
    model: str = "",
) -> UsageReading:
    """Read a parsed JSON response; arguments as of `read_response`.

    It refuses nothing, because the call was made: figures that contradict each other leave the
    usage ``unknown``, and a note names them.
    """
    draft = drafted(provider, endpoint, headers, model)
    take(unwrapped(_plain(body), draft), draft)
    return draft.reading()


def _plain(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """As a dict, which is all that the readers look into: JSON makes nothing else."""
    return told if isinstance(told, dict) else dict(told)


def drafted(provider: str, endpoint: str, headers: Mapping[str, str], model: str) -> Draft:
    """A reading that says nothing yet."""
    lowered = {name.lower(): value for name, value in headers.items()} if headers else _NOTHING
    return Draft(provider_of(provider), endpoint, lowered, model or model_in(endpoint))


def take(body: Mapping[str, Any], draft: Draft) -> None:
    """What a body tells, into the draft; a contradiction leaves its usage unknown."""
    if is_batch(body):
        draft.notes.append("this is a batch, whose total repeats its lines: read the lines")
        return
    family = family_of(draft.provider, draft.endpoint, body)
    _common(body, draft)
    try:
        if family is None:
            draft.notes.append("nobody knows the shape of this response")
        else:
            family.read(body, draft)
    except EventError as error:
        draft.refuse(error)
    if not draft.parts and (is_error(body) or (draft.status == "error" and not body)):
        draft.status = "error"
        draft.nothing_used = True
        draft.notes.append(f"the response is an error, {error_text(body)}: nothing was used")
    _conditions(draft)


def _common(body: Mapping[str, Any], draft: Draft) -> None:
    """What most bodies say in the same words."""
    draft.model = draft.model or text(body.get("model"))
    draft.response_id = draft.response_id or text(body.get("id"))
    if not draft.tier:
        told = body.get("service_tier") or at(body, ("usage", "service_tier"))
        draft.tier = "" if told is None else tier_of(told)


def _conditions(draft: Draft) -> None:
    """What decides the price and stands in the headers or the address."""
    spilled = draft.headers.get("x-ms-is-spilled-over", "").lower()
    if spilled and draft.provider == "azure":
        # Served by reserved capacity, which is paid by the hour; what spills over is not.
        draft.tier = "standard" if spilled == "true" else "provisioned"
    if not draft.region:
        draft.region = region_in(draft.endpoint, draft.headers)


def read_parts(
    usage: Mapping[str, Any], *, provider: str, endpoint: str = "", model: str = ""
) -> tuple[Part, ...]:
    """Read a bare ``usage`` object in the provider's own convention: every billed operation.

    Args:
        usage: the object alone, without the response around it.
        provider: who counted.
        endpoint: what was called; '' reads by the shape of the object.
        model: at which it is billed.

    Raises:
        EventError: the figures contradict each other: a part above its whole, a negative count.
    """
    draft = drafted(provider, endpoint, _NOTHING, model)
    body = body_of_usage(_plain(usage))
    family: Family | None = family_of(draft.provider, endpoint, body)
    if family is not None:
        family.read(body, draft)
    return tuple(draft.parts) or (Part(draft.billed),)


def read_usage(
    usage: Mapping[str, Any], *, provider: str, endpoint: str = "", model: str = ""
) -> Part:
    """Read a bare ``usage`` object that is one billed operation, as nearly all are.

    Raises:
        EventError: as `read_parts`; or the object tells of several operations.
    """
    parts = read_parts(usage, provider=provider, endpoint=endpoint, model=model)
    if len(parts) > 1:
        raise EventError(
            f"usage tells of {len(parts)} operations, each priced by itself",
            next_step="read it with read_parts",
        )
    return parts[0]
