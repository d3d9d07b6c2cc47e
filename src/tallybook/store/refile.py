"""Refiling: when the company's zone changes, some events belong to another month than their file.

The zone is fixed by the first close, so what is refiled was never issued. The old files stay where
they are, retired: what a past run stood on can still be read.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from tallybook.clock import Calendar, Period
from tallybook.errors import StoreError
from tallybook.store.engine import Store
from tallybook.store.lake import EVERY
from tallybook.store.seal import SealedFile, by_period, list_files, manifest_version_in, write_file


def refile(store: Store, calendar: Calendar) -> int:
    """Write the events of misfiled files again, by the calendar; returns how many it filed anew.

    Another command may retire one of them meanwhile; then what is misfiled is looked for again.

    Args:
        store: open books with an empty inbox.
        calendar: the company's, as it is now.

    Raises:
        CorruptedError: a file is not what was sealed.
        StoreError: the disk refuses; the old files still stand.
    """
    snapshot = store.lake.snapshot(kinds=EVERY)
    misfiled = [file for file in snapshot.files if not _fits(file, calendar)]
    if not misfiled:
        return 0
    store.lake.verify(type(snapshot)(snapshot.version, tuple(misfiled)))
    try:
        written = [
            write_file(
                store,
                part,
                period,
                f"{Path(file.path).stem}-{file.period}-{snapshot.version}",
                file.kind,
            )
            for file in misfiled
            for period, part in by_period(pq.read_table(store.lake.path(file)), calendar)
        ]
    except OSError as error:
        raise StoreError(
            f"could not file {sum(file.rows for file in misfiled)} events under the months of"
            f" another zone: {error.strerror or error}; the old files still stand",
            where=store.lake.shelf.place("").rstrip("/"),
            next_step="make room on the disk, or see that the storage answers, and run the same"
            " command again",
        ) from error
    with store.write() as tx:
        stands = {file.path for file in store.lake.snapshot_in(tx, kinds=EVERY).files}
        is_due = stands.issuperset(file.path for file in misfiled)
        if is_due:
            list_files(tx, written)
            version = manifest_version_in(tx)
            tx.run_many(
                "UPDATE sealed_file SET retired = :version WHERE path = :path",
                [{"version": version, "path": file.path} for file in misfiled],
            )
    return sum(file.rows for file in misfiled) if is_due else refile(store, calendar)


def _fits(file: SealedFile, calendar: Calendar) -> bool:
    start_us, end_us = calendar.bounds_us(Period.parse(file.period))
    return start_us <= file.min_us and file.max_us < end_us
