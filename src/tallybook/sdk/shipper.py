"""The thread that closes segments by age and ships them while the process runs."""

from __future__ import annotations

from threading import Event, Lock, Thread
from time import monotonic
from typing import Final

from tallybook.sdk.counters import Health
from tallybook.sdk.settings import Settings
from tallybook.sdk.shipping import Destination, ship
from tallybook.sdk.spool import Spool

_EVERY_S: Final = 1.0
_PAUSE_MAX_S: Final = 60.0


class Shipper:
    """Ships the spool of one process in the background, beginning with its first event.

    Args:
        settings: where to, and how long the end may take.
        spool: whose segments are closed when they are old enough.
        health: told of deliveries that failed.
    """

    def __init__(self, settings: Settings, spool: Spool, health: Health) -> None:
        self._settings = settings
        self._spool = spool
        self._health = health
        self._destination: Destination | None = None
        self._thread: Thread | None = None
        self._stop = Event()
        self._start = Lock()
        self._ships = Lock()

    def wake(self) -> None:
        """An event was written: make sure that the thread runs."""
        if self._thread is None and not self._stop.is_set():
            with self._start:
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="tallybook-shipper", daemon=True)
                    self._thread.start()

    def flush(self, timeout_s: float) -> None:
        """Close the open segment and ship everything, until the time is over."""
        self._spool.seal()
        end_s = monotonic() + timeout_s
        if self._settings.ship_to and self._ships.acquire(timeout=max(0.0, timeout_s)):
            try:
                self._ship_once(end_s)
            finally:
                self._ships.release()

    def close(self) -> None:
        """Flush and end the thread."""
        self._stop.set()
        self.flush(self._settings.flush_s)
        if self._destination is not None:
            self._destination.close()
            self._destination = None

    def after_fork(self) -> None:
        """In a child process there is no thread, and the parent's connections are not ours."""
        self._destination = None
        self._thread = None
        self._stop = Event()
        self._start = Lock()
        self._ships = Lock()

    def _run(self) -> None:
        pause_s = _EVERY_S
        while not self._stop.wait(pause_s):
            with self._health.guarded("spool"):
                self._spool.seal(older_s=self._settings.segment_s)
            if not self._settings.ship_to:
                continue
            with self._ships:
                delivered = self._ship_once(None)
            pause_s = _EVERY_S if delivered else min(pause_s * 2, _PAUSE_MAX_S)

    def _ship_once(self, end_s: float | None) -> bool:
        try:
            ship(
                self._settings.spool,
                self._reached(),
                health=self._health,
                go_on=lambda: end_s is None or monotonic() < end_s,
            )
        except Exception as error:  # noqa: BLE001 - it waits in the spool and is tried again
            self._health.add("undelivered")
            self._health.failed("shipper", error)
            return False
        return True

    def _reached(self) -> Destination:
        if self._destination is None:
            from tallybook.sdk.destinations import destination  # noqa: PLC0415 - heavy for some

            self._destination = destination(self._settings.ship_to, self._settings.token)
        return self._destination
