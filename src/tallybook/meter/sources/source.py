"""What every source has, and how its files are opened."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any, BinaryIO, NamedTuple, Protocol, cast, runtime_checkable

import msgspec

from tallybook.errors import EventError
from tallybook.meter.identity import Path, canonical_record, record_digest
from tallybook.meter.mapping import RecordMap, canonical, event_id_of
from tallybook.meter.model import Role, UsageEvent
from tallybook.meter.read import read_event


class Reading(NamedTuple):
    """One thing that a record tells.

    ``place`` is ``file:line``, ``record`` what the source wrote, ``event`` what it means or why it
    means nothing, ``role`` what it is an event of. A record that tells of several operations comes
    as several readings, each with an id of its own.
    """

    place: str
    record: Any
    event: UsageEvent | EventError
    role: Role = "call"


_GZIP = b"\x1f\x8b"


class Source(Protocol):
    """Files of usage in one form."""

    @property
    def name(self) -> str:
        """The form, for people."""

    @property
    def personal(self) -> tuple[Path, ...]:
        """Where a record gives user and customer."""

    def read(self) -> Iterator[Reading]:
        """Every record of every file, in order; a record that cannot be read comes as its fault."""


@runtime_checkable
class Lined(Source, Protocol):
    """A source whose files are lines, each of which can be read by itself as it comes."""

    def line(self, place: str, line: bytes) -> Iterator[Reading]:
        """Every record of one line; ``place`` says where the line stands."""


def open_bytes(path: FilePath) -> BinaryIO:
    """Open a file, unpacking gzip.

    Raises:
        EventError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
        return cast("BinaryIO", gzip.open(path)) if packed else path.open("rb")
    except OSError as error:
        raise cannot_read(path, error) from error


def cannot_read(path: FilePath, error: Exception) -> EventError:
    """The fault of a file that cannot be opened or read to its end."""
    reason = getattr(error, "strerror", None) or str(error)
    return EventError(
        f"cannot be read: {reason}",
        where=str(path),
        next_step="check the file's name, rights and wholeness and ingest it again;"
        " what is in already is not counted twice",
    )


BROKEN = (OSError, EOFError, zlib.error)
"""What reading a broken or cut file raises."""


class Mapper:
    """Applies a mapping to the records of one file, counting repetitions for occurrence ids."""

    def __init__(self, mapping: RecordMap) -> None:
        self._mapping = mapping
        self._seen: dict[bytes, int] = {}

    def event(self, record: dict[str, Any]) -> UsageEvent | EventError:
        """The event of a record, or its fault."""
        mapping = self._mapping
        try:
            event_id = self._event_id(record)
            return read_event(canonical(record, mapping, event_id), mapping.zone)
        except EventError as error:
            return error

    def _event_id(self, record: dict[str, Any]) -> str:
        if self._mapping.id_paths:
            return event_id_of(record, self._mapping.id_paths)
        digest = record_digest(canonical_record(record, self._mapping.personal))
        ordinal = self._seen.get(digest, 0) + 1
        self._seen[digest] = ordinal
        return f"{digest.hex()}:{ordinal}"


def not_json(error: Exception) -> EventError:
    """The fault of bytes that are no JSON."""
    if isinstance(error, UnicodeDecodeError):
        return EventError("not UTF-8 text", next_step="save the file as UTF-8")
    if isinstance(error, RecursionError):
        return EventError("JSON nested too deep")
    text = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    return EventError(f"not JSON: {text}")
