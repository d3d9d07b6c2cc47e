"""How a migration is taken back: tables go, but nothing goes that was recorded.

What the books can make again from what stays (`live`'s sums, what a run knew of the run before) is
dropped. A row that only people or sources could give is not: the migration is refused, and the
books stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op
from sqlalchemy import Table, func, inspect, select, text

from tallybook.errors import StoreError
from tallybook.store.schema import METADATA


def remove_tables(tables: Iterable[Table], *, is_made_again: bool = False) -> None:
    """Drop tables, with their guards.

    Args:
        tables: of `tallybook.store.schema.METADATA`.
        is_made_again: whether their rows can be made again from what stays.

    Raises:
        StoreError: a table holds rows that would be lost.
    """
    bind = op.get_bind()
    listed = [table for table in tables if inspect(bind).has_table(table.name)]
    if not is_made_again:
        for table in listed:
            rows = bind.execute(select(func.count()).select_from(table)).scalar() or 0
            _refuse(rows, f"rows of {table.name}")
    METADATA.drop_all(bind, tables=listed)


def refuse_rows(table: str, condition: str, what: str) -> None:
    """Refuse to go back if a table holds rows that an earlier release could not read.

    Args:
        table: its name.
        condition: SQL that such rows meet.
        what: what they are, for the error.

    Raises:
        StoreError: there are such rows.
    """
    found = op.get_bind().execute(text(f"SELECT COUNT(*) FROM {table} WHERE {condition}"))
    _refuse(int(found.scalar() or 0), what)


def _refuse(rows: int, what: str) -> None:
    if rows:
        raise StoreError(
            f"the books cannot go back to an earlier schema: {rows} {what} would be lost;"
            " nothing was changed",
            next_step="keep this release, or restore the copy that was made before the upgrade",
        )
