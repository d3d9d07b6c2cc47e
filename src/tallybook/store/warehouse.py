"""Usage in a company's own warehouse: one schema for Parquet files and for a table, both ways.

A row is a canonical event: a column for each of its fields, of that name, and ``role``. What has a
form of its own inside (tokens, units, labels, a reported cost) is JSON text. Instants are RFC 3339
text. NULL is "not stated". `as_row` and `as_record` are each other's inverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from math import isnan
from typing import Any, Final, cast

import fsspec
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    MetaData,
    Table,
    Text,
    create_engine,
    select,
    text,
    tuple_,
)
from sqlalchemy import inspect as inspect_database
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tallybook.clock import format_instant
from tallybook.clock.instant import us_of
from tallybook.errors import ClockError, EventError, StoreError

KEY: Final = ("source", "event_id")
JSON: Final = ("tokens", "units", "labels", "reported_cost")
WHOLE: Final = ("output_delivered", "attempt", "latency_ms", "ttft_ms")
COLUMNS: Final = (
    *KEY, "role", "started_at", "ended_at", "provider", "model", "model_requested", "operation",
    "tier", "region", "tokens", "units", "usage", "status", "supersedes", "output_delivered",
    "team", "feature", "purpose", "environment", "customer", "cohort", "plan", "user", "session",
    "endpoint", "prompt_version", "evaluation_run", "labels", "trace_id", "span_id",
    "parent_span_id", "service", "operation_id", "attempt", "response_id", "request_id", "key_id",
    "latency_ms", "ttft_ms", "reported_cost",
)  # fmt: skip
SCHEMA: Final = pa.schema(
    [
        pa.field(name, pa.int64() if name in WHOLE else pa.string(), nullable=name not in KEY)
        for name in COLUMNS
    ]
)
"""What the Parquet files hold, in order."""

TABLE: Final = "tallybook_usage"
"""The table's name where none is given."""

_ROWS: Final = 10_000
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


def as_row(record: Mapping[str, Any], role: str) -> dict[str, Any]:
    """A canonical record as a row of the warehouse."""
    unknown = record.keys() - set(COLUMNS)
    assert not unknown, f"not fields of an event: {sorted(unknown)}"
    row = {name: record.get(name) for name in COLUMNS} | {"role": role}
    for name in JSON:
        if row[name] is not None:
            row[name] = _ENCODER.encode(row[name]).decode()
    return row


