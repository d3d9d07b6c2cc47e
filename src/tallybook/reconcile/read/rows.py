"""Files as rows, whatever they are packed in: CSV, TSV, JSON, JSON lines, Parquet, gzip.

A row is a mapping of plain names to what stood there: names are in lower case without marks, so
that ``lineItem/UsageType``, ``line_item_usage_type`` and ``lineItemUsageType`` are one column.
Figures come as text or as exact decimals, never as floats.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import msgspec

from tallybook.errors import ClockError, EventError, InvoiceError, StoreError
from tallybook.meter.explain import shown
from tallybook.meter.sources.json_records import records_of
from tallybook.meter.sources.source import BROKEN, open_bytes
from tallybook.store.warehouse import read_parquet

Row = tuple[str, dict[str, Any]]
"""The place, ``file:row``, and the fields under their plain names."""

_PARQUET: Final = b"PAR1"
_JSON_STARTS: Final = (b"{", b"[")
_PAIR: Final = 2
_DIGITS_MAX: Final = 40
_NOT_PLAIN = re.compile(r"[^a-z0-9]")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a file.

    Raises:
        InvoiceError: it cannot be opened, or a row is broken.
    """
    try:
        with open_bytes(path) as file:
            start = file.read(64)
        if start.startswith(_PARQUET):
            for place, row in read_parquet(str(path)):
                yield place, plain(row)
        elif start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in _JSON_STARTS:
            yield from _json_rows(path)
        else:
            yield from _table_rows(path)
    except (EventError, StoreError) as error:
        raise InvoiceError(error.what, where=error.where or str(path)) from error
    except BROKEN as error:
        raise InvoiceError(f"cannot be read: {error}", where=str(path)) from error


def _json_rows(path: Path) -> Iterator[Row]:
    for place, record, fault in records_of(path):
        if fault:
            raise InvoiceError(fault.what, where=place)
        yield place, plain(record)


def _table_rows(path: Path) -> Iterator[Row]:
    with io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", newline="") as text:
        try:
            header = text.readline()
            mark = "\t" if "\t" in header else (";" if ";" in header and "," not in header else ",")
            names = next(csv.reader([header], delimiter=mark, strict=True), [])
            if not any(names):
                raise InvoiceError(
                    "there is no header; the first row names the columns",
                    where=f"{path.name}:1",
                    next_step="look whether the report is whole, and import it again",
                )
            reader = csv.reader(text, delimiter=mark, strict=True)
            for cells in reader:
                place = f"{path.name}:{reader.line_num + 1}"
                if any(cells):
                    yield place, _row(place, names, cells)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InvoiceError(
                f"not a table in UTF-8: {error}",
                where=path.name,
                next_step="save the report as CSV or TSV in UTF-8, and import it again",
            ) from error


def _row(place: str, names: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    if len(cells) != len(names):
        raise InvoiceError(
            f"{len(cells)} fields stand here; the header has {len(names)}", where=place
        )
    return plain(dict(zip(names, cells, strict=True)))


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields under their plain names; what lies inside comes under the joined names."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        key = plain_name(str(name))
        inner = _mapping(value)
        if inner is None:
            found[key] = value
        else:
            found |= {f"{key}{below}": held for below, held in plain(inner).items()}
    return found


def _mapping(value: Any) -> Mapping[str, Any] | None:
    """A value that is a mapping, or the pairs of one, as Parquet gives maps."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and value and all(_is_pair(one) for one in value):
        return dict(value)
    return None


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == _PAIR and isinstance(value[0], str)


def plain_name(name: str) -> str:
    """A column's name without case and marks."""
    return _NOT_PLAIN.sub("", name.lower())


def first(row: Mapping[str, Any], *names: str) -> str:
    """The text of the first of some fields that is filled."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return str(value).strip()
    return ""


def figure(told: object, what: str) -> str:
    """A figure as plain decimal text: without exponent, sign of plus, or marks between thousands.

    Raises:
        InvoiceError: it is none.
    """
    text = str(told).strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    # Spelled out, 1e999999999 would fill the memory.
    fits = value.is_finite() and abs(value.as_tuple().exponent) <= _DIGITS_MAX  # type: ignore[arg-type]
    if not fits or len(text) > _DIGITS_MAX or "_" in text:
        raise InvoiceError(f"{what} is {shown(told)}; it is a decimal number")
    return format(value, "f")


def json_list(told: object) -> list[Mapping[str, Any]]:
    """A list of objects, which a table holds as JSON text."""
    if isinstance(told, str) and told.strip():
        try:
            told = msgspec.json.decode(told, type=Any)
        except msgspec.MsgspecError as error:
            raise InvoiceError(f"{shown(told)} stands here; it is JSON text") from error
    return (
        [plain(one) for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    )


def raw_text(raw: Mapping[str, Any]) -> str:
    """The row as it was read, as one JSON text."""
    return _ENCODER.encode({name: _kept(value) for name, value in raw.items()}).decode()


def _kept(value: Any) -> Any:
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, Mapping):
        return {str(name): _kept(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(inner) for inner in value]
    return str(value)


def not_an_instant(told: object, what: str) -> InvoiceError:
    """The fault of a date that is none."""
    return InvoiceError(f"{what} is {shown(told)}; it is a date or an instant")


FAULTS: Final = (InvoiceError, ClockError)
