"""Sealed events and the engine that reads them.

A `Snapshot` names the files of one manifest version; a `Session` is the engine opened on them, with
small tables of ours beside. The engine is DuckDB, unless `Lake.use` names another. In it only x, +,
SUM, COUNT, comparisons and joins touch money: no division, no rounding (docs/decisions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tallybook.errors import CorruptedError, StoreError
from tallybook.store.engine import Store, Tx
from tallybook.store.events import EVENT_SCHEMA, INBOX_SCHEMA
from tallybook.store.seal import Kind, SealedFile, manifest_version_in, sealed_file_of
from tallybook.store.session import Columns, ColumnType, Engine, Session
from tallybook.store.shelf import file_sha256, shelf_of

__all__ = ["ColumnType", "Columns", "DuckSession", "Lake", "Session", "Snapshot"]

_ROW_AT = pa.field("row_at", pa.int64())
_FILES_MAX: Final = 1_000_000
_ROWS_MAX: Final = 1_000_000_000
"""More than a view has of files, and a file of rows: what makes one number of both."""
_HOLDING: Final = (
    f"SELECT DISTINCT row_at // {_ROWS_MAX} FROM events e"
    " SEMI JOIN touched x ON e.trace_id = x.trace_id"
)
"""The numbers of the files of a view that hold a row of a trace in the table ``touched``."""
_ROWS_READ: Final = 250_000
"""Rows of a query that are handed on as columns at once."""
_LINKING: Final = ("trace_id", "span_id", "parent_span_id")
_ARROW = {"text": pa.string(), "whole": pa.int64(), "truth": pa.bool_()}


BILLING: Final[tuple[Kind, ...]] = ("events",)
CORRECTING: Final[tuple[Kind, ...]] = ("events", "netting")
OBSERVED: Final[tuple[Kind, ...]] = ("events", "evidence")
EVIDENCE: Final[tuple[Kind, ...]] = ("evidence",)
EVERY: Final[tuple[Kind, ...]] = ("events", "evidence", "netting")
"""Kinds of files: what bills, what takes events out, what sources told, what of it bills
nothing, all."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The live files of one manifest version, in order of path."""

    version: int
    files: tuple[SealedFile, ...]

    @property
    def rows(self) -> int:
        """The number of events."""
        return sum(file.rows for file in self.files)


