"""Files of OTLP: JSON, one request or one a line, and protobuf, plain or with lengths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.sources.json_records import records_in, records_of
from tallybook.meter.sources.otel import json_spans, proto_spans
from tallybook.meter.sources.otel.framing import frames, is_protobuf
from tallybook.meter.sources.otel.readings import readings_of
from tallybook.meter.sources.source import BROKEN, Reading, cannot_read, open_bytes

_PEEK = 64


def open_files(files: Sequence[FilePath]) -> OtelFiles:
    """The source of OTLP files, gzip unpacked.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return OtelFiles(files)


class OtelFiles:
    """Files of spans, each in whichever form it is."""

    name = "otel"
    personal: tuple[Path, ...] = ()  # records are kept without people

    def __init__(self, files: Sequence[FilePath]) -> None:
        self._files = tuple(files)
        for path in self._files:
            open_bytes(path).close()

    def read(self) -> Iterator[Reading]:
        """What every span tells."""
        for path in self._files:
            try:
                with open_bytes(path) as file:
                    first = file.read(_PEEK)
            except BROKEN as error:
                yield Reading(path.name, None, cannot_read(path, error))
                continue
            if not first.strip():
                continue  # an exporter opened it and had nothing to say
            if is_protobuf(first):
                yield from _protobuf(path)
            else:
                yield from _json(records_of(path))

    def line(self, place: str, line: bytes) -> Iterator[Reading]:
        """What one line of JSON tells; see `tallybook.meter.sources.source.Lined`."""
        return _json(records_in(place, line))


def _json(records: Iterable[tuple[str, Any, EventError | None]]) -> Iterator[Reading]:
    for place, request, fault in records:
        if fault:
            yield Reading(place, None, fault)
            continue
        try:
            yield from readings_of(place, json_spans.spans_of(request))
        except EventError as error:
            yield Reading(place, None, error)


def _protobuf(path: FilePath) -> Iterator[Reading]:
    number = 0
    with open_bytes(path) as file:
        try:
            for number, (message, whole) in enumerate(frames(file), 1):
                yield from _message(f"{path.name}:{number}", message, whole=whole)
        except EventError as error:
            yield Reading(f"{path.name}:{number + 1}", None, error)
        except BROKEN as error:
            yield Reading(f"{path.name}:{number + 1}", None, cannot_read(path, error))


def _message(place: str, message: bytes, *, whole: bool) -> Iterator[Reading]:
    spans_of = proto_spans.spans_of if whole else proto_spans.spans_of_group
    try:
        yield from readings_of(place, spans_of(message))
    except EventError as error:
        yield Reading(place, None, error)
