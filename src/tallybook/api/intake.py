"""From requests to the inbox: one thread writes, many requests share a transaction.

A request is done when its spans are claimed and on the disk. Only then is its sender told so; a
crash before loses nothing that anybody believes to be kept, and a repetition counts once (INV-06).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

from tallybook.api.model import Limits
from tallybook.clock import Clock
from tallybook.errors import EventError
from tallybook.meter.identity import Path as RecordPath
from tallybook.meter.ingest import ingest
from tallybook.meter.rejects import Rejects
from tallybook.meter.sources.source import Reading
from tallybook.store import Store
from tallybook.store.commands import Command

_LOG = logging.getLogger(__name__)


class _Request(NamedTuple):
    good: Sequence[Reading]
    refused: Sequence[Reading]
    done: Future[int]


class Full(Exception):  # noqa: N818 - an answer, not a failure
    """So much waits to be written that no more is taken."""


class Intake:
    """Writes what requests bring, in a thread of its own.

    Args:
        store: open books; used by this thread alone.
        clock: when events are received.
        new_id: gives random subject ids.
        reject_folder: where records that cannot be read are kept (`Rejects`).
        limits: how much may wait, and how much is written at once.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        reject_folder: Path,
        limits: Limits,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._reject_folder = reject_folder
        self._limits = limits
        self._queue: SimpleQueue[_Request | None] = SimpleQueue()
        self._lock = Lock()
        self._waiting = 0
        self._rejects = Rejects(reject_folder, "otel")
        self._thread = Thread(target=self._run, name="intake", daemon=True)

    @contextmanager
    def running(self) -> Iterator[Intake]:
        """Work until the block ends; what waits then is still written."""
        self._thread.start()
        try:
            yield self
        finally:
            self._queue.put(None)
            self._thread.join()
            self._rejects.close()

    @property
    def alive(self) -> bool:
        """Whether anybody writes."""
        return self._thread.is_alive()

    def submit(self, readings: Sequence[Reading]) -> Future[int]:
        """Hand over what a request brought; the future is done when it is on the disk.

        It says how many records that cannot be read found no room among the rejected.

        Raises:
            Full: too much waits already.
        """
        good = [one for one in readings if not isinstance(one.event, EventError)]
        refused = [one for one in readings if isinstance(one.event, EventError)]
        with self._lock:
            if self._waiting and self._waiting + len(readings) > self._limits.waiting_spans:
                raise Full
            self._waiting += len(readings)
        done: Future[int] = Future()
        self._queue.put(_Request(good, refused, done))
        return done

    def _run(self) -> None:
        with self._store.held_open():  # or each batch would end with a copy of the whole log
            while True:
                batch, ends = self._next()
                live = [one for one in batch if one.done.set_running_or_notify_cancel()]
                self._write(live)
                with self._lock:
                    self._waiting -= sum(len(one.good) + len(one.refused) for one in batch)
                if ends:
                    return

    def _next(self) -> tuple[list[_Request], bool]:
        """The requests that wait, up to a batch; and whether the end was among them."""
        batch: list[_Request] = []
        size = 0
        while size < self._limits.batch_spans:
            try:
                one = self._queue.get(block=not batch)
            except Empty:
                break
            if one is None:
                return batch, True
            batch.append(one)
            size += len(one.good) + len(one.refused)
        return batch, False

    def _write(self, batch: Sequence[_Request]) -> None:
        try:
            self._ingest([reading for one in batch for reading in one.good])
            dropped = [self._rejects.keep(one.refused) for one in batch]
        except Exception as error:  # noqa: BLE001 - the thread outlives it, its cause is handed on
            if len(batch) > 1:  # one request does not spoil the others
                for one in batch:
                    self._write([one])
                return
            _LOG.warning("a request could not be written: %s", error)
            for one in batch:
                one.done.set_exception(error)
            return
        for one, count in zip(batch, dropped, strict=True):
            one.done.set_result(count)

    def _ingest(self, readings: Sequence[Reading]) -> None:
        if not readings:
            return
        ingest(
            self._store,
            _Given(readings),
            clock=self._clock,
            new_id=self._new_id,
            on_progress=None,
            reject_folder=self._reject_folder,
            command=Command("ingest", {"source": "otel"}, "api"),
        )


class _Given:
    """Readings that are at hand, as a source."""

    name = "otel"
    personal: tuple[RecordPath, ...] = ()

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def read(self) -> Iterator[Reading]:
        return iter(self._readings)
