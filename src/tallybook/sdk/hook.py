"""The hook: what stands between an HTTP client and the spool, once for each process."""

from __future__ import annotations

import os
import secrets
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final
from weakref import WeakSet

import msgspec

from tallybook.clock import Clock, SystemClock
from tallybook.sdk import attempts
from tallybook.sdk.asked import (
    Asked,
    key_id_of,
    known_to_take_it,
    may_ask_usage,
    understood,
    with_usage_asked,
)
from tallybook.sdk.call import Call
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt, Outcome, records
from tallybook.sdk.settings import Settings
from tallybook.sdk.shipper import Shipper
from tallybook.sdk.spool import Spool
from tallybook.sdk.tagging import current

_KNOWN_MAX: Final = 10_000
_ENCODER: Final = msgspec.json.Encoder()
_HOOKS: Final[WeakSet[Hook]] = WeakSet()


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the transport sees it; names of headers in lower case."""

    method: str
    url: str
    query: str
    headers: Mapping[str, str]
    body: bytes | None
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Begun:
    """A call under way, and the body to send if it is another than the caller's."""

    call: Call
    ordinal: attempts.Ordinal
    body: bytes | None


class Hook:
    """Meters the calls of one process.

    Args:
        settings: how.
        clock: when a call starts.
        new_id: gives an id that was never given before.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self.settings = settings
        self.health = Health()
        self._clock = clock or SystemClock()
        self._new_id = new_id
        self._spool = Spool(
            settings.spool,
            segment_bytes=settings.segment_bytes,
            segment_s=settings.segment_s,
            bound_bytes=settings.spool_bytes,
            health=self.health,
        )
        self._shipper = Shipper(settings, self._spool, self.health)
        self._lock = Lock()
        self._known: OrderedDict[str, str] = OrderedDict()
        _HOOKS.add(self)

    def begin(self, seen: Seen) -> Begun | None:
        """A request goes out; None if it uses no model, or if a fault of ours hides it."""
        with self.health.guarded("request"):
            asked = understood(
                seen.method, seen.url, seen.headers, seen.body, self.settings.providers, seen.form
            )
            if asked is None:
                return None
            self.health.add("observed")
            event_id = self._new_id()
            told = seen.headers.get("x-stainless-retry-count", "")
            ordinal = attempts.ordinal(event_id, told, seen.method + seen.url, seen.body)
            body = self._with_usage_asked(asked, seen)
            attempt = self._attempt(asked, seen, event_id, ordinal)
            call = Call(
                attempt, strip=body is not None, written=self.write_outcome, health=self.health
            )
            return Begun(call, ordinal, body)
        return None

    def _attempt(
        self, asked: Asked, seen: Seen, event_id: str, ordinal: attempts.Ordinal
    ) -> Attempt:
        tags = {**self.settings.tags, **current()}
        return Attempt(
            event_id=event_id,
            operation_id=tags.get("operation_id") or ordinal.operation_id,
            attempt=ordinal.attempt,
            started_us=self._clock.now_us(),
            asked=asked,
            tags=tags,
            key_id=self.settings.key_name or key_id_of(seen.headers),
            trace=_trace(),
        )

    def _with_usage_asked(self, asked: Asked, seen: Seen) -> bytes | None:
        wanted = self.settings.stream_usage
        if wanted == "never" or seen.body is None:
            return None
        if wanted == "known" and not known_to_take_it(asked):
            return None
        if not may_ask_usage(asked, seen.headers, seen.query):
            return None
        return with_usage_asked(seen.body)

    def write_outcome(self, attempt: Attempt, outcome: Outcome) -> None:
        """Put the events of an attempt into the spool."""
        settled = self._settled(attempt, outcome)
        if settled is not None:
            self.write(records(attempt, settled))

    def write(self, events: list[dict[str, Any]]) -> None:
        """Put canonical events into the spool."""
        with self.health.guarded("spool"):
            try:
                lines = b"\n".join(_ENCODER.encode(event) for event in events)
            except Exception:
                self.health.add("lost", len(events))
                raise
            if events and self._spool.append(lines, events=len(events)):
                self.health.add("spooled", len(events))
                self._shipper.wake()

    def _settled(self, attempt: Attempt, outcome: Outcome) -> Outcome | None:
        """A response that is asked for again tells nothing new, unless it was not done before."""
        reading, asked = outcome.reading, attempt.asked
        response_id = reading.response_id if reading else ""
        if asked.polls:
            if reading is None or reading.usage == "unknown":
                return None
            with self._lock:
                waiting = self._known.get(response_id)
                self._know(response_id, "")
            if waiting == "":
                return None
            return msgspec.structs.replace(outcome, supersedes=waiting or "")
        if response_id and asked.operation == "responses":
            unsettled = asked.background and reading is not None and reading.usage == "unknown"
            with self._lock:
                self._know(response_id, attempt.event_id if unsettled else "")
        return outcome

    def _know(self, response_id: str, event_id: str) -> None:
        self._known[response_id] = event_id
        self._known.move_to_end(response_id)
        if len(self._known) > _KNOWN_MAX:
            self._known.popitem(last=False)

    def flush(self, timeout_s: float | None = None) -> None:
        """Close the open segment and ship what waits, as far as there is time for it."""
        with self.health.guarded("shipper"):
            self._shipper.flush(self.settings.flush_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Flush, and end the thread that ships."""
        with self.health.guarded("shipper"):
            self._shipper.close()

    def after_fork(self) -> None:
        """In a child process: begin anew."""
        self._lock = Lock()
        self.health.after_fork()
        self._spool.after_fork()
        self._shipper.after_fork()


def _trace() -> dict[str, str]:
    """The span of OpenTelemetry that is current, if the process uses it."""
    opentelemetry = sys.modules.get("opentelemetry.trace")
    if opentelemetry is None:
        return {}
    context = opentelemetry.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def _after_fork() -> None:
    for hook in list(_HOOKS):
        hook.after_fork()


os.register_at_fork(after_in_child=_after_fork)
