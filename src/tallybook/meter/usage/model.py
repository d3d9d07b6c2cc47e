"""What one response used, in classes that do not overlap, and what it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from tallybook.meter.model import Status, Usage

Wire = Literal["json", "sse", "ndjson", "aws-eventstream"]
"""How the bytes of a response are framed."""

WIRES: Final[tuple[Wire, ...]] = get_args(Wire)

Tokens = Mapping[str, int | None]
"""Token class (`tallybook.books.meters`) to count; None is a class that was used, or may have been,
in an amount that nobody told."""

Units = Mapping[str, int | None]
"""Any other meter to a whole count: ``web_search``, ``audio_ms``, ``page``, ``character`` ..."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """One billed operation inside a response: at one model, under one price.

    A struct, as `UsageReading` is: both are made for every call, and a frozen dataclass takes five
    times as long.

    Most responses have one. A response of several (compaction, an advisor of another model, an
    image made by a tool) has one for each, because each is priced by itself: its own model, and its
    own context for a long-context price. ``tokens`` and ``units`` are None when the response
    carries no figure; then usage is unknown, never zero.
    """

    model: str
    tokens: Tokens | None = None
    units: Units | None = None
    operation: str = ""


class UsageReading(msgspec.Struct, frozen=True, gc=False):
    """What one response says.

    ``model`` is the model that served; '' if the response does not say. ``tier`` is the tier that
    was served (`standard`, `priority`, `flex`, `batch`, `fast`), '' if not told. ``usage`` is
    ``reported`` if all of ``parts`` is the provider's own word, ``estimated`` if a figure is a
    bound or a placeholder (a stream that was cut), ``unknown`` if there is none. ``notes`` say, for
    people, what the reader had to decide. ``reported_cost`` is a cost that the response itself
    states, as (decimal text, currency): evidence, never booked.
    """

    provider: str
    model: str
    usage: Usage
    parts: tuple[Part, ...] = ()
    status: Status = "ok"
    response_id: str = ""
    request_id: str = ""
    tier: str = ""
    region: str = ""
    reported_cost: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()
    extras: Mapping[str, int] = msgspec.field(default_factory=dict)
