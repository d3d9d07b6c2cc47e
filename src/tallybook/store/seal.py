"""Sealing: inbox batches become immutable Parquet files, listed in the manifest.

The order is what makes it safe (INV-06, INV-08): write, fsync, put into its place (`shelf.py`);
only then, in one transaction, list the file and take its batches from the inbox. A crash before
that leaves a file that no manifest names, and the next seal writes the same bytes under the same
name again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any, Final, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.clock import Calendar, Period
from tallybook.errors import CorruptedError, StoreError
from tallybook.store import faults
from tallybook.store.arrivals import Arrivals
from tallybook.store.engine import Store, Tx, canonical_json
from tallybook.store.events import EVENT_SCHEMA, TEXT, WHOLE
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
        rows = _seal_lot(store, calendar, settle, batches)
        if rows:
            sealed += rows
            if on_rows:
                on_rows(rows)
    return sealed


def settle_anew(store: Store, calendar: Calendar, settle: Settle) -> None:
    """List what a settlement gives without arrivals: a decision about what is sealed already.

    Raises:
        StoreError: the disk refuses; nothing changed.
    """
    while _seal_lot(store, calendar, settle, ()) is None:
        pass


def _seal_lot(
    store: Store, calendar: Calendar, settle: Settle, batches: Sequence[int]
) -> int | None:
    """Write and list one lot.

    Returns:
        how many rows arrived; None if the books changed meanwhile and it is to be done again.
    """
    arrivals = _read_batches(store, batches)
    if arrivals is None:
        return None  # another command sealed them a moment ago
    with store.read() as tx:
        seen = manifest_version_in(tx)
    name = f"{batches[0]:09d}-{batches[-1]:09d}" if batches else f"settled-{seen:09d}"
    rows, settled = len(arrivals), settle(arrivals)
    try:
        files = _write_files(store, calendar, arrivals, settled, name)
    except OSError as error:
        raise StoreError(
            f"could not seal {rows} events: {error.strerror or error}; the inbox still holds them",
            where=store.lake.shelf.place("").rstrip("/"),
            next_step="make room on the disk, or see that the storage answers, and run the same"
            " command again",
        ) from error
    del arrivals  # a million take a fifth of a gigabyte even packed, and listing takes its own
    faults.reached("seal.renamed")
    listed = _list_files(store, files, batches, seen, settled.write)
    faults.reached("seal.listed")
    return rows if listed else None


def _write_files(
    store: Store, calendar: Calendar, arrivals: Arrivals, settled: Settled, name: str
) -> list[SealedFile]:
    with ExitStack() as opened:
        files: dict[tuple[Kind, Period], _Writing] = {}
        for kind, rows in _kinds(arrivals, settled):
            for period, part in by_period(rows, calendar):
                if (kind, period) not in files:
                    files[kind, period] = opened.enter_context(_Writing(store, period, name, kind))
                files[kind, period].add(part)
        return [files[which].done() for which in sorted(files)]


def _kinds(arrivals: Arrivals, settled: Settled) -> Iterator[tuple[Kind, pa.Table]]:
    """What becomes of arrivals, batch by batch, then what was made of them."""
    first = 0
    for batch in arrivals.batches:
        table = batch.table()
        beside = pa.array([first + i in settled.beside for i in range(len(batch))], pa.bool_())
        own = table.filter(pc.invert(beside)) if beside.true_count else table
        yield "events", own.drop_columns("role")
        if beside.true_count:
            yield "evidence", table.filter(beside)
        first += len(batch)
    yield "events", pa.Table.from_pylist([dict(row) for row in settled.derived], EVENT_SCHEMA)
    netting = [_netting_row(one) for one in settled.netted]
    yield "netting", pa.Table.from_pylist(netting, EVENT_SCHEMA)


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


def _read_batches(store: Store, batches: Sequence[int]) -> Arrivals | None:
    packed = []
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
            packed.append(bytes(row.events))
    return Arrivals(packed)


def by_period(table: pa.Table, calendar: Calendar) -> Iterator[tuple[Period, pa.Table]]:
    """The events of each period, the earliest first."""
    # From one event to the next, never month by month: one event may lie decades from the others.
    while table.num_rows:
        started = table.column("started_us")
        period = calendar.period_of(pc.min(started).as_py())
        inside = pc.less(started, calendar.bounds_us(period)[1])
        if pc.all(inside).as_py():
            yield period, table
            return
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
    with _Writing(store, period, name, kind) as file:
        file.add(part)
        return file.done()


class _Writing:
    """An immutable file while it is written, row group by row group; as `write_file`.

    Of what was added less than a row group is held.
    """

    def __init__(self, store: Store, period: Period, name: str, kind: Kind) -> None:
        self._shelf, self._kind, self._period, self._name = store.lake.shelf, kind, period, name
        self._partial = self._shelf.desk(f"{kind}/{period}/{name}")
        self._writer: pq.ParquetWriter | None = None
        self._held: pa.Table | None = None
        self._described = _Description()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        """Leave nothing open, whatever the disk says of a file that nobody will list."""
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()

    def add(self, part: pa.Table) -> None:
        """More rows, after those before."""
        self._described.add(part)
        self._held = part if self._held is None else pa.concat_tables([self._held, part])
        while self._held.num_rows >= _ROW_GROUP:
            self._write(self._held.slice(0, _ROW_GROUP))
            self._held = self._held.slice(_ROW_GROUP)

    def done(self) -> SealedFile:
        """Put it into its place."""
        if self._held is not None and (self._held.num_rows or self._writer is None):
            self._write(self._held)
        assert self._writer is not None, "a file has rows"
        self._writer.close()
        sync(self._partial)
        faults.reached("seal.written")
        digest = file_sha256(self._partial)
        # Another command may seal the same at the same time and find something else about it: no
        # file that it lists may be written over by another one.
        path = f"{self._kind}/{self._period}/{self._name}-{digest[:_DIGITS]}.parquet"
        size = self._partial.stat().st_size
        self._shelf.keep(self._partial, path, digest)
        return SealedFile(
            path=path,
            period=str(self._period),
            bytes=size,
            sha256=digest,
            added=0,
            kind=self._kind,
            **self._described.fields(),
        )

    def _write(self, rows: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._partial, rows.schema, compression="zstd", write_page_checksum=True
            )
        self._writer.write_table(rows.combine_chunks(), _ROW_GROUP)


def described(part: pa.Table) -> dict[str, Any]:
    """What the manifest says of a file's rows, from the rows: the fields of `SealedFile`."""
    description = _Description()
    description.add(part)
    return description.fields()


