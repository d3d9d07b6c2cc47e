"""Recorded versions of the policy files: one row per kind and version, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tallybook.books.documents import Document
from tallybook.errors import StoreError
from tallybook.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Recorded:
    """A document with the version under which it was recorded."""

    version: int
    document: Document


def record_documents(
    tx: Tx, documents: Mapping[str, Document], actor: str, now_us: int
) -> dict[str, int]:
    """Record a new version of each document that changed.

    Returns:
        the new version of each kind that changed.
    """
    changed = {}
    current = latest_documents(tx)
    for kind, document in sorted(documents.items()):
        held = current.get(kind)
        if held and held.document.sha256 == document.sha256:
            continue
        version = held.version + 1 if held else 1
        tx.run(
            "INSERT INTO document (kind, version, body, sha256, applied_us, actor)"
            " VALUES (:kind, :version, :body, :sha256, :applied_us, :actor)",
            kind=kind,
            version=version,
            body=document.body,
            sha256=document.sha256,
            applied_us=now_us,
            actor=actor,
        )
        changed[kind] = version
    return changed


def latest_documents(tx: Tx) -> dict[str, Recorded]:
    """The newest version of each kind."""
    rows = tx.rows(
        "SELECT d.kind, d.version, d.body, d.sha256 FROM document d JOIN"
        " (SELECT kind, MAX(version) AS version FROM document GROUP BY kind) newest"
        " ON d.kind = newest.kind AND d.version = newest.version"
    )
    return {
        str(row.kind): Recorded(int(row.version), Document(row.kind, row.body, row.sha256))
        for row in rows
    }


def documents_at(tx: Tx, versions: Mapping[str, int]) -> dict[str, Recorded]:
    """The documents of given versions; a version of 0 means that there was none.

    Raises:
        StoreError: a version that was never recorded.
    """
    found = {}
    for kind, version in versions.items():
        if version == 0:
            continue
        row = tx.row(
            "SELECT body, sha256 FROM document WHERE kind = :kind AND version = :version",
            kind=kind,
            version=version,
        )
        if row is None:
            raise StoreError(f"version {version} of the {kind} file was never applied")
        found[kind] = Recorded(version, Document(kind, row.body, row.sha256))
    return found


def document_versions(tx: Tx, kind: str) -> list[Recorded]:
    """Every version of a kind, the oldest first."""
    rows = tx.rows(
        "SELECT version, body, sha256 FROM document WHERE kind = :kind ORDER BY version", kind=kind
    )
    return [Recorded(int(r.version), Document(kind, r.body, r.sha256)) for r in rows]
