"""Ingest: records of a source become claimed events in the inbox, each once for ever (INV-06).

A batch is claimed, put and its conflicts are quarantined in one write transaction; a crash at any
point leaves whole batches, and the same command again brings in the rest. Ingest consults neither
org nor prices: what nobody owns or prices yet comes in all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tallybook.clock import Clock
from tallybook.errors import EventError
from tallybook.meter.columns import columns
from tallybook.meter.identity import canonical_record, key_of, record_digest
from tallybook.meter.model import Role, UsageEvent
from tallybook.meter.rejects import RejectFile, Rejects
from tallybook.meter.revise import claim_stated, revise
from tallybook.meter.sources.source import Source
from tallybook.meter.subjects import Person, Subjects
from tallybook.meter.supersede import refuse_superseders
from tallybook.store import Store, Tx, faults, inbox, sql_text, storable
from tallybook.store.commands import Command, log_command
from tallybook.store.memory import collector_paused

BATCH_EVENTS = 50_000
_OTHER_RECORD = "the same id came with another record; the first one stands"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of the records. ``reject_file`` is '' when no record was kept as unreadable.

    ``dropped`` are those of the rejected that found no room in the reject files.
    """

    accepted: int
    duplicate: int
    quarantined: int
    rejected: int
    reject_file: str
    dropped: int = 0


class _Arrival(NamedTuple):
    """One record with its identity."""

    place: str
    event: UsageEvent
    text: bytes
    role: Role
    key: bytes
    record: bytes


@dataclass(slots=True)
class _Batch:
    """Events on their way in, each id once; ``repeats`` came with an id that is among them."""

    places: list[str] = field(default_factory=list)
    events: list[UsageEvent] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    at: dict[bytes, int] = field(default_factory=dict)
    repeats: list[_Arrival] = field(default_factory=list)

    def add(self, place: str, event: UsageEvent, text: bytes, role: Role) -> None:
        key, record = key_of(event.source, event.event_id), record_digest(text)
        first = self.at.setdefault(key, len(self.keys))
        if first < len(self.keys):
            self.repeats.append(_Arrival(place, event, text, role, key, record))
            return
        self.places.append(place)
        self.events.append(event)
        self.keys.append(key)
        self.records.append(record)
        self.texts.append(text)
        self.roles.append(role)

    @property
    def size(self) -> int:
        return len(self.keys) + len(self.repeats)

    @property
    def arrivals(self) -> Iterator[_Arrival]:
        """Everything in it, those with one id in the order in which they came."""
        columns = self.places, self.events, self.texts, self.roles, self.keys, self.records
        yield from map(_Arrival, *columns)
        yield from self.repeats


def ingest(
    store: Store,
    source_reader: Source,
    *,
    clock: Clock,
    new_id: Callable[[], str],
    on_progress: Callable[[int], None] | None,
    reject_folder: Path,
    command: Command | None = None,
    rejects: Rejects | None = None,
) -> IngestResult:
    """Bring the records of a source into the inbox.

    Args:
        store: open books.
        source_reader: what to read; see `tallybook.meter.sources`.
        clock: when the events are received.
        new_id: gives random subject ids, never the same twice.
        on_progress: told the number of records settled after each batch.
        reject_folder: where a reject file is made if a record cannot be read.
        command: logged with each batch, in the transaction that brings the batch in.
        rejects: instead of a reject file of its own, those that many ingests share up to a bound.

    Raises:
        StoreError: the disk refuses; whole batches are in, and a second run adds the rest.
    """
    kept = rejects or RejectFile(reject_folder, source_reader.name)
    service = _Ingest(
        store=store,
        name=source_reader.name,
        clock=clock,
        subjects=Subjects(new_id),
        rejects=kept,
        on_progress=on_progress,
        command=command,
    )
    try:
        with collector_paused(), store.held_open():
            _read_all(source_reader, service, kept)
    finally:
        if rejects is None:
            kept.close()
    return service.result()


def _read_all(source_reader: Source, service: _Ingest, rejects: RejectFile | Rejects) -> None:
    personal, batch = source_reader.personal, _Batch()
    for place, record, event, role in source_reader.read():
        if isinstance(event, EventError):
            rejects.add(place, event.what, record)
            continue
        batch.add(place, event, canonical_record(record, personal), role)
        if batch.size >= BATCH_EVENTS:
            service.settle(batch)
            batch = _Batch()
    service.settle(batch)