class _Description:
    """What the manifest says of rows, added up piece by piece."""

    def __init__(self) -> None:
        self._rows = self._digest = self._supersedes = 0
        self._starts: list[int] = []
        self._classes: set[str] = set()
        self._units: set[str] = set()
        self._price_keys: set[tuple[str, str, str, str]] = set()

    def add(self, part: pa.Table) -> None:
        """More rows."""
        started = pc.min_max(part.column("started_us")).as_py()
        self._starts = [one for one in (*self._starts, *started.values()) if one is not None]
        self._starts = [min(self._starts), max(self._starts)] if self._starts else []
        self._rows += part.num_rows
        self._digest += _table_digest(part)
        self._supersedes += part.num_rows - _equal_count(part.column("supersedes"), "")
        self._classes |= _classes(part)
        for chunk in part.column("units").chunks:
            self._units.update(chunk.keys.unique().to_pylist())
        self._price_keys |= _price_keys(part)

    def fields(self) -> dict[str, Any]:
        """Those of `SealedFile`."""
        low, high = self._starts or (None, None)
        used = [name for name in TOKEN_CLASSES if name in self._classes]
        return {
            "rows": self._rows,
            "digest": digest_text(self._digest),
            "min_us": low,
            "max_us": high,
            "meters": (*used, *sorted(self._units)),
            "price_keys": tuple(sorted(self._price_keys)),
            "supersedes": self._supersedes,
        }


def _table_digest(part: pa.Table) -> int:
    """In pieces, for a million digests as objects take more memory than the table."""
    pieces = part.select(["key", "record"]).to_batches(max_chunksize=_DIGESTS_AT_ONCE)
    lists = ([column.to_pylist() for column in piece.columns] for piece in pieces)
    return sum(content_digest(keys, records) for keys, records in lists)


def _classes(part: pa.Table) -> set[str]:
    return {name for name in TOKEN_CLASSES if (pc.max(part.column(name)).as_py() or 0) > 0}


def _price_keys(part: pa.Table) -> set[tuple[str, str, str, str]]:
    distinct = part.select(_PRICE_KEY).group_by(list(_PRICE_KEY)).aggregate([])
    columns = [distinct.column(name).to_pylist() for name in _PRICE_KEY]
    return set(zip(*columns, strict=True))


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
