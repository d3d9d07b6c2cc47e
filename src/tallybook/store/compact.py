"""Compaction: many small files of a month become one, with the same events.

A stream of small imports leaves thousands of files, and each costs every reader something. Files
are merged with others of their own size, so that an event is written again a handful of times at
most. The old files stay where they are, retired: what a past run stood on can still be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from tallybook.clock import Period
from tallybook.errors import CorruptedError
from tallybook.store import faults
from tallybook.store.engine import Store, Tx
from tallybook.store.lake import EVERY, Snapshot
from tallybook.store.seal import (
    ROWS_PER_FILE,
    SealedFile,
    combined_digest,
    list_files,
    manifest_version_in,
    write_file,
)

MANY = 32
"""So many files of a month, of one kind and one order of magnitude, are merged."""


def compact(store: Store, is_open: Callable[[Tx, str], bool], many: int = MANY) -> int:
    """Merge small files of open periods where there are many; returns how many were retired.

    What a closed period was closed over stays as it is.

    Args:
        store: open books.
        is_open: whether a period may still change.
        many: how many files of one size are too many.

    Raises:
        CorruptedError: a file is not what was sealed, or a merged file has another content.
        OSError: the disk refuses; the old files still stand.
    """
    snapshot = store.lake.snapshot(kinds=EVERY)
    retired = 0
    for files in _crowds(snapshot, many):
        with store.read() as tx:
            if not is_open(tx, files[0].period):
                continue
        merged = _merged(store, snapshot.version, files)
        faults.reached("compact.written")
        with store.write() as tx:
            if is_open(tx, files[0].period) and _all_live(tx, files):
                _replace(tx, merged, files)
                retired += len(files)
        faults.reached("compact.listed")
    return retired


def _crowds(snapshot: Snapshot, many: int) -> Iterator[list[SealedFile]]:
    """Files to be merged with each other, no more rows at a time than a file may have."""
    sizes: dict[tuple[str, str, int], list[SealedFile]] = defaultdict(list)
    for file in snapshot.files:
        sizes[file.period, file.kind, len(str(file.rows))].append(file)
    for _, files in sorted(sizes.items()):
        crowd: list[SealedFile] = []
        for file in files:
            if sum(each.rows for each in crowd) + file.rows > ROWS_PER_FILE:
                break
            crowd.append(file)
        if len(crowd) >= many:
            yield crowd


def _merged(store: Store, version: int, files: Sequence[SealedFile]) -> SealedFile:
    """One file with the events of several; not listed yet."""
    store.lake.verify(Snapshot(version, tuple(files)))
    table = pa.concat_tables([pq.read_table(store.lake.path(file)) for file in files])
    first = files[0]
    name = f"merged-{version:09d}-{len(str(first.rows))}"
    merged = write_file(store, table, Period.parse(first.period), name, first.kind)
    whole = (sum(file.rows for file in files), combined_digest([file.digest for file in files]))
    if (merged.rows, merged.digest) != whole:
        raise CorruptedError(
            f"{len(files)} files of {whole[0]} events do not have the content that the manifest"
            f" says: digest {merged.digest[:12]}.. instead of {whole[1][:12]}..",
            where=first.path,
            next_step="tallybook check INV-07",
        )
    return merged


def _all_live(tx: Tx, files: Sequence[SealedFile]) -> bool:
    live = {str(row.path) for row in tx.rows("SELECT path FROM sealed_file WHERE retired IS NULL")}
    return all(file.path in live for file in files)


def _replace(tx: Tx, merged: SealedFile, files: Sequence[SealedFile]) -> None:
    """List the merged file and retire the others, as one version of the manifest."""
    list_files(tx, [merged])
    version = manifest_version_in(tx)
    tx.run_many(
        "UPDATE sealed_file SET retired = :version WHERE path = :path",
        [{"version": version, "path": file.path} for file in files],
    )
