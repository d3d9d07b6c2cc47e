"""What came since a version of the manifest, so that what stood then need not be read again.

Files are listed and retired by version. A version that retires files and lists others of the same
content (compaction) brought nothing; one that took events out of a period is told as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from tallybook.store.engine import Tx
from tallybook.store.seal import Kind, SealedFile, combined_digest, sealed_file_of


def files_since(
    tx: Tx, period: str, since: int, upto: int, kinds: Collection[Kind]
) -> tuple[SealedFile, ...] | None:
    """The files that brought new events after one version of the manifest, up to another.

    They may be retired by now, merged into files that hold older events as well: retired files
    stay, so that the new events can be read alone.

    Args:
        tx: a transaction.
        period: which; '' means all.
        since: the earlier version.
        upto: the later one.
        kinds: only files of these kinds.

    Returns:
        files in order of path; None if events left the period, so that nothing stands.
    """
    rows = tx.rows(
        "SELECT * FROM sealed_file WHERE (:period = '' OR period = :period)"
        " AND ((added > :since AND added <= :upto)"
        " OR (added <= :since AND retired > :since AND retired <= :upto)) ORDER BY path",
        period=period,
        since=since,
        upto=upto,
    )
    came: dict[int, list[SealedFile]] = defaultdict(list)
    gone: dict[int, list[SealedFile]] = defaultdict(list)
    for row in rows:
        if row.kind not in kinds:
            continue
        file = sealed_file_of(row)
        if file.added > since:
            came[file.added].append(file)
        if row.retired is not None and row.retired <= upto:
            gone[int(row.retired)].append(file)
    if any(_content(files) != _content(came[version]) for version, files in gone.items()):
        return None
    added = [file for version in came.keys() - gone.keys() for file in came[version]]
    return tuple(sorted(added, key=lambda file: file.path))


def _content(files: Sequence[SealedFile]) -> tuple[int, str]:
    return sum(file.rows for file in files), combined_digest([file.digest for file in files])
