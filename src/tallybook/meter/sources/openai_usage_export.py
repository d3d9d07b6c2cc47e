"""The usage exports of OpenAI's dashboard: tables whose columns are fields of the Usage API."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Final

from tallybook.clock import parse_instant
from tallybook.errors import ClockError, EventError
from tallybook.meter.explain import shown
from tallybook.meter.sources.buckets import Row, window_us
from tallybook.meter.sources.openai_usage_endpoints import (
    ASK_USAGE,
    COSTS,
    WINDOW,
    bucket_of,
    is_group,
)
from tallybook.meter.sources.source import BROKEN, cannot_read, open_bytes


def exported(path: FilePath) -> Iterator[Row]:
    """The rows of a dashboard export; a day without usage is a row without figures."""
    with io.TextIOWrapper(
        open_bytes(path), encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as text:
        number = 0
        try:
            mark, columns = _header(text)
            _check_columns(columns)
            for number, cells in enumerate(csv.reader(text, delimiter=mark, strict=True), 2):
                if any(cells):
                    yield from _export_row(f"{path.name}:{number}", columns, cells)
        except EventError as error:
            yield f"{path.name}:1", None, error
        except BROKEN as error:
            yield f"{path.name}:{number + 1}", None, cannot_read(path, error)
        except csv.Error as error:
            yield f"{path.name}:{number + 1}", None, EventError(f"not a table: {error}")


def export_groups(path: FilePath) -> tuple[str, ...]:
    """What an export is grouped by: its columns say so, filled or not."""
    with io.TextIOWrapper(
        open_bytes(path), encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as text:
        try:
            _, columns = _header(text)
        except (*BROKEN, csv.Error):
            return ()
    return tuple(name for name in columns if name.isprintable() and is_group(name))


def _header(text: io.TextIOWrapper) -> tuple[str, list[str]]:
    header = text.readline()
    mark = "\t" if "\t" in header else ","
    return mark, next(csv.reader([header], delimiter=mark, strict=True), [])


def _check_columns(columns: Sequence[str]) -> None:
    if "amount_value" in columns:
        raise EventError(COSTS, next_step=ASK_USAGE)
    if not {"start_time", "start_time_iso"} & set(columns):
        raise EventError(
            f"the header is {shown(list(columns)[:4])}; a usage export starts with start_time",
            next_step="export it again from the usage page, as CSV or TSV",
        )


def _export_row(place: str, columns: Sequence[str], cells: Sequence[str]) -> Iterator[Row]:
    shape = [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in cells]
    try:
        fields = _fields(columns, cells, shape)
        window = _export_window(fields)
        if any(value for name, value in fields.items() if name not in WINDOW):
            yield bucket_of(place, _export_endpoint(fields), window, fields)
    except EventError as error:
        yield place, shape, error


def _fields(columns: Sequence[str], cells: Sequence[str], shape: Sequence[str]) -> dict[str, str]:
    if shape != list(cells):
        raise EventError("not UTF-8 text", next_step="save the file as UTF-8")
    if len(cells) != len(columns):
        raise EventError(f"{len(cells)} fields stand here; the header has {len(columns)}")
    return dict(zip(columns, cells, strict=True))


def _export_window(fields: Mapping[str, str]) -> tuple[int, int]:
    if fields.get("start_time"):
        return window_us(fields["start_time"], fields.get("end_time"))
    try:
        start, end = (parse_instant(fields.get(f"{at}_time_iso", "")) for at in ("start", "end"))
    except ClockError as error:
        raise EventError(f"start_time_iso or end_time_iso: {error.what}") from error
    return window_us(start // 1_000_000, end // 1_000_000)


def _export_endpoint(fields: Mapping[str, str]) -> str:
    """An export does not name its endpoint; its columns do."""
    if "output_tokens" in fields:
        return "completions"
    if "input_tokens" in fields:
        return "moderations" if "moderation" in fields.get("model", "") else "embeddings"
    for endpoint, column in _COLUMN_OF.items():
        if column in fields:
            return endpoint
    raise EventError("no column of usage stands here, such as input_tokens")


_COLUMN_OF: Final = {
    "images": "images",
    "audio_speeches": "characters",
    "audio_transcriptions": "seconds",
    "vector_stores": "usage_bytes",
    "code_interpreter_sessions": "num_sessions",
    "web_search_calls": "context_level",
    "file_search_calls": "num_requests",
}
