"""What all calls with one head and one model have in common, written out once.

Clients send the same head and ask for the same model over and over. Whose such a call is, what its
intent and its event say about that, and how its answer is read do not change from call to call, so
they are encoded when they are first met, and a call adds its own figures. What is encoded comes out
of the same `records` as every other event: nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tallybook.clock import format_instant
from tallybook.gateway.journal import BEGUN, events_of
from tallybook.gateway.model import Refusal
from tallybook.meter.usage.model import UsageReading
from tallybook.meter.usage.plain import Reader, plain_reader
from tallybook.sdk.asked import Asked
from tallybook.sdk.record import Attempt, Outcome

_ENCODER: Final = msgspec.json.Encoder()
_OWN: Final = frozenset(
    {
        *("event_id", "operation_id", "attempt", "started_at", "ended_at", "status"),
        *("latency_ms", "ttft_ms", "model", "usage", "tokens", "units", "response_id"),
        *("request_id", "tier", "region"),
    }
)
"""The fields of an event that are each call's own."""


class _Told(msgspec.Struct, omit_defaults=True, gc=False):
    """The fields of an event that are a call's own, as `records` would write them."""

    event_id: str
    operation_id: str
    attempt: int
    started_at: str
    ended_at: str
    status: str
    latency_ms: int
    model: str
    usage: str
    tokens: Mapping[str, int | None] | None = None
    units: Mapping[str, int | None] | None = None
    response_id: str = ""
    request_id: str = ""
    tier: str = ""
    region: str = ""
    ttft_ms: int | None = None


class Standing:
    """See above.

    Args:
        asked: what the calls ask for.
        tags: whose they are.
        key_id: under which key.
        trace: of their head.
        refusal: why none of them is let through, if so.
        region: of the upstream, for events that name none.
    """

    __slots__ = ("_intent", "_same", "asked", "asks_usage", "reader", "refusal", "region", "tags")

    def __init__(
        self,
        asked: Asked,
        tags: Mapping[str, str],
        key_id: str,
        trace: Mapping[str, str],
        *,
        refusal: Refusal | None = None,
        asks_usage: bool = False,
        region: str = "",
    ) -> None:
        self.asked = asked
        self.tags = tags
        self.refusal = refusal
        self.asks_usage = asks_usage
        self.region = region
        self.reader: Reader | None = None
        if not asked.stream:
            self.reader = plain_reader(asked.provider, asked.endpoint, asked.model)
        like = Attempt(
            event_id="",
            operation_id="",
            attempt=1,
            started_us=0,
            asked=asked,
            tags=tags,
            key_id=key_id,
            trace=trace,
        )
        same: dict[str, Any] = msgspec.json.decode(_ENCODER.encode(like), type=dict[str, Any])
        for name in ("event_id", "operation_id", "attempt", "started_us"):
            del same[name]
        self._intent = _ENCODER.encode(same)[1:] + b"\n"
        self._same: bytes | None = None
        if asked.provider and not asked.background:
            (event,) = events_of(like, Outcome(status="ok", took_us=0))
            shown = {name: value for name, value in event.items() if name not in _OWN}
            self._same = _ENCODER.encode(shown)[:-1] + b","

    def intent(self, attempt: Attempt) -> bytes:
        """The line that notes that a call goes out, as `Intents.begin` writes it."""
        event_id = _ENCODER.encode(attempt.event_id)
        operation_id = attempt.operation_id
        return b'%b{"event_id":%b,"operation_id":%b,"attempt":%d,"started_us":%d,%b' % (
            BEGUN,
            event_id,
            event_id if operation_id is attempt.event_id else _ENCODER.encode(operation_id),
            attempt.attempt,
            attempt.started_us,
            self._intent,
        )

    def event(self, attempt: Attempt, outcome: Outcome) -> bytes | None:
        """The event of a call that went well, encoded; None of one that is not plain."""
        reading = outcome.reading
        if reading is None or outcome.status != "ok" or outcome.supersedes:
            return None
        return self.told(attempt, reading, outcome.took_us, outcome.first_us, outcome.request_id)

    def told(
        self,
        attempt: Attempt,
        reading: UsageReading,
        took_us: int,
        first_us: int | None,
        request_id: str,
    ) -> bytes | None:
        """The same of what an answer says; ``request_id`` where it does not say that."""
        parts = reading.parts
        if (
            self._same is None
            or attempt.tags is not self.tags
            or attempt.asked is not self.asked
            or len(parts) != 1
            or reading.reported_cost
        ):
            return None
        part = parts[0]
        if part.operation:
            return None
        started_us = attempt.started_us
        told = _Told(
            attempt.event_id,
            attempt.operation_id,
            attempt.attempt,
            format_instant(started_us),
            format_instant(started_us + took_us),
            "ok",
            took_us // 1000,
            part.model or reading.model or self.asked.model or "unknown",
            reading.usage,
            part.tokens or None,
            part.units or None,
            reading.response_id,
            reading.request_id or request_id,
            reading.tier,
            reading.region or self.region,
            None if first_us is None else first_us // 1000,
        )
        return self._same + _ENCODER.encode(told)[1:]
