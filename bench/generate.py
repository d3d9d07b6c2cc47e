"""Books with sealed events, made in bulk: store's own schema, files and manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from bench.company import PERIOD, write_books
from tallybook.books.documents import read_folder
from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.clock import Calendar, Period
from tallybook.post.apply import apply_documents
from tallybook.store import Store, sql_text
from tallybook.store.commands import Command
from tallybook.store.events import EVENT_SCHEMA, INBOX_SCHEMA, TEXT
from tallybook.store.seal import ROWS_PER_FILE, Kind, SealedFile, list_files, write_file

SPANS = 64
"""Rows of a made-up trace."""
NOW_US = 1_790_000_000_000_000


def make_home(home: Path, rows: int) -> None:
    """Make books with ``rows`` sealed events of `PERIOD`; the same events for the same number."""
    store = make_books(home)
    period = Period.parse(PERIOD)
    files = [
        write_file(store, table, period, f"{first:012d}")
        for first, table in _tables(rows, min(rows, ROWS_PER_FILE))
    ]
    with store.write() as tx:
        list_files(tx, files)
    store.close()


def make_graph(home: Path, rows: int) -> None:
    """Make books with ``rows`` spans of `PERIOD` in traces of up to 64 levels.

    Three in four are calls, the rest are steps of agents and tools; only roots name who started
    them. A child is told after its parent, in the same file.
    """
    store = make_books(home, transfers=True)
    period = Period.parse(PERIOD)
    files = []
    for first, table in _tables(rows, min(rows, ROWS_PER_FILE), SPANS):
        parts: tuple[tuple[Kind, pa.Table], ...] = _in_traces(first, table)
        files += [write_file(store, part, period, f"{first:012d}", kind) for kind, part in parts]
    with store.write() as tx:
        list_files(tx, files)
    store.close()


def _in_traces(first: int, table: pa.Table) -> tuple[tuple[Kind, pa.Table], ...]:
    """Made-up events as calls and as steps of traces."""
    with duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")
        found = engine.execute(
            sql_text("bench", "spans"), {"first": first, "last": first + table.num_rows}
        ).to_arrow_table()
    for name in ("trace_id", "span_id", "parent_span_id", "service"):
        at = EVENT_SCHEMA.get_field_index(name)
        table = table.set_column(at, EVENT_SCHEMA.field(name), found.column(name))
    calls = found.column("is_call")
    steps, is_root = (
        table.filter(pc.invert(calls)),
        found.column("is_root").filter(pc.invert(calls)),
    )
    for name in ("team", "feature", "purpose", "key_id"):
        at = EVENT_SCHEMA.get_field_index(name)
        said = pc.if_else(is_root, steps.column(name), "")
        steps = steps.set_column(at, EVENT_SCHEMA.field(name), said)
    role = pa.repeat(pa.scalar("span"), steps.num_rows)
    steps = steps.append_column(INBOX_SCHEMA.field("role"), role)
    return ("events", table.filter(calls)), ("evidence", steps)


def add_events(home: Path, count: int, number: int) -> Path:
    """Seal events more, other ones for another number; returns their file."""
    store = Store.open(home)
    first = 10_000_000_000 + number * count
    part = made_up(first, first + count, 2 * first)
    file = write_file(store, part, Period.parse(PERIOD), f"new-{number}")
    with store.write() as tx:
        list_files(tx, [file])
    path = store.lake.path(file)
    store.close()
    return path


def make_larger(home: Path, small: Path, times: int) -> None:
    """Make books with each file of ``small`` linked ``times`` times, so that it takes no disk."""
    store, origin = make_books(home), Store.open(small)
    files: list[SealedFile] = []
    for file in origin.lake.snapshot().files:
        for n in range(times):
            path = file.path.replace(".parquet", f"-{n:03d}.parquet")
            target = home / "lake" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(origin.lake.path(file))
            files.append(replace(file, path=path))
    with store.write() as tx:
        list_files(tx, files)
    store.close()
    origin.close()


def make_books(home: Path, *, transfers: bool = False) -> Store:
    """Make books without events, under the policy of the made-up company."""
    store = Store.create(home)
    write_books(home / "books", transfers=transfers)
    apply_documents(store, read_folder(home / "books"), Command("apply", {}, "bench"), NOW_US)
    return store


def made_up(first: int, last: int, total: int, per: int = 1) -> pa.Table:
    """The events of one stretch, as columns of `EVENT_SCHEMA`; ``per`` in a row are a feature's."""
    start_us, end_us = Calendar("UTC", "2026-01").bounds_us(Period.parse(PERIOD))
    with duckdb.connect() as engine:
        engine.execute("SET enable_progress_bar = false")
        found = engine.execute(
            sql_text("bench", "events"),
            {"first": first, "last": last, "total": total, "per": per}
            | {"start_us": start_us, "end_us": end_us},
        ).to_arrow_table()
    return pa.table([_column(found, field) for field in EVENT_SCHEMA], schema=EVENT_SCHEMA)


def _tables(rows: int, step: int, per: int = 1) -> Iterator[tuple[int, pa.Table]]:
    for first in range(0, rows, step):
        yield first, made_up(first, min(first + step, rows), rows, per)


def _column(found: pa.Table, field: pa.Field) -> Any:
    """A generated column, or the value that ingest gives a field that no source told."""
    if field.name in found.column_names:
        return found.column(field.name).cast(field.type)
    counts = (*TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE)
    plain = "" if field.name in TEXT else 0 if field.name in counts else None
    return pa.repeat(pa.scalar(plain, field.type), found.num_rows)
