"""Canonical usage events, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Final

import msgspec

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import PERSONAL, Path
from tallybook.meter.model import UsageEvent
from tallybook.meter.read import read_event
from tallybook.meter.sources.source import BROKEN, Reading, cannot_read, not_json, open_bytes

BOM: Final = b"\xef\xbb\xbf"
# A number with a fraction stays as written, so that a refusal names it exactly.
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)


class Jsonl:
    """Files of canonical events.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """

    name = "jsonl"
    personal: tuple[Path, ...] = PERSONAL

    def __init__(self, files: Sequence[FilePath]) -> None:
        self._files = tuple(files)
        for path in self._files:
            open_bytes(path).close()

    def read(self) -> Iterator[Reading]:
        """Every line that is not blank."""
        for path in self._files:
            yield from _read_file(path)

    def line(self, place: str, line: bytes) -> Iterator[Reading]:
        """The event of one line; see `tallybook.meter.sources.source.Lined`."""
        yield Reading(place, *read_line(line))


def _read_file(path: FilePath) -> Iterator[Reading]:
    name, number = path.name, 0
    with open_bytes(path) as file:
        try:
            for number, line in enumerate(file, 1):
                text = line.removeprefix(BOM) if number == 1 else line
                if text.isspace() or not text:
                    continue
                yield Reading(f"{name}:{number}", *read_line(text))
        except BROKEN as error:
            yield Reading(f"{name}:{number + 1}", None, cannot_read(path, error))


def read_line(line: bytes) -> tuple[object, UsageEvent | EventError]:
    """One line: the record as far as it is one, and the event or the fault."""
    try:
        record = _DECODER.decode(line)
    except FAULTS as error:
        return line.decode("utf-8", "backslashreplace").rstrip("\r\n"), not_json(error)
    if type(record) is not dict:
        return record, EventError(f"{shown(record)} stands here; an event is a JSON object")
    try:
        return record, read_event(record)
    except EventError as error:
        return record, error
