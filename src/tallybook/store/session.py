"""What an engine offers: statements over sealed events, with small tables of ours beside them.

Statements are DuckDB's dialect; another engine makes them its own (`tallybook.store.dialect`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

ColumnType = Literal["text", "whole", "truth"]
Columns = Mapping[str, NDArray[Any]]
"""Columns of a query by name, each of whole numbers of its own width."""


@runtime_checkable
class Session(Protocol):
    """One opened engine. Statements are DuckDB's dialect; binds are ``$name``."""

    def table(
        self, name: str, types: Mapping[str, ColumnType], rows: Sequence[Sequence[object]]
    ) -> None:
        """Put a small table of ours beside the events.

        Args:
            name: how SQL names it.
            types: column names with their types, in order.
            rows: values in that order; None is NULL.
        """

    def run(self, statement: str, params: Mapping[str, object] | None = None) -> None:
        """Execute a statement."""

    def rows(
        self, statement: str, params: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows of a query, as tuples of Python values; whole numbers of any size are int."""

    def columns(
        self, statement: str, params: Mapping[str, object] | None = None
    ) -> Iterator[Columns]:
        """The rows of a query as columns of whole numbers, some at a time."""

    def put(self, name: str, columns: Columns) -> None:
        """Put columns of whole numbers beside the events, as a table."""


class Engine(Protocol):
    """What opens sessions."""

    def open(
        self, home: Path, views: Mapping[str, Sequence[Path]]
    ) -> AbstractContextManager[Session]:
        """A session in which each view holds the events of some sealed files.

        Args:
            home: the folder of the books.
            views: names with the files behind them; no files make an empty view.
        """
