"""What stands beside the chain: the manifest, sealed files, statements, policy files, cost sheets.

The chain holds digests of what a run read and of what a close issued. Here they are compared with
what is there now, so that a row of the manifest that was changed, put in or taken out is named too.

Kinds of fault:

    file        a sealed file is gone, or holds other bytes than the manifest says
    manifest    a row of the manifest disagrees with its file, with its own name, with the count of
                versions, or with the digest of a month's events that an entry or a close names
    statement   issued statements that are not what their close fixed, or a close without them
    document    a policy file that is not what was recorded, or a version that is missing
    sheet       a cost sheet that is not what a run kept
    decision    an approval about a budget that is not what its act on the chain says
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate
from pathlib import PurePosixPath
from typing import Any

from tallybook.books.documents import KINDS
from tallybook.check.decided import decision_faults
from tallybook.errors import CorruptedError
from tallybook.ledger.walk import Fault
from tallybook.report.issued import issued
from tallybook.store import Store, Tx
from tallybook.store.described import described_file
from tallybook.store.lake import OBSERVED, Snapshot
from tallybook.store.seal import SealedFile, digest_text, sealed_file_of

_NAMED_DIGITS = 16
_NAMED = re.compile(r"-([0-9a-f]{16})$")
"""The first digits of a file's SHA-256 end its name; in the first release they did not."""


def kept_faults(store: Store, tx: Tx) -> Iterator[Fault]:
    """Everything beside the chain that is not as it was written.

    What no link names yet, such as usage that no run has read, is compared with itself only; a
    seal record that was kept elsewhere covers it too (`tallybook.check.against`).

    Args:
        store: open books, for their sealed files.
        tx: a transaction; one snapshot is looked at.
    """
    try:
        files, retired = manifest(tx)
        yield from _file_faults(store, files)
        yield from _listing_faults(files, retired)
        yield from _named_faults(tx, files, retired)
    except CorruptedError as error:
        yield Fault("manifest", str(error))
    yield from _statement_faults(tx)
    yield from _document_faults(tx)
    yield from _sheet_faults(tx)
    yield from decision_faults(tx)


def manifest(tx: Tx) -> tuple[list[SealedFile], dict[str, int]]:
    """All rows of the manifest by path, retired ones too, and the version that retired each.

    Raises:
        CorruptedError: a row holds what was never written.
    """
    rows = tx.rows("SELECT * FROM sealed_file ORDER BY path")
    try:
        retired = {str(row.path): int(row.retired) for row in rows if row.retired is not None}
        files = [sealed_file_of(row) for row in rows]
        # A number that became text would raise later, where it is added up.
        numbers = {type(n) for x in files for n in (x.rows, x.bytes, x.min_us, x.max_us, x.added)}
        for file in files:
            int(file.digest, 16)
    except (ValueError, TypeError) as error:
        raise CorruptedError(f"a row holds what was never written: {error}") from error
    if not numbers <= {int}:
        raise CorruptedError("a row holds text where a number was written")
    return files, retired


def live_at(
    files: Sequence[SealedFile], retired: Mapping[str, int], version: int
) -> list[SealedFile]:
    """The files that a version of the manifest lists."""
    return [
        file
        for file in files
        if file.added <= version and retired.get(file.path, version + 1) > version
    ]


def _file_faults(store: Store, files: Sequence[SealedFile]) -> Iterator[Fault]:
    changed = set()
    for place, what in store.lake.faults(Snapshot(0, tuple(files))):
        changed.add(place)
        yield Fault("file", f"{place}: {what}")
    for file in files:
        if store.lake.place(file) in changed:
            continue
        try:
            found = described_file(store.lake, file)
        except CorruptedError as error:
            yield Fault("file", str(error))
            continue
        for name, value in found.items():
            if getattr(file, name) != value:
                yield Fault(
                    "manifest", f"{file.path}: {name} {getattr(file, name)!r}, the file: {value!r}"
                )


def _listing_faults(files: Sequence[SealedFile], retired: Mapping[str, int]) -> Iterator[Fault]:
    for file in files:
        named = PurePosixPath(file.path)
        said = _NAMED.search(named.stem)
        if said and said[1] != file.sha256[:_NAMED_DIGITS]:
            yield Fault("manifest", f"{file.path}: SHA-256 {file.sha256[:_NAMED_DIGITS]}..")
        if named.parts[:-1] != (file.kind, file.period):
            yield Fault("manifest", f"{file.path}: listed as {file.kind} of {file.period}")
    versions = {file.added for file in files}
    newest = max(versions, default=0)
    for missing in sorted(set(range(1, newest + 1)) - versions):
        yield Fault("manifest", f"version {missing} of {newest} lists no file")
    for path, version in retired.items():
        if version not in versions:
            yield Fault("manifest", f"{path}: retired by version {version}, of {newest}")