def as_record(row: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The canonical record and the role of a row.

    A column that the schema lacks is left out, so that a company's table may have more. A column
    of JSON may come as the value itself, an instant as a moment with a zone.

    Raises:
        EventError: a column of JSON holds something else, or a moment has no zone.
    """
    record: dict[str, Any] = {}
    for name in COLUMNS:
        value = row.get(name)
        if value is None or (isinstance(value, float) and isnan(value)):
            continue  # data frames write NULL as NaN
        record[name] = _value(name, value)
    role = record.pop("role", None)
    return record, str(role or "call")


def _value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        try:
            return format_instant(us_of(value))
        except (ClockError, TypeError) as error:
            raise EventError(
                f"{name} is {value.isoformat()}, a moment without a zone",
                next_step="store it as RFC 3339 text, or in a column with time zone",
            ) from error
    if name in JSON and isinstance(value, str):
        try:
            return _DECODER.decode(value)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise EventError(f"{name} is {value[:80]!r}; it is JSON text") from error
    return value


def write_parquet(address: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one file of rows (`as_row`).

    Args:
        address: a path, or what `fsspec` opens: ``s3://bucket/usage/part-1.parquet``.
        rows: what it holds.

    Raises:
        StoreError: the address cannot be written.
    """
    columns = {name: [row.get(name) for row in rows] for name in COLUMNS}
    with _told(address), fsspec.open(address, "wb") as file:
        pq.write_table(pa.table(columns, schema=SCHEMA), file, compression="zstd")


def read_parquet(address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows with their place, ``file:row``.

    Args:
        address: a file, a glob, or a folder, whose ``.parquet`` files are read in order of name.

    Raises:
        StoreError: there is no such file, or it is no Parquet file.
    """
    with _told(address):
        system, path = url_to_fs(address)
        paths = _files(system, path)
    if not paths:
        raise StoreError("no Parquet file here", where=address, next_step="check the address")
    for path in paths:
        name = path.rpartition("/")[2]
        with _told(path), system.open(path, "rb") as file:
            number = 0
            for batch in pq.ParquetFile(file).iter_batches(batch_size=_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{name}:{number}", row


def _files(system: Any, path: str) -> list[str]:
    if any(mark in path for mark in "*?["):
        return sorted(cast("list[str]", system.glob(path)))
    if system.isdir(path):
        return sorted(one for one in system.find(path) if one.endswith(".parquet"))
    return [path] if system.exists(path) else []


@contextmanager
def _told(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, ImportError, pa.ArrowException) as error:
        if isinstance(error, EventError):
            raise
        raise StoreError(
            f"cannot be opened as Parquet: {error}",
            where=address,
            next_step="check the address, its rights, and that the store's fsspec package is there",
        ) from error


def append_table(url: str, rows: Sequence[Mapping[str, Any]], table: str = TABLE) -> int:
    """Add rows (`as_row`) to a table, which is made if it is not there; an id goes in once.

    Args:
        url: of SQLAlchemy: ``postgresql+psycopg://user@host/db``.
        rows: what to add.
        table: its name, ``schema.table`` too.

    Returns:
        how many were not there yet.

    Raises:
        StoreError: the database refuses.
    """
    with _connected(url) as engine:
        target = _declared(table)
        target.create(engine, checkfirst=True)
        added = 0
        for start in range(0, len(rows), _KEYS):
            part = {(row["source"], row["event_id"]): dict(row) for row in rows[start:][:_KEYS]}
            try:
                added += _insert(engine, target, part)
            except IntegrityError:  # another writer was between the look and the insert
                added += _insert(engine, target, part)
        return added


_KEYS: Final = 400  # keys in one statement: some databases take no more than 999 binds


def _insert(engine: Engine, target: Table, part: Mapping[tuple[str, str], dict[str, Any]]) -> int:
    columns = [target.c[name] for name in KEY]
    with engine.begin() as connection:
        known = connection.execute(select(*columns).where(tuple_(*columns).in_(list(part))))
        held = {(source, event_id) for source, event_id in known}
        fresh = [row for key, row in part.items() if key not in held]
        if fresh:
            connection.execute(target.insert(), fresh)
    return len(fresh)


def _declared(name: str) -> Table:
    schema, _, plain = name.rpartition(".")
    columns = [
        Column(
            column,
            BigInteger if column in WHOLE else Text,
            primary_key=column in KEY,
        )
        for column in COLUMNS
    ]
    return Table(plain, MetaData(), *columns, schema=schema or None)


def read_table(
    url: str, *, table: str = "", query: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows with their place, ``table:row``.

    Args:
        url: of SQLAlchemy.
        table: the table, ``schema.table`` too; `TABLE` when neither is given.
        query: a statement instead, whose columns have the names of `COLUMNS`.

    Raises:
        StoreError: the database refuses, or there is no such table.
    """
    name = "query" if query else table or TABLE
    with _connected(url) as engine, engine.connect() as connection:
        statement = text(query) if query else _whole(engine, name)
        streamed = connection.execution_options(stream_results=True, yield_per=_ROWS)
        for number, row in enumerate(streamed.execute(statement).mappings(), 1):
            yield f"{name}:{number}", dict(row)


def _whole(engine: Engine, name: str) -> Any:
    schema, _, plain = name.rpartition(".")
    if not inspect_database(engine).has_table(plain, schema=schema or None):
        raise StoreError(
            f"there is no table {name!r}",
            where=shown_url(str(engine.url.render_as_string(hide_password=True))),
            next_step="name it with --table, or give a statement with --query",
        )
    found = Table(plain, MetaData(), schema=schema or None, autoload_with=engine)
    order = [found.c[name] for name in KEY if name in found.c]
    return found.select().order_by(*order)


@contextmanager
def _connected(url: str) -> Iterator[Engine]:
    """An engine for one piece of work. No message carries the password of the address."""
    where = shown_url(url)
    try:
        engine = create_engine(url, poolclass=NullPool)
        try:
            yield engine
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, ValueError) as error:
        if isinstance(error, EventError):
            raise
        reason = getattr(error, "orig", None) or type(error).__name__
        raise StoreError(
            f"the database refuses: {' '.join(str(reason).split())}",
            where=where,
            next_step="check the address, the rights and that the database's driver is there",
        ) from None


def shown_url(url: str) -> str:
    """An address of a database without its password and its options."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "a database"
    host = rest.partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{host}"
