"""One call on its way through: who asks for what, whose it is, and how it is settled, once."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from tallybook.budget.hold import Reservation
from tallybook.clock import Clock, format_instant
from tallybook.errors import EventError
from tallybook.gateway.counters import Row
from tallybook.gateway.journal import Journal, events_of
from tallybook.gateway.model import Upstream, VirtualKey
from tallybook.gateway.pending import Pending
from tallybook.gateway.routes import Treatment
from tallybook.gateway.sizing import Group
from tallybook.gateway.standing import Standing
from tallybook.meter.model import Status
from tallybook.meter.usage.model import UsageReading
from tallybook.meter.usage.read import read_response
from tallybook.sdk.asked import Asked
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt, Outcome, request_id_of

if TYPE_CHECKING:
    from tallybook.gateway.budgets import Budgets

_FAILURES_MAX: Final = 10_000
_RETRY_WITHIN_S: Final = 300.0
_RETRY_DIGITS: Final = 4
_FIRST: Final = ("", "0")
_SETTLED: Final = ("metered", "poll")
_MAYBE_BILLED: Final = frozenset({504, 524})
_ID_BYTES: Final = 16
_IDS: Final = 256
_NO_HEADERS: Final[Mapping[str, str]] = {}


class Call(msgspec.Struct):
    """One call that was admitted. ``attempt`` is None where nothing is to be metered.

    A struct, as `Ending` is: both are made for every call, and a struct is made in one step.
    """

    upstream: Upstream
    key: VirtualKey
    treatment: Treatment
    method: str
    path: str
    query: str
    asked: Asked | None
    attempt: Attempt | None
    strip: bool
    body: bytes
    asks: Hashable
    """what tells another request for the same; hashed only once one of them has failed, because a
    body may be long"""
    standing: Standing | None = None
    """what such calls have in common, where they are plain"""
    is_settled: bool = False
    held: Reservation | None = None
    """what it holds of the budgets that it is under"""
    lines: bytes = b""
    """headers of ours for its answer"""


class Ending(msgspec.Struct):
    """How a call ended, as the relay saw it."""

    status: Status
    reading: UsageReading | None = None
    billed: bool = False
    headers: Mapping[str, str] = _NO_HEADERS
    first_s: float | None = None
    delivered: int = 0
    total: int = 0


class Ledger:
    """Admits calls to the journal and settles them, each once.

    Args:
        journal: of this process.
        pending: work whose usage appears later.
        clock: when a call starts.
        counters: of this process.
        health: told of faults of ours.
    """

    def __init__(
        self,
        journal: Journal,
        pending: Pending,
        *,
        clock: Clock,
        counters: Row,
        health: Health,
    ) -> None:
        self._journal = journal
        self._note = journal.note
        self._pending = pending
        self._clock = clock
        self._counters = counters
        self._health = health
        self._turn: list[tuple[str, bytes, Callable[[], None]]] = []
        self.budgets: Budgets | None = None
        self._failures: OrderedDict[int, tuple[str, int, float]] = OrderedDict()
        self._ids: list[str] = []

    @property
    def under_way(self) -> int:
        """Calls that are admitted and not settled."""
        return self._journal.under_way

    def attempt(
        self,
        asked: Asked,
        tags: Mapping[str, str],
        trace: Mapping[str, str],
        key: VirtualKey,
        retries_told: str,
        asks: Hashable,
    ) -> Attempt:
        """Number an attempt: a retry follows a failure that asked for the same under one key."""
        ids = self._ids
        event_id = operation_id = ids.pop() if ids else self._new_id()
        number = 1
        if retries_told not in _FIRST or self._failures:
            operation_id, number = self._follows(retries_told, asks, event_id)
        return Attempt(
            event_id=event_id,
            operation_id=tags.get("operation_id") or operation_id,
            attempt=number,
            started_us=self._clock.now_us(),
            asked=asked,
            tags=tags,
            key_id=key.id,
            trace=trace,
        )

    def _follows(self, retries_told: str, asks: Hashable, event_id: str) -> tuple[str, int]:
        """The operation that an attempt belongs to, and its number there."""
        told = retries_told if len(retries_told) < _RETRY_DIGITS else ""
        retries = int(told) if told.isdecimal() else 0
        last = self._failures.get(hash(asks))
        if last is not None and last[2] > monotonic() - _RETRY_WITHIN_S and told != "0":
            return last[0], max(last[1], retries) + (last[1] >= retries)
        return event_id, retries + 1

    def _new_id(self) -> str:
        """128 random bits; fetched for many calls at once."""
        if not self._ids:
            digits = os.urandom(_IDS * _ID_BYTES).hex()
            size = 2 * _ID_BYTES
            self._ids = [digits[at : at + size] for at in range(0, len(digits), size)]
        return self._ids.pop()

    def admit(self, call: Call) -> None:
        """The call goes out now.

        Raises:
            OSError: it cannot be noted, so it must not go out.
        """
        attempt, standing = call.attempt, call.standing
        if attempt is None:
            return
        if standing is not None and attempt.tags is standing.tags:
            self._note(attempt.event_id, standing.intent(attempt))
        elif call.treatment == "metered":
            self._journal.admit(attempt)

    def dismiss(self, call: Call) -> None:
        """The call never went out: it is as if it had not been asked for."""
        if not call.is_settled:
            call.is_settled = True
            if call.attempt is not None:
                self._journal.settle(call.attempt.event_id, [])
            if call.held is not None and self.budgets is not None:
                self.budgets.release(call)

    def settle_plain(
        self,
        call: Call,
        reading: UsageReading,
        headers: Mapping[str, str],
        took_s: float,
        then: Callable[[], None],
    ) -> bool:
        """A plain call went well: its event is written at the end of this turn of the loop.

        All events of a turn are one ``write`` (`end_turn`). It is the same event that `settle`
        writes.

        Args:
            call: that was answered.
            reading: of the answer.
            headers: of the answer.
            took_s: from the request to the answer.
            then: is called once the event is on the disk.

        Returns:
            whether it is as plain as that; if not, nothing was done.
        """
        attempt, standing = call.attempt, call.standing
        if attempt is None or standing is None or call.is_settled:
            return False
        took_us = int(took_s * 1_000_000)
        request_id = "" if reading.request_id else request_id_of(headers)
        line = standing.told(attempt, reading, took_us, None, request_id)
        if line is None:
            return False
        call.is_settled = True
        self._counters.took(took_us // 1000)
        if self._failures:
            self._failures.pop(hash(call.asks), None)
        if call.held is not None and self.budgets is not None:
            with self._health.guarded("budgets"):
                self.budgets.settle(call, Ending("ok", reading=reading, billed=True))
        self._turn.append((attempt.event_id, line, then))
        return True

    def end_turn(self) -> None:
        """Write the events of the calls that went well in this turn; then their answers go out."""
        turn, self._turn = self._turn, []
        if not turn:
            return
        event_ids, lines, thens = zip(*turn, strict=True)
        written = self._journal.settle_all(event_ids, lines)
        self._counters.add("events" if written else "events_delayed", len(turn))
        self._counters.publish()
        for then in thens:
            try:
                then()
            except Exception as error:  # noqa: BLE001 - one answer's trouble is not the others'
                self._health.failed("answer", error)

    def settle(self, call: Call, ending: Ending, took_s: float) -> None:
        """The call has ended; its events are on the disk when this returns."""
        if call.is_settled:
            return
        call.is_settled = True
        try:
            self._settle(call, ending, took_s)
        except Exception as error:  # noqa: BLE001 - the answer goes on whatever fails here
            self._health.failed("settle", error)
        if call.held is not None and self.budgets is not None:
            with self._health.guarded("budgets"):
                self.budgets.settle(call, ending)

    def _settle(self, call: Call, ending: Ending, took_s: float) -> None:
        attempt, standing = call.attempt, call.standing
        if attempt is None or call.treatment not in _SETTLED:
            return
        took_us, reading = int(took_s * 1_000_000), ending.reading
        self._counters.took(took_us // 1000)
        outcome = Outcome(
            status=ending.status,
            took_us=took_us,
            reading=reading,
            billed=ending.billed,
            first_us=None if ending.first_s is None else int(ending.first_s * 1_000_000),
            request_id="" if reading and reading.request_id else request_id_of(ending.headers),
        )
        line = None if standing is None else standing.event(attempt, outcome)
        if line is not None:
            # It went well and is like others: the event is written out already.
            written = self._journal.settle_lines(attempt.event_id, line, 1)
            self._counters.add("events" if written else "events_delayed")
            if self._failures:
                self._failures.pop(hash(call.asks), None)
            return
        if call.treatment == "poll":
            self._settle_poll(call, outcome)
            return
        if attempt.asked.background and reading is not None and reading.usage == "unknown":
            self._pending.keep(call.upstream.name, f"response {reading.response_id}", attempt)
            self._defer(call)
        self._write(call, attempt, outcome, ending)
        self._remember(call, ending.status)

    def _settle_poll(self, call: Call, outcome: Outcome) -> None:
        """A background response that is asked for: it bills when its figures are there, once."""
        reading = outcome.reading
        if reading is None or reading.usage == "unknown" or not call.asked:
            return
        begun = self._pending.take(call.upstream.name, f"response {call.asked.polls}")
        if begun is None:
            return
        settled = replace(outcome, supersedes=begun.event_id, took_us=0, first_us=None)
        self._write(call, replace(begun, event_id=self._new_id()), settled, None)
        if self.budgets is not None:
            with self._health.guarded("budgets"):
                cost_nano = self.budgets.cost_of(reading, begun, call.upstream.region)
                self.budgets.finish(begun, cost_nano)

    def _defer(self, call: Call) -> None:
        """What a call holds of its budgets is held on until its usage appears."""
        if self.budgets is not None:
            with self._health.guarded("budgets"):
                self.budgets.defer(call)

    def _write(self, call: Call, attempt: Attempt, outcome: Outcome, ending: Ending | None) -> None:
        events = events_of(attempt, outcome)
        for event in events:
            if call.upstream.region and not event.get("region"):
                event["region"] = call.upstream.region
            _deliver(event, ending)
        written = self._journal.settle(attempt.event_id, events)
        self._counters.add("events" if written else "events_delayed", len(events))

    def _remember(self, call: Call, status: Status) -> None:
        attempt = call.attempt
        assert attempt is not None
        if status == "ok":
            self._failures.pop(hash(call.asks), None)
            return
        self._failures[hash(call.asks)] = (attempt.operation_id, attempt.attempt, monotonic())
        self._failures.move_to_end(hash(call.asks))
        if len(self._failures) > _FAILURES_MAX:
            self._failures.popitem(last=False)

    def begun(self, call: Call, names: list[str]) -> None:
        """Work was begun whose results are asked for under these names."""
        if call.attempt is not None:
            for name in names:
                self._pending.keep(call.upstream.name, name, call.attempt)
            self._defer(call)

    def sized(self, call: Call, name: str, groups: Mapping[str, Group]) -> None:
        """A file of so many requests is known under a name."""
        self._pending.keep_size(call.upstream.name, name, groups)

    def ended(self, call: Call, name: str, cost_nano: int | None) -> None:
        """What was begun under a name has ended; see `tallybook.gateway.budgets.Budgets.finish`."""
        begun = self._pending.find(call.upstream.name, name)
        if begun is not None and self.budgets is not None:
            with self._health.guarded("budgets"):
                self.budgets.finish(begun, cost_nano)

    def alias(self, call: Call, name: str, other: str) -> None:
        """What was begun under one name has its results under another."""
        attempt = self._pending.find(call.upstream.name, name)
        if attempt is not None and self._pending.find(call.upstream.name, other) is None:
            self._pending.keep(call.upstream.name, other, attempt)

    def settle_lines(self, call: Call, name: str, lines: list[bytes]) -> list[int | None]:
        """The results of a batch: an event for each line, the same however often they are asked.

        Args:
            call: that asked for them.
            name: under which the batch was begun.
            lines: of the results, JSON.

        Returns:
            what the lines cost that a budget is held to, in nano; None for one that nobody knows.
        """
        begun = self._pending.find(call.upstream.name, name)
        if begun is None:
            return []
        events: list[dict[str, Any]] = []
        costs: list[int | None] = []
        for line in lines:
            made, reading = _of_line(begun, line)
            events += made
            if reading is not None and self.budgets is not None:
                used = any(part.tokens or part.units for part in reading.parts)
                is_free = reading.status == "error" and not used  # a request that failed
                region = call.upstream.region
                costs.append(0 if is_free else self.budgets.cost_of(reading, begun, region))
        for event in events:
            event["tier"] = event.get("tier") or "batch"
        if events:
            written = self._journal.settle("", events)
            self._counters.add("events" if written else "events_delayed", len(events))
        return costs


def _deliver(event: dict[str, Any], ending: Ending | None) -> None:
    """How much of the output reached a caller who left: by the share of the bytes that did."""
    output = (event.get("tokens") or {}).get("output")
    if ending is None or event["status"] == "ok" or output is None:
        event.pop("output_delivered", None)
        return
    total = max(ending.total, 1)
    event["output_delivered"] = output * min(ending.delivered, total) // total


def _of_line(begun: Attempt, line: bytes) -> tuple[list[dict[str, Any]], UsageReading | None]:
    """The events of a line, and its reading at the price of a batch; of no line of ours neither."""
    try:
        told = msgspec.json.decode(line, type=dict[str, Any])
        reading = read_response(
            line,
            provider=begun.asked.provider,
            endpoint=begun.asked.endpoint,
            model=begun.asked.model,
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, EventError):
        return [], None
    name = str(told.get("id") or told.get("custom_id") or "")
    if not name:
        return [], None
    attempt = replace(begun, event_id=f"{begun.event_id}:{name}"[:200])
    outcome = Outcome(status=reading.status, took_us=0, reading=reading)
    events = events_of(attempt, outcome)
    for event in events:
        event["ended_at"] = format_instant(begun.started_us)
        event["operation"] = "batch"
        event.pop("latency_ms", None)
    return events, _at_batch_price(reading)


def _at_batch_price(reading: UsageReading) -> UsageReading:
    return reading if reading.tier else replace(reading, tier="batch")