class _Ingest:
    """One command's counters and what its batches share."""

    def __init__(
        self,
        *,
        store: Store,
        name: str,
        clock: Clock,
        subjects: Subjects,
        rejects: RejectFile | Rejects,
        on_progress: Callable[[int], None] | None,
        command: Command | None,
    ) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._subjects = subjects
        self._rejects = rejects
        self._before = rejects.count, rejects.dropped
        self._on_progress = on_progress
        self._command = command
        self._accepted = self._duplicate = self._quarantined = 0

    def settle(self, batch: _Batch) -> None:
        """Write one batch, wholly or not at all; count it once it has committed."""
        self._rejects.sync()
        if not batch.size:
            return
        size, received_us = batch.size, self._clock.now_us()
        if "bucket" in batch.roles:
            batch, same, set_aside = self._revised(batch, received_us)
        else:
            same, set_aside = 0, []
        table = columns(batch.events, batch.keys, batch.records) | {"role": [*batch.roles]}
        with self._store.write() as tx:
            number = inbox.next_batch(tx)
            claims = inbox.claim(tx, number, batch.keys, batch.records)
            faults.reached("ingest.claimed")
            refused = refuse_superseders(tx, number, batch.events, batch.keys, claims.fresh)
            fresh = [i for i in claims.fresh if i not in refused]
            if fresh:
                self._put(tx, number, table, fresh, received_us)
            buckets = {batch.keys[i]: batch.events[i] for i in fresh if batch.roles[i] == "bucket"}
            claim_stated(tx, number, buckets)
            faults.reached("ingest.put")
            conflicts = [(i, _OTHER_RECORD) for i in claims.conflict] + sorted(refused.items())
            noted = set_aside + [_noted(batch, i, reason, received_us) for i, reason in conflicts]
            repeats = _judge(tx, batch.repeats)
            noted += [
                _note(one.place, one.event, one.text, _OTHER_RECORD, received_us)
                for one in repeats.conflict
            ]
            tx.run_many(sql_text(__package__, "add_quarantined"), noted)
            if self._command:
                outcome = f"{len(fresh)} accepted, {len(noted)} quarantined"
                log_command(tx, self._command, received_us, {}, outcome)
            faults.reached("ingest.quarantined")
        faults.reached("ingest.committed")
        self._subjects.committed()
        self._accepted += len(fresh)
        self._duplicate += len(claims.duplicate) + repeats.duplicate + same
        self._quarantined += len(noted)
        if self._on_progress:
            self._on_progress(size - len(repeats.freed))
        self._settle_freed(repeats.freed)

    def _revised(
        self, batch: _Batch, received_us: int
    ) -> tuple[_Batch, int, list[dict[str, object]]]:
        """The batch with its buckets under the ids of their versions (`tallybook.meter.revise`).

        Another command may bring in a version meanwhile; then two have one id, and one of them is
        quarantined as any conflict is.

        Returns:
            the batch, how many buckets are in already, and notes of those to quarantine.
        """
        arrivals = list(batch.arrivals)
        buckets = {i: one.event for i, one in enumerate(arrivals) if one.role == "bucket"}
        with self._store.read() as tx:
            revised = revise(tx, buckets)
        again, set_aside = _Batch(), []
        for i, one in enumerate(arrivals):
            if reason := revised.refused.get(i):
                set_aside.append(_note(one.place, one.event, one.text, reason, received_us))
            elif i not in revised.same:
                again.add(one.place, revised.events.get(i, one.event), one.text, one.role)
        return again, len(revised.same), set_aside

    def _settle_freed(self, freed: Sequence[_Arrival]) -> None:
        """Bring in what repeats an id that its first bearer was refused, as if it came alone."""
        again = _Batch()
        for one in freed:
            again.add(one.place, one.event, one.text, one.role)
        self.settle(again)

    def result(self) -> IngestResult:
        """What became of everything so far."""
        count_before, dropped_before = self._before
        rejected = self._rejects.count - count_before
        dropped = self._rejects.dropped - dropped_before
        return IngestResult(
            accepted=self._accepted,
            duplicate=self._duplicate,
            quarantined=self._quarantined,
            rejected=rejected,
            reject_file=str(self._rejects.path) if rejected > dropped else "",
            dropped=dropped,
        )

    def _put(
        self, tx: Tx, number: int, table: dict[str, list[Any]], fresh: list[int], received_us: int
    ) -> None:
        if len(fresh) < len(table["key"]):
            table = {name: [column[i] for i in fresh] for name, column in table.items()}
        people: list[Person] = [("user", value) for value in table["user"] if value]
        people += [("customer", value) for value in table["customer"] if value]
        subjects = self._subjects.resolve(tx, people)
        users = [subjects["user", value] if value else "" for value in table["user"]]
        customers = [subjects["customer", value] if value else "" for value in table["customer"]]
        table = table | {"user": users, "customer": customers}
        inbox.put(tx, number, self._name, table, received_us)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What became of the repeats of a batch."""

    duplicate: int
    conflict: tuple[_Arrival, ...]
    freed: tuple[_Arrival, ...]


def _judge(tx: Tx, repeats: Sequence[_Arrival]) -> _Judged:
    """Compare each repeat with the record that holds its id, whoever claimed it and when."""
    held = inbox.holders(tx, sorted({one.key for one in repeats}))
    same = sum(one.key in held and held[one.key][0] == one.record for one in repeats)
    other = (one for one in repeats if one.key in held and held[one.key][0] != one.record)
    return _Judged(same, tuple(other), tuple(one for one in repeats if one.key not in held))


def _noted(batch: _Batch, i: int, reason: str, received_us: int) -> dict[str, object]:
    return _note(batch.places[i], batch.events[i], batch.texts[i], reason, received_us)


def _note(
    place: str, event: UsageEvent, text: bytes, reason: str, received_us: int
) -> dict[str, object]:
    return {
        "source": event.source,
        "event_id": event.event_id,
        "reason": reason,
        "record": text.decode(),
        "place": storable(place),
        "received_us": received_us,
    }
