"""Sealing: inbox batches become immutable Parquet files, listed in the manifest.

The order is what makes it safe (INV-06, INV-08): write, fsync, put into its place (`shelf.py`);
only then, in one transaction, list the file and take its batches from the inbox. A crash before
that leaves a file that no manifest names, and the next seal writes the same bytes under the same
name again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import ipc

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.clock import Calendar, Period
from tallybook.errors import CorruptedError, StoreError
from tallybook.store import faults
from tallybook.store.engine import Store, Tx, canonical_json
from tallybook.store.events import EVENT_SCHEMA, INBOX_SCHEMA, TEXT, WHOLE
from tallybook.store.shelf import file_sha256, sync

Kind = Literal["events", "evidence", "netting"]
"""What a sealed file holds.

``events``: what bills, each row once. ``evidence``: observations that do not bill by themselves.
``netting``: names of events that bill no more, in the columns ``source`` and ``supersedes``.
"""

DERIVED: Final = bytes(16)
"""The record digest of an event that was made of observations: no source wrote it."""

ROWS_PER_FILE = 1_000_000
_ROW_GROUP = 122_880  # the vector size of the engine times sixty: one unit of parallel reading
_DIGITS = 16  # of the SHA-256, in a file's name
_DIGEST_MODULUS = 1 << 128
_DIGESTS_AT_ONCE = 50_000
_PRICE_KEY = ("provider", "model", "tier", "region")
DESCRIBED: Final = (
    *("key", "record", "started_us", "supersedes", "units"),
    *_PRICE_KEY,
    *TOKEN_CLASSES,
)
"""The columns that the manifest says something about."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One immutable file of the manifest, all of one period.

    ``digest`` is order-independent: the sum, modulo 2**128, of a digest of each event, in hex.
    ``price_keys`` are the distinct (provider, model, tier, region); ``meters`` the token classes
    and unit names that are not zero everywhere. ``added`` is the manifest version that listed it.
    """

    path: str
    period: str
    rows: int
    bytes: int
    sha256: str
    digest: str
    min_us: int
    max_us: int
    meters: tuple[str, ...]
    price_keys: tuple[tuple[str, str, str, str], ...]
    supersedes: int
    added: int
    kind: Kind = "events"


class Arrivals:
    """Observations that are about to be sealed, by position."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def column(self, name: str) -> list[Any]:
        """One column of `tallybook.store.events.INBOX_SCHEMA`."""
        values: list[Any] = self._table.column(name).to_pylist()
        return values

    def label(self, name: str) -> list[str]:
        """The value of one label of each; '' where there is none."""
        labels = self._table.column("labels")
        if not any(name in chunk.keys.unique().to_pylist() for chunk in labels.chunks):
            return [""] * len(self)
        return [dict(pairs or ()).get(name, "") for pairs in labels.to_pylist()]

    def rows(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """Whole rows, a map as a list of pairs."""
        rows: list[dict[str, Any]] = self._table.take(pa.array(positions, pa.int64())).to_pylist()
        return rows


def no_arrivals() -> Arrivals:
    """Nothing new: for a question, or a decision, about what is sealed already."""
    return Arrivals(INBOX_SCHEMA.empty_table())


@dataclass(frozen=True, slots=True)
class Netted:
    """An event that bills no more: its row stays, and readers leave it out."""

    source: str
    event_id: str
    started_us: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of arrivals.

    ``beside`` are the positions of those that do not bill by their own row; ``derived`` are rows
    that bill instead, in the columns of `tallybook.store.events.EVENT_SCHEMA`. ``write`` records
    what the settlement stands on, in the transaction that lists the files.
    """

    beside: frozenset[int] = frozenset()
    derived: Sequence[Mapping[str, Any]] = ()
    netted: Sequence[Netted] = ()
    write: Callable[[Tx], None] = lambda _tx: None


Settle = Callable[[Arrivals], Settled]
"""Decides what bills. It reads the books as they are; if they change before its answer is listed,
it is asked again."""


def seal(
    store: Store,
    calendar: Calendar,
    settle: Settle = lambda _arrivals: Settled(),
    on_rows: Callable[[int], None] | None = None,
) -> int:
    """Seal everything in the inbox.

    Args:
        store: open books.
        calendar: the company's, which decides the period of an instant.
        settle: decides which of the observations bill (`tallybook.meter.resolve`).
        on_rows: told the number of rows after each step, for a progress bar.

    Returns:
        the number of events sealed.

    Raises:
        StoreError: the disk refuses; the inbox still holds every event.
    """
    sealed = 0
    while batches := _next_batches(store):
        table = _read_batches(store, batches)
        if table is None:
            continue  # another command sealed them a moment ago
        name = f"{batches[0]:09d}-{batches[-1]:09d}"
        if _seal_table(store, calendar, settle, table, name, batches):
            sealed += table.num_rows
            if on_rows:
                on_rows(table.num_rows)
    return sealed


def settle_anew(store: Store, calendar: Calendar, settle: Settle) -> None:
    """List what a settlement gives without arrivals: a decision about what is sealed already.

    Raises:
        StoreError: the disk refuses; nothing changed.
    """
    while True:
        with store.read() as tx:
            name = f"settled-{manifest_version_in(tx):09d}"
        if _seal_table(store, calendar, settle, INBOX_SCHEMA.empty_table(), name, ()):
            return


def _seal_table(
    store: Store,
    calendar: Calendar,
    settle: Settle,
    table: pa.Table,
    name: str,
    batches: Sequence[int],
) -> bool:
    """Write and list one lot; False if the books changed meanwhile and it is to be done again."""
    with store.read() as tx:
        seen = manifest_version_in(tx)
    settled = settle(Arrivals(table))
    try:
        files = _write_files(store, calendar, table, settled, name)
    except OSError as error:
        raise StoreError(
            f"could not seal {table.num_rows} events: {error.strerror or error};"
            " the inbox still holds them",
            where=store.lake.shelf.place("").rstrip("/"),
            next_step="make room on the disk, or see that the storage answers, and run the same"
            " command again",
        ) from error
    faults.reached("seal.renamed")
    listed = _list_files(store, files, batches, seen, settled.write)
    faults.reached("seal.listed")
    return listed


def _write_files(
    store: Store, calendar: Calendar, table: pa.Table, settled: Settled, name: str
) -> list[SealedFile]:
    beside = pa.array([i in settled.beside for i in range(table.num_rows)], pa.bool_())
    own = table.filter(pc.invert(beside)) if settled.beside else table
    derived = pa.Table.from_pylist([dict(row) for row in settled.derived], EVENT_SCHEMA)
    netting = pa.Table.from_pylist([_netting_row(one) for one in settled.netted], EVENT_SCHEMA)
    kinds: tuple[tuple[Kind, pa.Table], ...] = (
        ("events", pa.concat_tables([own.drop_columns("role"), derived])),
        ("evidence", table.filter(beside)),
        ("netting", netting),
    )
    return [
        write_file(store, part, period, name, kind)
        for kind, rows in kinds
        for period, part in by_period(rows, calendar)
    ]


def _netting_row(one: Netted) -> dict[str, Any]:
    blank: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA.names)
    blank |= dict.fromkeys(TEXT, "") | dict.fromkeys(WHOLE, 0) | {"units": [], "labels": []}
    named = {"source": one.source, "supersedes": one.event_id, "started_us": one.started_us}
    return blank | {"key": DERIVED, "record": DERIVED} | named


def content_digest(keys: Sequence[bytes], records: Sequence[bytes]) -> int:
    """The order-independent digest of a set of events, as an integer below 2**128.

    What was made of observations is left out: the observations are in, wherever they lie, so that
    the order in which they came does not matter (INV-07).
    """
    total = 0
    for key, record in zip(keys, records, strict=True):
        if record == DERIVED:
            continue
        total += int.from_bytes(blake2b(key + record, digest_size=16).digest(), "big")
    return total % _DIGEST_MODULUS


def combined_digest(digests: Sequence[str]) -> str:
    """The digest of the union of files, in hex."""
    return digest_text(sum(int(digest, 16) for digest in digests))


def digest_text(total: int) -> str:
    """A sum of digests, in hex."""
    return f"{total % _DIGEST_MODULUS:032x}"


def _next_batches(store: Store) -> list[int]:
    with store.read() as tx:
        rows = tx.rows("SELECT batch, rows FROM inbox ORDER BY batch")
    batches, count = [], 0
    for row in rows:
        batches.append(int(row.batch))
        count += int(row.rows)
        if count >= ROWS_PER_FILE:
            break
    return batches


def _read_batches(store: Store, batches: Sequence[int]) -> pa.Table | None:
    tables = []
    with store.read() as tx:
        for batch in batches:
            row = tx.row("SELECT sha256, events FROM inbox WHERE batch = :batch", batch=batch)
            if row is None:
                return None
            if sha256(row.events).hexdigest() != row.sha256:
                raise CorruptedError(
                    f"inbox batch {batch} is not what was written",
                    where=str(store.home),
                    next_step="restore the book from a backup, then ingest the sources again",
                )
            tables.append(ipc.open_stream(row.events).read_all())
    return pa.concat_tables(tables)


def by_period(table: pa.Table, calendar: Calendar) -> Iterator[tuple[Period, pa.Table]]:
    """The events of each period, the earliest first."""
    # From one event to the next, never month by month: one event may lie decades from the others.
    while table.num_rows:
        started = table.column("started_us")
        period = calendar.period_of(pc.min(started).as_py())
        inside = pc.less(started, calendar.bounds_us(period)[1])
        yield period, table.filter(inside)
        table = table.filter(pc.invert(inside))


def write_file(
    store: Store, part: pa.Table, period: Period, name: str, kind: Kind = "events"
) -> SealedFile:
    """Write one immutable file, safe against a power cut; it counts once `list_files` lists it.

    Args:
        store: open books.
        part: events of `tallybook.store.events.EVENT_SCHEMA`, all of the period.
        period: theirs.
        name: the file's first part; a digest of its bytes follows.
        kind: what its rows are.

    Returns:
        what the manifest will say; ``added`` is still 0.

    Raises:
        OSError: the disk refuses.
    """
    shelf = store.lake.shelf
    partial = shelf.desk(f"{kind}/{period}/{name}")
    pq.write_table(
        part.combine_chunks(),
        partial,
        compression="zstd",
        row_group_size=_ROW_GROUP,
        write_page_checksum=True,
    )
    sync(partial)
    faults.reached("seal.written")
    digest = file_sha256(partial)
    # Another command may seal the same at the same time and find something else about it: no file
    # that it lists may be written over by another one.
    path = f"{kind}/{period}/{name}-{digest[:_DIGITS]}.parquet"
    size = partial.stat().st_size
    shelf.keep(partial, path, digest)
    return SealedFile(
        path=path,
        period=str(period),
        bytes=size,
        sha256=digest,
        added=0,
        kind=kind,
        **described(part),
    )


def described(part: pa.Table) -> dict[str, Any]:
    """What the manifest says of a file's rows, from the rows: the fields of `SealedFile`."""
    started = pc.min_max(part.column("started_us")).as_py()
    return {
        "rows": part.num_rows,
        "digest": _table_digest(part),
        "min_us": started["min"],
        "max_us": started["max"],
        "meters": _meters(part),
        "price_keys": _price_keys(part),
        "supersedes": part.num_rows - _equal_count(part.column("supersedes"), ""),
    }


def _table_digest(part: pa.Table) -> str:
    """In pieces, for a million digests as objects take more memory than the table."""
    pieces = part.select(["key", "record"]).to_batches(max_chunksize=_DIGESTS_AT_ONCE)
    lists = ([column.to_pylist() for column in piece.columns] for piece in pieces)
    total = sum(content_digest(keys, records) for keys, records in lists)
    return digest_text(total)


def _meters(part: pa.Table) -> tuple[str, ...]:
    used = [name for name in TOKEN_CLASSES if (pc.max(part.column(name)).as_py() or 0) > 0]
    units: set[str] = set()
    for chunk in part.column("units").chunks:
        units.update(chunk.keys.unique().to_pylist())
    return (*used, *sorted(units))


def _price_keys(part: pa.Table) -> tuple[tuple[str, str, str, str], ...]:
    distinct = part.select(_PRICE_KEY).group_by(list(_PRICE_KEY)).aggregate([])
    columns = [distinct.column(name).to_pylist() for name in _PRICE_KEY]
    return tuple(sorted(zip(*columns, strict=True)))


def _equal_count(column: pa.ChunkedArray, value: str) -> int:
    return int(pc.sum(pc.equal(column, value)).as_py() or 0)


def _list_files(
    store: Store,
    files: Sequence[SealedFile],
    batches: Sequence[int],
    seen: int,
    write: Callable[[Tx], None],
) -> bool:
    first, last = (batches[0], batches[-1]) if batches else (0, -1)
    inside = "batch BETWEEN :first AND :last"
    with store.write() as tx:
        present = tx.scalar(f"SELECT COUNT(*) FROM inbox WHERE {inside}", first=first, last=last)
        if present != len(batches):
            return False  # another command sealed them a moment ago: its files have our names
        if manifest_version_in(tx) != seen:
            return False  # what was settled stands on older observations
        list_files(tx, files)
        write(tx)
        tx.run(f"DELETE FROM inbox WHERE {inside}", first=first, last=last)
    return True


def list_files(tx: Tx, files: Sequence[SealedFile]) -> None:
    """List written files in the manifest, as its next version."""
    version = manifest_version_in(tx) + 1
    for file in files:
        tx.run(
            "INSERT INTO sealed_file (path, period, rows, bytes, sha256, digest, min_us,"
            " max_us, meters, price_keys, supersedes, added, retired, kind)"
            " VALUES (:path, :period, :rows, :bytes, :sha256, :digest, :min_us, :max_us,"
            " :meters, :price_keys, :supersedes, :added, NULL, :kind)",
            path=file.path,
            period=file.period,
            rows=file.rows,
            bytes=file.bytes,
            sha256=file.sha256,
            digest=file.digest,
            min_us=file.min_us,
            max_us=file.max_us,
            meters=canonical_json(file.meters),
            price_keys=canonical_json(file.price_keys),
            supersedes=file.supersedes,
            added=version,
            kind=file.kind,
        )


def manifest_version_in(tx: object) -> int:
    """The version of the manifest: how many times it has grown."""
    return int(tx.scalar("SELECT COALESCE(MAX(added), 0) FROM sealed_file"))  # type: ignore[attr-defined]


def sealed_file_of(row: object) -> SealedFile:
    """A row of the manifest table as a `SealedFile`."""
    values = {name: getattr(row, name) for name in SealedFile.__slots__}
    values["meters"] = tuple(json.loads(values["meters"]))
    values["price_keys"] = tuple(tuple(key) for key in json.loads(values["price_keys"]))
    return SealedFile(**values)
