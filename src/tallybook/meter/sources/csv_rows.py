"""Rows of CSV files under a mapping; the first row names the columns."""

from __future__ import annotations

import _csv
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path as FilePath

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import Path
from tallybook.meter.mapping import RecordMap
from tallybook.meter.model import UsageEvent
from tallybook.meter.sources.source import BROKEN, Mapper, Reading, cannot_read, open_bytes


class CsvRows:
    """CSV files of one form, UTF-8, with or without a byte order mark.

    Raises:
        EventError: a file cannot be opened, has no header, or lacks a column that the mapping
            names; nothing was read.
    """

    name = "csv"

    def __init__(self, files: Sequence[FilePath], mapping: RecordMap) -> None:
        self._files = tuple(files)
        self._mapping = mapping
        for path in self._files:
            _check_header(path, mapping)

    @property
    def personal(self) -> tuple[Path, ...]:
        """The columns of user and customer."""
        return self._mapping.personal

    def read(self) -> Iterator[Reading]:
        """Every row that is not blank."""
        for path in self._files:
            yield from _read_file(path, self._mapping)


@contextmanager
def _rows(path: FilePath) -> Iterator[_csv.Reader]:
    # A byte that is not UTF-8 becomes a lone surrogate, so that only its own row is refused.
    with io.TextIOWrapper(
        open_bytes(path), encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as text:
        yield csv.reader(text, strict=True)


def _check_header(path: FilePath, mapping: RecordMap) -> None:
    try:
        with _rows(path) as rows:
            header: list[str] = next(rows, [])
    except (*BROKEN, csv.Error) as error:
        raise cannot_read(path, error) from error
    where = f"{path}:1"
    if not any(header):
        raise EventError(
            "there is no header; the first row names the columns",
            where=where,
            next_step="look whether the export is whole, and ingest it again",
        )
    if any(not column.isprintable() for column in header):
        raise EventError(
            "the header is not plain UTF-8 text",
            where=where,
            next_step="save the file as UTF-8 and ingest it again",
        )
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise EventError(
            f"column {shown(twice[0])} stands twice in the header",
            where=where,
            next_step="leave out or rename one of them, and ingest it again",
        )
    missing = sorted({column for (column,) in mapping.paths} - set(header))
    if missing:
        raise EventError(
            f"the mapping names column {shown(missing[0])}, which the file lacks;"
            f" its columns are {', '.join(header)}",
            where=where,
            next_step="correct the mapping, or export the column",
        )


def _read_file(path: FilePath, mapping: RecordMap) -> Iterator[Reading]:
    mapper, name = Mapper(mapping), path.name
    with _rows(path) as rows:
        header: list[str] = next(rows, [])
        while True:
            place = f"{name}:{rows.line_num + 1}"
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Reading(place, None, EventError(f"not CSV: {error}"))
                continue
            except BROKEN as error:
                yield Reading(place, None, cannot_read(path, error))
                return
            if row is None:
                return
            if row:
                yield Reading(place, *_read_row(row, header, mapper))


def _read_row(
    row: list[str], header: list[str], mapper: Mapper
) -> tuple[object, UsageEvent | EventError]:
    told = "\0".join(row).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if told.split("\0") != row:
        return told.split("\0"), EventError("not UTF-8 text", next_step="save the file as UTF-8")
    if len(row) != len(header):
        return row, EventError(f"{len(row)} fields stand here; the header has {len(header)}")
    record = dict(zip(header, row, strict=True))
    return record, mapper.event(record)
