"""JSON records under a mapping: one object, an array, a list inside an object, or JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path as FilePath
from typing import Any, Final

import msgspec

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.mapping import RecordMap, found
from tallybook.meter.sources.jsonl import BOM, FAULTS
from tallybook.meter.sources.source import (
    BROKEN,
    Mapper,
    Reading,
    cannot_read,
    not_json,
    open_bytes,
)

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ESCAPED: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
"""What a backslash begins: both halves of a character, one half alone, or anything else."""
_REPLACEMENT: Final = rb"\ufffd"


def decoded(text: bytes) -> Any:
    """One JSON value, numbers with a fraction as Decimal.

    JavaScript cuts text between the halves of a character and writes the half that is left; it is
    read as U+FFFD, as the same program writes it in protobuf.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: it is none.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        whole = bytearray(text)  # written over in place: millions of parts take gigabytes
        for found in _ESCAPED.finditer(text):
            if found[1]:
                whole[found.start() : found.end()] = _REPLACEMENT
        if whole == text:
            raise
        return _DECODER.decode(whole)


class JsonRecords:
    """JSON files of one form. A file that is one JSON value is read whole; else line by line.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """

    name = "json"

    def __init__(self, files: Sequence[FilePath], mapping: RecordMap) -> None:
        self._files = tuple(files)
        self._mapping = mapping
        self._mapper = Mapper(mapping)
        for path in self._files:
            open_bytes(path).close()

    @property
    def personal(self) -> tuple[Path, ...]:
        """The paths of user and customer."""
        return self._mapping.personal

    @property
    def counts_repetitions(self) -> bool:
        """Whether an id depends on how often its record stood in the file before."""
        return not self._mapping.id_paths

    def read(self) -> Iterator[Reading]:
        """Every record; in a file of one value the place is ``file:ordinal`` of the record."""
        for path in self._files:
            mapper = Mapper(self._mapping)
            for place, record, fault in records_of(path, self._mapping.records):
                yield Reading(place, record, fault or mapper.event(record))

    def line(self, place: str, line: bytes) -> Iterator[Reading]:
        """Every record of one line; see `tallybook.meter.sources.source.Lined`."""
        for at, record, fault in records_in(place, line, self._mapping.records):
            yield Reading(at, record, fault or self._mapper.event(record))


def records_of(
    path: FilePath, list_path: Path = ()
) -> Iterator[tuple[str, Any, EventError | None]]:
    """Places with JSON objects, or with what stands there and why it is no record.

    Args:
        path: a file of one JSON value, which is read whole, or of JSON lines.
        list_path: where in a value the list of records lies; () takes the value itself, or each
            member of an array.
    """
    return judged(_records(path, list_path))


def records_in(
    place: str, line: bytes, list_path: Path = ()
) -> Iterator[tuple[str, Any, EventError | None]]:
    """The same of one line of JSON lines, of which one knows only where it stands."""
    return judged(_line(place, line, list_path))


def judged(
    records: Iterable[tuple[str, Any]],
) -> Iterator[tuple[str, Any, EventError | None]]:
    """Each record with its fault if it is none."""
    for place, record in records:
        if isinstance(record, dict):
            yield place, record, None
        elif isinstance(record, EventError):
            yield place, None, record
        else:
            fault = EventError(f"{shown(record)} stands here; a record is a JSON object")
            yield place, record, fault


def _records(path: FilePath, list_path: Path) -> Iterator[tuple[str, Any]]:
    """Places with records or faults."""
    with open_bytes(path) as file:
        try:
            first = file.readline().removeprefix(BOM)
            second = file.readline() if _is_json(first) else b""
            if second.strip():
                yield from _lines(path.name, chain((first, second), file), list_path)
            else:
                whole = first + second + file.read()
                yield from _whole(path.name, whole, list_path)
        except BROKEN as error:
            yield path.name, cannot_read(path, error)


def _lines(name: str, lines: Iterable[bytes], list_path: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.isspace():
            yield from _line(f"{name}:{number}", line, list_path)


def _line(place: str, line: bytes, list_path: Path) -> Iterator[tuple[str, Any]]:
    try:
        value = decoded(line)
    except FAULTS as error:
        yield place, not_json(error)
    else:
        yield from _listed(place, value, list_path)


def _whole(name: str, whole: bytes, list_path: Path) -> Iterator[tuple[str, Any]]:
    try:
        value = decoded(whole)
    except FAULTS as error:
        lines = whole.splitlines(keepends=True)
        if any(_is_json(line) for line in lines):  # JSON lines whose first line is broken
            yield from _lines(name, lines, list_path)
        else:
            yield f"{name}:1", not_json(error)
        return
    yield from _listed(name, value, list_path)


def _listed(place: str, value: Any, list_path: Path) -> Iterator[tuple[str, Any]]:
    if list_path:
        held = found(value, list_path)
        if not isinstance(held, list):
            where = ".".join(list_path)
            yield place, EventError(f"records: at {where} is {shown(held)}; it is a list")
            return
        value = held
    if isinstance(value, list):
        yield from ((f"{place}:{number}", record) for number, record in enumerate(value, 1))
    else:
        yield place, value


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(decoded(line), dict | list)
    except FAULTS:
        return False