def _named_faults(
    tx: Tx, files: Sequence[SealedFile], retired: Mapping[str, int]
) -> Iterator[Fault]:
    """Digests of a month's events that links name, against what the manifest says was there."""
    rows = tx.rows(
        "SELECT month, versions, MIN(seq) AS seq, MIN(id) AS id FROM"
        " (SELECT CASE WHEN kind = 'act' THEN period ELSE service_period END AS month, versions,"
        " seq, id FROM chain) links GROUP BY month, versions ORDER BY seq"
    )
    digests = Digests([file for file in files if file.kind in OBSERVED], retired)
    for row in rows:
        named = _mapping(row.versions)
        if "events" not in named:
            continue
        found = digests.at(row.month, int(named["manifest"]))
        if found != named["events"]:
            yield Fault(
                "manifest",
                f"{row.month} as of version {named['manifest']}: events {found[:12]}..,"
                f" {row.id} names {str(named['events'])[:12]}..",
            )


class Digests:
    """The digest of a month's live files at any version of the manifest.

    A file comes in with a version and goes out with another. So a month of many files and many runs
    costs what it has of both, not one times the other.
    """

    def __init__(self, files: Sequence[SealedFile], retired: Mapping[str, int]) -> None:
        changes: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for file in files:
            digest = int(file.digest, 16)
            changes[file.period].append((file.added, digest))
            if file.path in retired:
                # One that goes before it came is never there.
                changes[file.period].append((max(file.added, retired[file.path]), -digest))
        self._versions = {month: [v for v, _ in sorted(found)] for month, found in changes.items()}
        self._sums = {
            month: list(accumulate((digest for _, digest in sorted(found)), initial=0))
            for month, found in changes.items()
        }

    def at(self, month: str, version: int) -> str:
        """In hex, of the files that a version lists."""
        count = bisect_right(self._versions.get(month, []), version)
        return digest_text(self._sums.get(month, [0])[count])


def _mapping(text: str) -> dict[str, Any]:
    """A link's versions; none where they are not readable, which is a fault of the chain."""
    try:
        named = json.loads(text)
        return named if type(named["manifest"]) is int else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _statement_faults(tx: Tx) -> Iterator[Fault]:
    closes = {
        (str(row.period), _version(row.details)): row
        for row in tx.rows(
            "SELECT id, period, hash, details FROM chain WHERE kind = 'act' AND reason = 'close'"
        )
    }
    held = tx.rows("SELECT period, version, seal, body_sha256 FROM statement")
    for row in sorted(held, key=lambda row: (row.period, row.version)):
        place = f"{row.period} version {row.version}"
        close = closes.pop((row.period, row.version), None)
        try:
            issued(tx, row.period, row.version)
        except CorruptedError as error:
            yield Fault("statement", f"{place}: {error}")
        if close is None or row.seal != close.hash or row.body_sha256 not in close.details:
            yield Fault("statement", f"{place}: no close fixed it")
    for (period, version), close in closes.items():
        yield Fault("statement", f"{period} version {version} of {close.id} is gone")


def _version(details: str) -> int:
    try:
        return int(json.loads(details)["statement_version"])
    except (ValueError, KeyError, TypeError):
        return 0


def _document_faults(tx: Tx) -> Iterator[Fault]:
    newest: dict[str, int] = defaultdict(int)
    rows = tx.rows("SELECT kind, version, body, sha256 FROM document ORDER BY kind, version")
    before = ""
    for row in rows:
        newest[row.kind] += 1
        if row.kind not in KINDS:
            yield Fault("document", f"{row.kind!r} is no policy file")
        if row.version > 1 and row.sha256 == before:
            yield Fault("document", f"{row.kind} version {row.version} repeats the one before")
        before = row.sha256
        if row.version != newest[row.kind]:
            yield Fault("document", f"{row.kind} version {newest[row.kind]} is missing")
            newest[row.kind] = row.version
        if _sha256(row.body) != row.sha256:
            yield Fault("document", f"{row.kind} version {row.version} is not what was recorded")
    named = tx.rows("SELECT DISTINCT versions FROM chain WHERE versions <> '{}'")
    for kind in ("org", "policy", "budgets"):
        last = max((_mapping(row.versions).get(kind, 0) for row in named), default=0)
        if last > newest[kind]:
            yield Fault("document", f"{kind} version {last} is missing: entries name it")


def _sheet_faults(tx: Tx) -> Iterator[Fault]:
    rows = tx.rows("SELECT period, number FROM sheet ORDER BY period, number")
    for row in rows:
        held = tx.row(
            "SELECT body, sha256 FROM sheet WHERE period = :period AND number = :number",
            period=row.period,
            number=row.number,
        )
        if held and _sha256(held.body) != held.sha256:
            yield Fault("sheet", f"{row.period} sheet {row.number} is not what a run kept")


def _sha256(text: object) -> str:
    return sha256(text.encode()).hexdigest() if isinstance(text, str) else ""
