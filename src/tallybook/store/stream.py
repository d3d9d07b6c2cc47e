"""Usage that waits in the inbox, read as it comes, in an engine that is held open.

Opening an engine and putting the prices beside the events costs more than rating a few thousand of
them. Whoever looks every second holds one `Stream` and loads into it what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from tallybook.errors import CorruptedError
from tallybook.store.engine import Store, Tx
from tallybook.store.events import INBOX_SCHEMA
from tallybook.store.lake import DuckSession


@dataclass(frozen=True, slots=True)
class Waiting:
    """One batch of the inbox, as it was written."""

    batch: int
    rows: int
    sha256: str
    events: bytes


def waiting_since(tx: Tx, batch: int, rows: int) -> list[Waiting]:
    """The batches after one, the oldest first, at most so many rows but one batch at least.

    Args:
        tx: a transaction.
        batch: the last one that was read.
        rows: where to stop.
    """
    found: list[int] = []
    count = 0
    for row in tx.rows("SELECT batch, rows FROM inbox WHERE batch > :batch ORDER BY batch",
                       batch=batch):  # fmt: skip
        if found and count + int(row.rows) > rows:
            break
        count += int(row.rows)
        found.append(int(row.batch))
    return [_waiting(tx, number) for number in found]


def waiting_span(tx: Tx) -> tuple[int, int]:
    """The first and the last batch of the inbox; where it is empty, 0 and the last that was."""
    low = tx.scalar("SELECT MIN(batch) FROM inbox")
    high = tx.scalar("SELECT MAX(batch) FROM inbox")
    if low is None:
        return 0, tx.last_number("inbox", "batch")
    return int(low), int(high)


def _waiting(tx: Tx, batch: int) -> Waiting:
    row = tx.row("SELECT rows, sha256, events FROM inbox WHERE batch = :batch", batch=batch)
    assert row is not None, "read in the same transaction"
    return Waiting(batch, int(row.rows), str(row.sha256), bytes(row.events))


class Stream:
    """An engine in which events of the inbox are the table ``waiting``, prices beside them.

    Args:
        store: open books.
        threads: how many the engine may use.
    """

    def __init__(self, store: Store, threads: int = 1) -> None:
        self._store = store
        self._connection = duckdb.connect(":memory:")
        self._connection.execute(f"SET threads = {threads}")
        self._connection.execute("SET memory_limit = '1GB'")
        self.session = DuckSession(self._connection, str(store.home))
        self.load(())

    def load(
        self, batches: Sequence[Waiting], from_us: int | None = None, to_us: int | None = None
    ) -> int:
        """Make ``waiting`` the events of some batches, with their ``batch`` and ``place`` in it.

        Args:
            batches: which.
            from_us: only what started from here on, if given.
            to_us: only what started before.

        Returns:
            how many calls were left out.

        Raises:
            CorruptedError: a batch is not what was written.
        """
        tables = [self._table(one) for one in batches]
        schema = INBOX_SCHEMA.append(_BATCH).append(_PLACE)
        table = pa.concat_tables(tables) if tables else schema.empty_table()
        left_out = 0
        if from_us is not None and to_us is not None:
            started = table.column("started_us")
            inside = pc.and_(pc.greater_equal(started, from_us), pc.less(started, to_us))
            if not pc.all(inside).as_py():
                calls = pc.equal(table.column("role"), "call")
                left_out = int(pc.sum(pc.and_not(calls, inside)).as_py() or 0)
                table = table.filter(inside)
        self._table_waiting = table
        self._connection.register("waiting", table)
        return left_out

    def distinct(self, *columns: str) -> list[tuple[str, ...]]:
        """The combinations of some columns of text among what was loaded."""
        found = self._table_waiting.group_by(columns, use_threads=False).aggregate([])
        return list(zip(*(found.column(name).to_pylist() for name in columns), strict=True))

    def used(self, quantities: Sequence[str]) -> set[str]:
        """Which of some columns hold more than nothing in what was loaded, and the units told."""
        table = self._table_waiting
        most = ((name, pc.max(table.column(name)).as_py()) for name in quantities)
        units = (chunk.keys.unique().to_pylist() for chunk in table.column("units").chunks)
        return {name for name, top in most if top} | {str(one) for part in units for one in part}

    def close(self) -> None:
        """Release the engine."""
        self._connection.close()

    def _table(self, one: Waiting) -> pa.Table:
        if sha256(one.events).hexdigest() != one.sha256:
            raise CorruptedError(
                f"inbox batch {one.batch} is not what was written",
                where=str(self._store.home),
                next_step="restore the book from a backup, then ingest the sources again",
            )
        table = ipc.open_stream(one.events).read_all()
        numbers = pa.repeat(pa.scalar(one.batch, pa.int64()), table.num_rows)
        places = pa.array(np.arange(table.num_rows, dtype=np.int64))
        return table.append_column(_BATCH, numbers).append_column(_PLACE, places)


_BATCH = pa.field("batch", pa.int64(), nullable=False)
_PLACE = pa.field("place", pa.int64(), nullable=False)
