"""Rows of a company's own warehouse: canonical events in Parquet files or in a table.

`tallybook.store.warehouse` has the schema and opens both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.identity import PERSONAL, Path
from tallybook.meter.model import ROLES, Role
from tallybook.meter.read import read_event
from tallybook.meter.sources.source import Reading
from tallybook.store.warehouse import as_record, read_parquet, read_table

Rows = Iterator[tuple[str, Mapping[str, Any]]]
_ROLE_OF: Final[Mapping[str, Role]] = {role: role for role in ROLES}


class WarehouseRows:
    """Rows as a source.

    Args:
        name: ``parquet`` or ``table``, for people; an event's own source stands in its row.
        opened: opens one after another, each giving places and rows.
    """

    personal: tuple[Path, ...] = PERSONAL

    def __init__(self, name: str, opened: Sequence[Callable[[], Rows]]) -> None:
        self.name = name
        self._opened = tuple(opened)

    def read(self) -> Iterator[Reading]:
        """Every row.

        Raises:
            StoreError: one cannot be opened, or breaks off; the rows before it were read.
        """
        for rows in self._opened:
            for place, row in rows():
                yield _reading(place, row)


def parquet_rows(addresses: Sequence[str]) -> WarehouseRows:
    """Parquet files, globs or folders, on any file system that fsspec opens."""
    return WarehouseRows("parquet", [partial(read_parquet, address) for address in addresses])


def table_rows(url: str, *, table: str = "", query: str = "") -> WarehouseRows:
    """A table, or what a statement gives, at a URL of SQLAlchemy."""
    return WarehouseRows("table", [partial(read_table, url, table=table, query=query)])


def _reading(place: str, row: Mapping[str, Any]) -> Reading:
    try:
        record, told = as_record(row)
        role = _ROLE_OF.get(told)
        if role is None:
            return Reading(place, record, _no_role(told))
        return Reading(place, record, read_event(record), role)
    except EventError as error:
        return Reading(place, {name: str(value) for name, value in row.items()}, error)


def _no_role(told: str) -> EventError:
    return EventError(f"role is {shown(told)}; it is one of {', '.join(ROLES)}")
