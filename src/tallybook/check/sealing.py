"""Taking a seal record of the books, and comparing the books with one that was kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from hashlib import sha256

from tallybook.check.kept import live_at, manifest
from tallybook.check.seal_record import MonthSeal, Part, Policies, SealRecord
from tallybook.errors import CorruptedError, PeriodError
from tallybook.ledger.chain import GENESIS
from tallybook.ledger.model import ActKind
from tallybook.ledger.state import RecordedAct, acts
from tallybook.ledger.walk import Fault
from tallybook.store import Tx, canonical_json
from tallybook.store.seal import SealedFile

NEWEST = "-"
"""the period of a record of everything up to the newest link"""


def seal_of(tx: Tx, period: str = "") -> SealRecord:
    """A record of the books up to the close of a month, or up to the newest link.

    Args:
        tx: a transaction; one snapshot is recorded.
        period: a closed month; '' for all that there is.

    Raises:
        PeriodError: the month is not closed.
    """
    if not period:
        last = tx.row("SELECT seq, hash FROM chain ORDER BY seq DESC")
        chain = Part(last.seq, last.hash) if last else Part(0, GENESIS)
        version = int(tx.scalar("SELECT COALESCE(MAX(added), 0) FROM sealed_file"))
        issued = int(tx.scalar("SELECT COUNT(*) FROM statement"))
        return _record(tx, NEWEST, chain, version, issued, _recorded(tx))
    closes = _standing_closes(tx)
    close = closes.get(period)
    if close is None:
        raise PeriodError(
            f"{period} is not closed, so no head stands for it; closed: "
            + (", ".join(sorted(closes)) or "none"),
            next_step=f"tallybook close {period}, or seal without a period",
        )
    issued = int(
        tx.scalar(
            "SELECT COUNT(*) FROM statement s JOIN chain c ON c.hash = s.seal WHERE c.seq <= :seq",
            seq=close.seq,
        )
    )
    chain = Part(close.seq, close.hash)
    version = int(close.details["manifest"])
    return _record(tx, period, chain, version, issued, _recorded(tx, close.recorded_us))


def differences(tx: Tx, held: SealRecord) -> Iterator[Fault]:
    """Where these books differ from a record of them: nothing says that all of it still stands.

    What came after the record is not looked at. The chain, the manifest, the statements and the
    policy files are compared each as far as the record reaches.

    Args:
        tx: a transaction; one snapshot is compared.
        held: the record.
    """
    first = tx.scalar("SELECT hash FROM chain WHERE seq = 1") or GENESIS
    if held.books != first and held.chain.reach:
        yield Fault("books", f"the first link is {first}, the record is of books with {held.books}")
    try:
        files, retired = manifest(tx)
    except CorruptedError as error:
        yield Fault("manifest", str(error))
        return
    yield from _month_differences(tx, files, retired, held)
    yield from _chain_differences(tx, held)
    now: dict[str, Part | Policies] = {
        "manifest": _manifest_part(files, retired, held.manifest.reach),
        "statements": _statements_part(tx, held.statements.reach),
        "documents": _documents_part(tx, _kinds(held.documents.reach)),
    }
    for name, ours in now.items():
        theirs: Part | Policies = getattr(held, name)
        if ours != theirs:
            yield Fault(
                name,
                f"up to {theirs.reach}: found up to {ours.reach} with digest {ours.digest}, the"
                f" record says {theirs.digest}",
            )


def _chain_differences(tx: Tx, held: SealRecord) -> Iterator[Fault]:
    """The head of the record must be where it was; else between which heads it went wrong."""
    reach, hash_ = held.chain.reach, held.chain.digest
    found = tx.scalar("SELECT hash FROM chain WHERE seq = :seq", seq=reach)
    if not reach or found == hash_:
        return
    last = int(tx.scalar("SELECT COALESCE(MAX(seq), 0) FROM chain"))
    good = [0, *(x.seq for x in held.months or () if _hash_at(tx, x.seq) == x.head)]
    since = f"the last link that agrees with the record is {max(good)}"
    if found is None:
        yield Fault(
            "chain", f"cut off: it ends at link {last}, the record reaches {reach}; {since}"
        )
    else:
        yield Fault("chain", f"link {reach} is {found}, the record says {hash_}; {since}")


def _month_differences(
    tx: Tx, files: Sequence[SealedFile], retired: Mapping[str, int], held: SealRecord
) -> Iterator[Fault]:
    for month in held.months or ():
        found = _hash_at(tx, month.seq)
        if found != month.head:
            yield Fault(
                "chain",
                f"{month.period}: link {month.seq} is {found or 'gone'}, the record says"
                f" {month.head}",
            )
        body = tx.scalar(
            "SELECT body_sha256 FROM statement WHERE period = :period AND version = :version",
            period=month.period,
            version=month.version,
        )
        if body != month.body_sha256:
            yield Fault(
                "statements",
                f"{month.period} version {month.version} is {body or 'gone'}, the record says"
                f" {month.body_sha256}",
            )
        there = _files_of(files, retired, month.period, month.manifest)
        stands = (len(there), sum(file.rows for file in there), _files_digest(there))
        if stands != (month.files, month.rows, month.files_sha256):
            yield Fault(
                "manifest",
                f"{month.period}: {stands[0]} files of {stands[1]} rows, digest {stands[2]}; the"
                f" record says {month.files} of {month.rows}, {month.files_sha256}",
            )


def _record(
    tx: Tx, period: str, chain: Part, version: int, issued: int, kinds: Mapping[str, int]
) -> SealRecord:
    files, retired = manifest(tx)
    closes = sorted(_standing_closes(tx, chain.reach).items())
    return SealRecord(
        period=period,
        books=str(tx.scalar("SELECT hash FROM chain WHERE seq = 1") or GENESIS),
        chain=chain,
        manifest=_manifest_part(files, retired, version),
        statements=_statements_part(tx, issued),
        documents=_documents_part(tx, kinds),
        months=tuple(_month(files, retired, close) for _, close in closes),
    )


def _month(
    files: Sequence[SealedFile], retired: Mapping[str, int], close: RecordedAct
) -> MonthSeal:
    version = int(close.details["manifest"])
    there = _files_of(files, retired, close.period, version)
    return MonthSeal(
        period=close.period,
        act=close.id,
        seq=close.seq,
        head=close.hash,
        version=int(close.details["statement_version"]),
        body_sha256=str(close.details["body_sha256"]),
        manifest=version,
        files=len(there),
        rows=sum(file.rows for file in there),
        files_sha256=_files_digest(there),
    )


def _standing_closes(tx: Tx, until: int = 2**62) -> dict[str, RecordedAct]:
    """The close that stood for each month that was closed at a link."""
    names = tx.rows(
        "SELECT DISTINCT period FROM chain WHERE reason = 'close' AND seq <= :until", until=until
    )
    standing = {}
    for row in names:
        turns = [
            act
            for act in acts(tx, str(row.period))
            if act.kind in (ActKind.CLOSE, ActKind.REOPEN) and act.seq <= until
        ]
        if turns and turns[-1].kind is ActKind.CLOSE:
            standing[str(row.period)] = turns[-1]
    return standing


def _files_of(
    files: Sequence[SealedFile], retired: Mapping[str, int], period: str, version: int
) -> list[SealedFile]:
    return [file for file in live_at(files, retired, version) if file.period == period]


def _files_digest(files: Sequence[SealedFile]) -> str:
    return _digest([[file.path, file.sha256] for file in files])


def _manifest_part(files: Sequence[SealedFile], retired: Mapping[str, int], version: int) -> Part:
    """All rows up to a version, each with the version that had retired it by then, or 0."""
    listed = [
        [
            *astuple(file),
            retired[file.path] if retired.get(file.path, version + 1) <= version else 0,
        ]
        for file in files
        if file.added <= version
    ]
    return Part(max((file.added for file in files if file.added <= version), default=0),
                _digest(listed))  # fmt: skip


def _statements_part(tx: Tx, most: int) -> Part:
    """Issued statements in the order of their closes."""
    rows = tx.rows(
        "SELECT s.period, s.version, s.status, s.body, s.body_sha256, s.seal,"
        " s.issued_us FROM statement s"
        " LEFT JOIN chain c ON c.hash = s.seal ORDER BY COALESCE(c.seq, 0), s.period, s.version"
    )[:most]
    return Part(len(rows), _digest([list(row) for row in rows]))


def _recorded(tx: Tx, until_us: int = 2**62) -> dict[str, int]:
    rows = tx.rows(
        "SELECT kind, MAX(version) AS version FROM document WHERE applied_us <= :until_us"
        " GROUP BY kind ORDER BY kind",
        until_us=until_us,
    )
    return {str(row.kind): int(row.version) for row in rows}


def _documents_part(tx: Tx, kinds: Mapping[str, int]) -> Policies:
    rows = [
        row
        for row in tx.rows(
            "SELECT kind, version, body, sha256, applied_us, actor FROM document"
            " ORDER BY kind, version"
        )
        if row.version <= kinds.get(row.kind, 0)
    ]
    newest = {row.kind: row.version for row in rows}
    return Policies(
        ",".join(f"{kind}.{version}" for kind, version in newest.items()),
        _digest([list(row) for row in rows]),
    )


def _kinds(reach: str) -> dict[str, int]:
    named = (each.partition(".") for each in reach.split(",") if each)
    return {kind: int(version) for kind, _, version in named}


def _hash_at(tx: Tx, seq: int) -> str:
    return str(tx.scalar("SELECT hash FROM chain WHERE seq = :seq", seq=seq) or "")


def _digest(rows: Sequence[Sequence[object]]) -> str:
    return sha256(canonical_json(rows).encode()).hexdigest()
