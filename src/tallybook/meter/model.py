"""A usage event: one billable provider operation, as its source told it.

The shape is the published one: `UsageEvent` refuses unknown keys, and counts are whole numbers of
0 or more that fit 63 bits. What is not stated is None; it never becomes 0 by itself.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import msgspec

Usage = Literal["reported", "estimated", "unknown"]
Status = Literal["ok", "error", "client_aborted"]
Purpose = Literal[
    "production", "evaluation", "experiment", "development", "training", "batch", "internal"
]
State = Literal["reported", "estimated", "partial", "unknown"]
Role = Literal["call", "agent", "bucket", "span"]
"""What a record of a source tells of.

``call``: one billable operation. ``agent``: what a span says of everything beneath it. ``bucket``:
what a provider adds up over a key and a window, ``started_at`` to ``ended_at``. ``span``: a step of
a trace that used nothing itself. Only calls bill by themselves (`tallybook.meter.resolve`).
"""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
NOBODY: Final = "none"
"""The provider and the model of a ``span``, which has neither."""
USAGES: Final[tuple[str, ...]] = get_args(Usage)
STATUSES: Final[tuple[str, ...]] = get_args(Status)
PURPOSES: Final[tuple[str, ...]] = get_args(Purpose)
COUNT_MAX: Final = 2**63 - 1

Name = Annotated[str, msgspec.Meta(min_length=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=COUNT_MAX)]
Ordinal = Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX)]
Decimal = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]+(\.[0-9]+)?\Z")]
Currency = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{3}\Z")]


class ReportedCost(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What the source says the call cost: decimal text and a currency code; never booked."""

    amount: Decimal
    currency: Currency


class UsageEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """One usage event.

    ``started_us`` and ``ended_us`` are microseconds since 1970 UTC; in a record they are
    ``started_at`` and ``ended_at``, RFC 3339 text. ``tokens`` maps a published token class to a
    count, None being an unknown class; ``units`` maps the name of any other meter to a count.
    ``user`` and ``customer`` are values of the source; ingest replaces them by subject ids.
    """

    event_id: Name
    source: Name
    started_us: int = msgspec.field(name="started_at")
    provider: Name
    model: Name
    ended_us: int | None = msgspec.field(name="ended_at", default=None)
    model_requested: str | None = None
    operation: str | None = None
    tier: str | None = None
    region: str | None = None
    tokens: dict[str, Count | None] | None = None
    units: dict[Name, Count | None] | None = None
    usage: Usage | None = None
    status: Status | None = None
    supersedes: Name | None = None
    output_delivered: Count | None = None
    team: str | None = None
    feature: str | None = None
    purpose: Purpose | None = None
    environment: str | None = None
    customer: str | None = None
    cohort: str | None = None
    plan: str | None = None
    user: str | None = None
    session: str | None = None
    endpoint: str | None = None
    prompt_version: str | None = None
    evaluation_run: str | None = None
    labels: dict[Name, str] | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    service: str | None = None
    operation_id: str | None = None
    attempt: Ordinal | None = None
    response_id: str | None = None
    request_id: str | None = None
    key_id: str | None = None
    latency_ms: Count | None = None
    ttft_ms: Count | None = None
    reported_cost: ReportedCost | None = None


FIELDS: Final[tuple[str, ...]] = UsageEvent.__struct_encode_fields__
REQUIRED: Final = ("event_id", "source", "started_at", "provider", "model")
INSTANTS: Final = ("started_at", "ended_at")
WHOLE: Final = ("output_delivered", "latency_ms", "ttft_ms")
TEXT: Final = tuple(
    name
    for name in FIELDS
    if name
    not in {*INSTANTS, *WHOLE, "tokens", "units", "usage", "status", "purpose", "labels",
            "attempt", "reported_cost"}
)  # fmt: skip
