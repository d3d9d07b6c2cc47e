"""What is on the disk before anybody is told: intents of calls under way, events of settled ones.

An event is in a ``write`` into a spool before the last byte of its answer goes out; those of calls
that end in one turn of the loop are in one. The page cache survives a killed process. Intents stand
in a file that is mapped into memory: one is copied there when a call is admitted and crossed out
when it is settled. Those of a process that died become events of unknown usage, so no call is ever
lost. A power cut may take what is younger than the last ``sync``.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tallybook.clock import SystemClock
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt, Outcome, records
from tallybook.sdk.spool import OPEN, SEALED, Spool, is_at, taken

SOURCE: Final = "gateway"
_SUFFIX: Final = ".intents"
_BYTES: Final = 4 * 1024 * 1024
_UNWRITTEN_MAX: Final = 100_000
_WATCH_S: Final = 0.5
_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Attempt)
BEGUN: Final = b"+"
"""How the line of an intent begins."""
_SETTLED: Final = b"-"


class Intents:
    """Calls under way in one process, as another process would find them.

    Args:
        folder: of the files; made if it is not there.
        size: of a file, in bytes; a full one is left for a new one that holds what is under way.
    """

    def __init__(self, folder: Path, size: int = _BYTES) -> None:
        self._folder = folder
        self._size = size
        self._live: dict[str, bytes] = {}
        self._at = 0
        folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
        self._open()

    def begin(self, attempt: Attempt) -> None:
        """A call is about to be sent."""
        self.note(attempt.event_id, BEGUN + _ENCODER.encode(attempt) + b"\n")

    def note(self, event_id: str, line: bytes) -> None:
        """The same with a line that is written already."""
        self._live[event_id] = line
        end = self._at + len(line)
        if end <= self._end:
            self._map[self._at : end] = line
            self._at = end
            return
        try:
            self._renew()  # a new file holds all that is under way, this call too
        except OSError:
            del self._live[event_id]
            raise

    def settle(self, *event_ids: str) -> None:
        """Their events are written, or they were never sent."""
        live = self._live
        noted = [event_id for event_id in event_ids if live.pop(event_id, None) is not None]
        if not noted:
            return
        lines = "-{}\n".format("\n-".join(noted)).encode()
        end = self._at + len(lines)
        if end <= self._end:
            self._map[self._at : end] = lines
            self._at = end
        else:
            self._renew()  # a new file holds only what is under way

    def sync(self) -> None:
        """Bring it to the disk."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """The process ends; what is under way is left to be found."""
        self._map.close()
        if not self._live:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def _renew(self) -> None:
        old, path = (self._map, self._file), self._path
        self._open()
        old[0].close()
        path.unlink(missing_ok=True)
        os.close(old[1])

    def _open(self) -> None:
        lines = b"".join(self._live.values())
        size = max(self._size, 2 * len(lines))
        while True:
            name = f"{SystemClock().now_us()}-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
            path = self._folder / name
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(path, file):
                break
            os.close(file)
        os.posix_fallocate(file, 0, size)  # a full disk is an error here, not a signal later
        self._map = mmap.mmap(file, size)
        self._end = size
        self._map[: len(lines)] = lines
        self._at = len(lines)
        self._file, self._path = file, path


class Journal:
    """Intents and events of one process. ``note`` is that of its `Intents`.

    Args:
        folder: of the spool.
        bound_bytes: of the whole spool; beyond it new events are lost, and counted.
        health: told of what is written and lost.
        segment_s: a segment of this age is closed, to be shipped.
    """

    def __init__(
        self, folder: Path, *, bound_bytes: int, health: Health, segment_s: float = 2.0
    ) -> None:
        self._spool = Spool(
            folder,
            segment_bytes=8 * 1024 * 1024,
            segment_s=60.0,
            bound_bytes=bound_bytes,
            health=health,
            watch_s=_WATCH_S,
        )
        self._segment_s = segment_s
        self._intents = Intents(intents_of(folder))
        self.note = self._intents.note
        self._dirty = False
        self._unwritten: deque[tuple[str, bytes, int]] = deque(maxlen=_UNWRITTEN_MAX)

    @property
    def under_way(self) -> int:
        """How many calls are admitted and not settled."""
        return len(self._intents._live)  # noqa: SLF001 - one module

    @property
    def is_late(self) -> bool:
        """Whether events wait that could not be written."""
        return bool(self._unwritten)

    def admit(self, attempt: Attempt) -> None:
        """Note a call that is about to be sent.

        Raises:
            OSError: it cannot be noted.
        """
        self._intents.begin(attempt)

    def settle(self, event_id: str, events: list[dict[str, Any]]) -> bool:
        """Write the events of a call, all or none, and cross out its intent.

        Returns:
            whether they are on the disk. If not they are tried again, and the intent stands: if
            this process ends before, the call is found and its usage is unknown.
        """
        lines = b"\n".join(map(_ENCODER.encode, events))
        return self.settle_lines(event_id, lines, len(events))

    def settle_lines(self, event_id: str, lines: bytes, count: int) -> bool:
        """The same with events that are encoded already, one a line without the last line break."""
        if count and (self._unwritten or not self._spool.append(lines, events=count)):
            self._unwritten.append((event_id, lines, count))
            return False
        self._dirty = True
        self._intents.settle(event_id)
        return True

    def settle_all(self, event_ids: Sequence[str], lines: Sequence[bytes]) -> bool:
        """The same for many calls of one event each, with one ``write``."""
        count = len(lines)
        if self._unwritten or not self._spool.append(b"\n".join(lines), events=count):
            self._unwritten.extend(zip(event_ids, lines, [1] * count, strict=True))
            return False
        self._dirty = True
        self._intents.settle(*event_ids)
        return True

    def tend(self) -> None:
        """Write what could not be written, and close the segment if it is old enough.

        To be called every second or so.
        """
        while self._unwritten:
            event_id, lines, count = self._unwritten[0]
            if not self._spool.append(lines, events=count):
                break
            self._unwritten.popleft()
            self._dirty = True
            self._intents.settle(event_id)
        self._spool.seal(older_s=self._segment_s)

    def sync(self) -> None:
        """Bring to the disk what was written since; blocks for as long as the disk takes."""
        if self._dirty:
            self._dirty = False
            self._spool.sync()
            self._intents.sync()

    def close(self) -> None:
        """Close everything; calls under way are left to be found."""
        self.tend()
        self._spool.seal()
        self._intents.close()


def intents_of(folder: Path) -> Path:
    """Where the intents of a spool stand."""
    return folder / "intents"


def recover(folder: Path, health: Health) -> int:
    """Write events for calls that were under way in processes that died; how many they were.

    Their usage is unknown: the provider may have done the work. Events that were written just
    before the end are found in the spool and not written twice.
    """
    count = 0
    for path in sorted(intents_of(folder).glob(f"*{_SUFFIX}")):
        with taken(path) as file:
            if file < 0:
                continue
            lost = list(_left(path.read_bytes()))
            if lost:
                written = _ids_in(folder)
                count += _write_lost([one for one in lost if one.event_id not in written], folder)
            path.unlink(missing_ok=True)
    if count:
        health.add("recovered", count)
    return count


def _left(data: bytes) -> Iterator[Attempt]:
    live: dict[str, bytes] = {}
    for line in data.split(b"\n")[:-1]:
        if line.startswith(BEGUN):
            try:
                attempt = _DECODER.decode(line[1:])
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue  # half a line: the call was not sent yet
            live[attempt.event_id] = line[1:]
        elif line.startswith(_SETTLED):
            live.pop(line[1:].decode("ascii", "replace"), None)
    yield from map(_DECODER.decode, live.values())


def _ids_in(folder: Path) -> set[str]:
    """The ids of the events that wait in a spool."""
    found: set[str] = set()
    for suffix in (OPEN, SEALED):
        for path in folder.glob(f"*{suffix}"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            for line in data.split(b"\n")[:-1]:
                found.add(msgspec.json.decode(line, type=dict[str, Any])["event_id"])
    return found


def _write_lost(lost: list[Attempt], folder: Path) -> int:
    if not lost:
        return 0
    outcome = Outcome(status="error", took_us=0, billed=True)
    events = [event for attempt in lost for event in events_of(attempt, outcome)]
    for event in events:
        event["labels"] = {**event.get("labels", {}), "recovered": "true"}
        event.pop("ended_at", None)
        event.pop("latency_ms", None)
    beside = folder / f"{SystemClock().now_us()}-{os.getpid()}-{secrets.token_hex(4)}.recovered"
    with beside.open("wb") as file:
        file.write(b"".join(_ENCODER.encode(event) + b"\n" for event in events))
        file.flush()
        os.fsync(file.fileno())
    beside.rename(beside.with_suffix(SEALED))
    return len(lost)


def events_of(attempt: Attempt, outcome: Outcome) -> list[dict[str, Any]]:
    """The events of a call, as the gateway tells them."""
    events = records(attempt, outcome)
    for event in events:
        event["source"] = SOURCE
    return events
