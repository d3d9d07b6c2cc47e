"""Rows of a table that are looked at one by one, without a dict for each.

A row of sixty columns is four kilobytes as a dict. Here the columns are lists, a text that repeats
is one object, and a row is where it stands in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

_REPEATED: Final = 2
"""So often a text must come, at the mean of a column, that one object stands for all."""
_AT_ONCE: Final = 10_000
"""Rows whose maps are unpacked at once, before equal ones become one object."""


class Row(Mapping[str, Any]):
    """One row, by name of column; a map is a list of pairs, which others share."""

    __slots__ = ("_at", "_columns")

    def __init__(self, columns: Mapping[str, list[Any]], at: int) -> None:
        self._columns = columns
        self._at = at

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][self._at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def rows_of(table: pa.Table) -> list[Row]:
    """The rows of a table, in its order."""
    columns = {name: values_of(table.column(name)) for name in table.column_names}
    return [Row(columns, at) for at in range(table.num_rows)]


def values_of(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column; of text and of maps that repeat, shared."""
    if pa.types.is_map(column.type):
        return _maps(column)
    values = column.combine_chunks()
    if pa.types.is_string(values.type):
        coded = values.dictionary_encode()
        if _REPEATED * len(coded.dictionary) <= len(values):
            words = [*coded.dictionary.to_pylist(), None]
            return [words[code] for code in coded.indices.fill_null(-1).to_pylist()]
    told: list[Any] = values.to_pylist()
    return told


def _maps(column: pa.ChunkedArray) -> list[Any]:
    shared: dict[tuple[tuple[str, Any], ...], list[tuple[str, Any]]] = {}
    maps: list[Any] = []
    for at in range(0, len(column), _AT_ONCE):
        part = column.slice(at, _AT_ONCE).to_pylist()
        maps += [one if one is None else shared.setdefault(tuple(one), one) for one in part]
    return maps