class Lake:
    """The sealed events of a set of books."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._engine: Engine | None = None
        self.shelf = shelf_of(store.address)

    def use(self, engine: Engine) -> None:
        """Open every session from now on with another engine than DuckDB."""
        self._engine = engine

    def snapshot(
        self, period: str = "", version: int | None = None, kinds: Collection[Kind] = BILLING
    ) -> Snapshot:
        """The files as of a manifest version.

        Args:
            period: only this period's files; '' means all.
            version: the manifest version; None means the newest.
            kinds: only files of these kinds; without it those whose rows bill.
        """
        with self._store.read() as tx:
            return self.snapshot_in(tx, period, version, kinds)

    def snapshot_in(
        self,
        tx: Tx,
        period: str = "",
        version: int | None = None,
        kinds: Collection[Kind] = BILLING,
    ) -> Snapshot:
        """As `snapshot`, inside a transaction."""
        as_of = manifest_version_in(tx) if version is None else version
        rows = tx.rows(
            "SELECT * FROM sealed_file WHERE added <= :as_of"
            " AND (retired IS NULL OR retired > :as_of)"
            " AND (:period = '' OR period = :period) ORDER BY path",
            as_of=as_of,
            period=period,
        )
        files = (sealed_file_of(row) for row in rows if row.kind in kinds)
        return Snapshot(as_of, tuple(files))

    def may_link(self, snapshot: Snapshot, *, every: bool = False) -> bool:
        """Whether rows of some files may stand in one tree with others, as their footers say.

        A file that cannot be read says nothing; `verify` refuses it.

        Args:
            snapshot: the files.
            every: also where rows only name a trace.
        """
        return any(_may_link(self.path(file), every=every) for file in snapshot.files)

    def holding(self, snapshot: Snapshot, traces: Sequence[str]) -> Snapshot:
        """Those of some files, each with its kind, that hold a row of some traces."""
        held: set[str] = set()
        for kind in EVERY:
            files = [file for file in snapshot.files if file.kind == kind]
            with self.session(Snapshot(snapshot.version, tuple(files))) as session:
                session.table("touched", {"trace_id": "text"}, [(trace,) for trace in traces])
                held |= {files[int(at)].path for (at,) in session.rows(_HOLDING)}
        files = [file for file in snapshot.files if file.path in held]
        return Snapshot(snapshot.version, tuple(files))

    def verify(self, snapshot: Snapshot) -> None:
        """Prove that every file, as the engine will read it, holds the bytes that were sealed.

        A copy of an object that was damaged here is fetched again.

        Raises:
            CorruptedError: naming the first file that does not.
        """
        for file in snapshot.files:
            what = self._differs(file, self._read_digest)
            if what and self.shelf.forget(file.sha256):
                what = self._differs(file, self._read_digest)
            if what:
                raise CorruptedError(
                    what,
                    where=self.place(file),
                    next_step="restore this file from a backup; nothing was posted from it",
                )

    def faults(self, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
        """Files that are missing or hold other bytes than were sealed: (place, what is wrong).

        They are read where they lie, whatever was fetched of them before.
        """
        for file in snapshot.files:
            what = self._differs(file, lambda file: self.shelf.digest(file.path))
            if what:
                yield self.place(file), what

    def _read_digest(self, file: SealedFile) -> str:
        return file_sha256(self.path(file))

    def _differs(self, file: SealedFile, digest: Callable[[SealedFile], str]) -> str:
        try:
            found = digest(file)
        except OSError as error:
            return f"a sealed file of {file.rows} events cannot be read: {error.strerror}"
        if found == file.sha256:
            return ""
        differs = f"SHA-256 {found[:16]}.. instead of {file.sha256[:16]}.."
        return f"a sealed file of {file.rows} events is not what was written: {differs}"

    def identities(self, file: SealedFile) -> tuple[list[bytes], list[bytes]]:
        """The (keys, record digests) of a file's events, in order.

        Raises:
            CorruptedError: the file cannot be read.
        """
        try:
            columns = pq.read_table(self.path(file), columns=["key", "record"])
        except (OSError, pa.ArrowException) as error:
            raise CorruptedError(
                f"a sealed file of {file.rows} events cannot be read: {error}",
                where=str(self.path(file)),
                next_step="restore this file from a backup",
            ) from error
        return columns.column("key").to_pylist(), columns.column("record").to_pylist()

    def _listed(self, snapshot: Snapshot, kind: Kind) -> list[str]:
        return [str(self.path(file)) for file in snapshot.files if file.kind == kind]

    def path(self, file: SealedFile) -> Path:
        """A file that can be read: where it lies, or what was fetched of it.

        Raises:
            StoreError: the storage does not give it.
        """
        return self.shelf.path(file.path, file.sha256)

    def place(self, file: SealedFile) -> str:
        """Where a file lies, for people."""
        return self.shelf.place(file.path)

    @contextmanager
    def session(
        self,
        snapshot: Snapshot,
        corrections: Snapshot | None = None,
        *,
        beside: Snapshot | None = None,
        threads: int | None = None,
    ) -> Iterator[Session]:
        """The engine, opened on the files of a snapshot as the view ``events``.

        Args:
            snapshot: the files to read.
            corrections: files whose events supersede others, as the view ``corrections``.
            beside: files that tell of the same traces, as the view ``beside``: evidence, each row
                with its role, and events of other months, with the role ``elsewhere``.
            threads: how many DuckDB may use; None lets it choose.
        """
        if self._engine is not None:
            views = {"events": snapshot} | ({"corrections": corrections} if corrections else {})
            paths = {name: [self.path(file) for file in of.files] for name, of in views.items()}
            with self._engine.open(self._store.home, paths) as session:
                yield session
            return
        connection = duckdb.connect(":memory:")
        try:
            spill = self._store.home / "lake" / "spill"
            connection.execute(f"SET temp_directory = '{_quoted(str(spill))}'")
            connection.execute("SET memory_limit = '1GB'")
            connection.execute("SET preserve_insertion_order = false")
            # It would stand on standard output in a notebook; we draw our own, where people look.
            connection.execute("SET enable_progress_bar = false")
            if threads:
                connection.execute(f"SET threads = {threads}")
            duck = DuckSession(connection, str(self._store.home))
            duck.open_events("events", [str(self.path(file)) for file in snapshot.files])
            if corrections:
                listed = [str(self.path(file)) for file in corrections.files]
                duck.open_events("corrections", listed)
            if beside:
                duck.open_beside({k: self._listed(beside, k) for k in ("events", "evidence")})
            yield duck
        finally:
            connection.close()


class DuckSession:
    """DuckDB, opened: what runs every statement as it is written."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, where: str) -> None:
        self._connection = connection
        self._where = where

    def open_events(self, name: str, paths: Sequence[str]) -> None:
        """Make a view of sealed events over Parquet files; over none, an empty one.

        ``row_at`` tells the rows of a session apart.
        """
        if paths:
            self.run(f"CREATE VIEW {name} AS {_scan(paths, 0)}")
        else:
            self._connection.register(name, EVENT_SCHEMA.append(_ROW_AT).empty_table())

    def open_beside(self, paths: Mapping[str, Sequence[str]]) -> None:
        """Make the view ``beside`` over files of events and of evidence.

        Args:
            paths: by kind of file.
        """
        elsewhere, evidence = paths["events"], paths["evidence"]
        parts = []
        if elsewhere:
            parts.append(f"SELECT *, 'elsewhere' AS role FROM ({_scan(elsewhere, _FILES_MAX)})")
        if evidence:
            parts.append(_scan(evidence, 2 * _FILES_MAX))
        if parts:
            self.run(f"CREATE VIEW beside AS {' UNION ALL BY NAME '.join(parts)}")
        else:
            self._connection.register("beside", INBOX_SCHEMA.append(_ROW_AT).empty_table())

    def table(
        self, name: str, types: Mapping[str, ColumnType], rows: Sequence[Sequence[object]]
    ) -> None:
        """Put a small table of ours beside the events.

        Args:
            name: how SQL names it.
            types: column names with their types, in order.
            rows: values in that order; None is NULL.
        """
        columns: list[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(types)
        arrays = [
            pa.array(column, _ARROW[kind])
            for column, kind in zip(columns, types.values(), strict=True)
        ]
        self._connection.register(f"{name}_rows", pa.table(arrays, names=list(types)))
        self.run(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM {name}_rows")

    def put(self, name: str, columns: Columns) -> None:
        """Put columns of whole numbers beside the events, as a table."""
        self._connection.register(f"{name}_columns", pa.table(dict(columns)))
        self.run(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {name}_columns")

    def run(self, statement: str, params: Mapping[str, object] | None = None) -> None:
        """Execute a statement."""
        self._execute(statement, params)

    def rows(
        self, statement: str, params: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows of a query, as tuples of Python values; HUGEINT comes as int."""
        return self._execute(statement, params).fetchall()

    def columns(
        self, statement: str, params: Mapping[str, object] | None = None
    ) -> Iterator[Columns]:
        """The rows of a query as columns of whole numbers, 250,000 at most at once.

        Nothing else may be asked until all were taken.
        """
        found = self._execute(statement, params)
        for batch in found.to_arrow_reader(_ROWS_READ):
            yield {
                name: batch.column(at).to_numpy(zero_copy_only=False)
                for at, name in enumerate(batch.schema.names)
            }

    def _execute(
        self, statement: str, params: Mapping[str, object] | None
    ) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(statement, dict(params) if params else None)
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException):
            raise  # a statement that makes no sense is our own mistake, not the data's
        except duckdb.OutOfRangeException as error:
            raise StoreError(
                f"an amount or a quantity does not fit its type: {error}", where=self._where
            ) from error
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise StoreError(
                f"the engine could not read or write: {error}",
                where=self._where,
                next_step="make room on the disk, or restore the file that it names",
            ) from error
        except duckdb.Error as error:
            raise CorruptedError(
                f"sealed events cannot be read: {error}",
                where=self._where,
                next_step="restore the file from a backup",
            ) from error


@lru_cache(maxsize=4096)
def _may_link(path: Path, *, every: bool) -> bool:
    """What the footer says: a row names a parent, or a trace without a span."""
    try:
        footer = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return False
    at = {footer.schema.column(i).path: i for i in range(footer.num_columns)}
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        found = {name: group.column(at[name]).statistics for name in _LINKING}
        if any(one is None or not one.has_min_max for one in found.values()):
            return True
        trace, span, parent = (found[name] for name in _LINKING)
        if trace.max and (every or parent.max or not span.min):
            return True
    return False


def _scan(paths: Sequence[str], first: int) -> str:
    listed = ", ".join(f"'{_quoted(path)}'" for path in paths)
    row_at = f"CAST((file_index + {first}) * {_ROWS_MAX} + file_row_number AS BIGINT) AS row_at"
    return f"SELECT *, {row_at} FROM read_parquet([{listed}])"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
