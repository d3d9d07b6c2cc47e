"""Files of Langfuse: pages of the API, rows of the blob export, exports of a trace.

Traces among the files are read first: their tags, people and environment go to the observations of
the same trace, which in the blob export have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath
from typing import Any

from tallybook.errors import EventError
from tallybook.meter.identity import Path
from tallybook.meter.read import read_event
from tallybook.meter.sources.json_records import records_in, records_of
from tallybook.meter.sources.langfuse.observation import kept_of, observation_of
from tallybook.meter.sources.langfuse.told import told_of
from tallybook.meter.sources.source import Reading, open_bytes
from tallybook.meter.sources.tags import text

Record = tuple[str, Any, EventError | None]


def open_files(files: Sequence[FilePath]) -> LangfuseFiles:
    """The source of Langfuse's files, gzip unpacked.

    Raises:
        EventError: a file cannot be opened; nothing was read.
    """
    return LangfuseFiles(files)


class LangfuseFiles:
    """Files of observations, and of traces to join with them."""

    name = "langfuse"
    personal: tuple[Path, ...] = ()  # records are kept without people

    def __init__(self, files: Sequence[FilePath]) -> None:
        self._files = tuple(files)
        for path in self._files:
            open_bytes(path).close()

    def read(self) -> Iterator[Reading]:
        """What every observation tells."""
        traces: dict[str, dict[str, Any]] = {}
        for path in self._files:
            for _, record, fault in records_of(path):
                if not fault:
                    _collect(record, traces)
        for path in self._files:
            for place, record, fault in records_of(path):
                yield from _readings(place, record, fault, traces)

    def line(self, place: str, line: bytes) -> Iterator[Reading]:
        """What one line tells; see `tallybook.meter.sources.source.Lined`."""
        for where, record, fault in records_in(place, line):
            yield from _readings(where, record, fault, {})


def _collect(record: dict[str, Any], traces: dict[str, dict[str, Any]]) -> None:
    for trace in (record, record.get("trace"), *_listed(record.get("data"))):
        if isinstance(trace, dict) and _is_trace(trace):
            kept = (
                "metadata",
                "tags",
                "userId",
                "user_id",
                "sessionId",
                "session_id",
                "environment",
            )
            traces[text(trace.get("id"))] = {name: trace.get(name) for name in kept}


def _readings(
    place: str, record: Any, fault: EventError | None, traces: dict[str, dict[str, Any]]
) -> Iterator[Reading]:
    if fault:
        yield Reading(place, record, fault)
        return
    whole = [record] if _is_observation(record) else None
    rows = whole or [*_listed(record.get("observations")), *_listed(record.get("data"))]
    for number, row in enumerate(rows, 1):
        where = place if whole else f"{place}:{number}"
        if not (isinstance(row, dict) and _is_trace(row)):
            yield _reading(where, row, traces)
    known = ("observations", "data", "trace")
    if not rows and not _is_trace(record) and not any(name in record for name in known):
        yield Reading(
            place,
            _shape(record),
            EventError(
                "neither an observation nor a trace",
                next_step="export observations: a page of the API, rows, or a trace as JSON",
            ),
        )


def _reading(place: str, row: Any, traces: dict[str, dict[str, Any]]) -> Reading:
    if not isinstance(row, dict):
        return Reading(place, None, EventError("an observation is a JSON object"))
    try:
        one = observation_of(row)
        kept = kept_of(one)
        told = told_of(one, traces.get(text(one.get("traceId")), {}))
        return Reading(place, kept, read_event(told.canonical), told.role)
    except EventError as error:
        return Reading(place, _shape(row), error)


def _is_observation(record: dict[str, Any]) -> bool:
    return "traceId" in record or "trace_id" in record


def _is_trace(record: dict[str, Any]) -> bool:
    return "id" in record and "timestamp" in record and not _is_observation(record)


def _listed(told: object) -> list[Any]:
    return told if isinstance(told, list) else []


def _shape(record: dict[str, Any]) -> dict[str, Any]:
    """A record that was refused, without content and people."""
    hidden = {"input", "output", "metadata", "userId", "user_id", "statusMessage", "status_message"}
    return {
        name: value
        for name, value in record.items()
        if name not in hidden and not (isinstance(value, dict | list) and name in _NESTED)
    }


_NESTED = ("observations", "data", "trace", "scores", "toolCalls", "toolDefinitions")
