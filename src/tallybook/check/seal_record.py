"""A seal record: the heads of closed months with what they cover, to be kept outside the books.

A chain can be cut at its end, or rewritten whole with all of its hashes, and agree with itself.
Whoever holds an older record sees both: the record says which link had which hash, which files the
manifest listed with which bytes, and which statements and policy files stood. It holds digests and
counts only, no amounts and no names of teams, so it can be handed to anybody.

It has two forms that say the same: JSON with each closed month, and one line of digests that fits
a ticket, an e-mail or a git note. The digests are SHA-256 over canonical JSON (`canonical_json`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from tallybook.errors import WrongUsageError
from tallybook.store import canonical_json

FORMAT: Final = "tallybook-seal"
VERSION: Final = 1
_HEX = r"[0-9a-f]{64}"
_LINE = re.compile(
    rf"{FORMAT} {VERSION} (?P<period>\d{{4}}-\d{{2}}|-) books=(?P<books>{_HEX})"
    rf" chain=(?P<seq>\d+):(?P<head>{_HEX}) manifest=(?P<manifest>\d+):(?P<files>{_HEX})"
    rf" statements=(?P<statements>\d+):(?P<issued>{_HEX})"
    rf" documents=(?P<documents>[a-z0-9.,]*):(?P<recorded>{_HEX})"
    rf" record=(?P<record>{_HEX})"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of the books: how far they reach, and the SHA-256 over them."""

    reach: int
    digest: str


@dataclass(frozen=True, slots=True)
class Policies:
    """Recorded policy files: the newest version of each kind, and the SHA-256 over all of them."""

    reach: str
    """as ``org.3,policy.2``: kinds in order; empty when none was applied"""
    digest: str


@dataclass(frozen=True, slots=True)
class MonthSeal:
    """A closed month.

    Args:
        period: the month.
        act: id of the close that stands.
        seq: number of that link, ``head`` its hash: the seal on the month's statements.
        version: of its statements; ``body_sha256`` the digest that is printed on them.
        manifest: version of the manifest that it was closed over.
        files: how many files that version lists for the month, ``rows`` their rows.
        files_sha256: over their paths and the SHA-256 of their bytes.
    """

    period: str
    act: str
    seq: int
    head: str
    version: int
    body_sha256: str
    manifest: int
    files: int
    rows: int
    files_sha256: str


@dataclass(frozen=True, slots=True)
class SealRecord:
    """What the books were at one link of the chain.

    Args:
        period: the closed month whose close is that link; ``-`` for the newest link.
        books: hash of the first link, which tells one set of books from another.
        chain: number and hash of the link.
        manifest: version of the manifest; digest over all rows up to it.
        statements: number of issued sets of statements; digest over them.
        documents: versions of policy files that were recorded; digest over them.
        months: each month that was closed then, the earliest first; None when read from one line.
    """

    period: str
    books: str
    chain: Part
    manifest: Part
    statements: Part
    documents: Policies
    months: tuple[MonthSeal, ...] | None

    def digest(self) -> str:
        """SHA-256 over the record without itself; what a time stamp would be taken of."""
        return sha256(canonical_json(_values(self)).encode()).hexdigest()


def record_json(record: SealRecord) -> dict[str, Any]:
    """The machine form, with the line."""
    return {**_values(record), "record": record.digest(), "line": record_line(record)}


def record_line(record: SealRecord) -> str:
    """The record in one line of text, without its months; ``record=`` is the digest with them."""
    parts = (
        f"{name}={part.reach}:{part.digest}"
        for name, part in (
            ("chain", record.chain),
            ("manifest", record.manifest),
            ("statements", record.statements),
            ("documents", record.documents),
        )
    )
    return (
        f"{FORMAT} {VERSION} {record.period} books={record.books} {' '.join(parts)}"
        f" record={record.digest()}"
    )


def read_record(text: str, where: str) -> SealRecord:
    """A record from its JSON, or from any text that holds its line.

    Args:
        text: what the file says.
        where: the file, for the error.

    Raises:
        WrongUsageError: no record is in it, or it was changed: its own digest differs.
    """
    if text.lstrip().startswith("{"):
        return _from_json(text, where)
    found = _LINE.search(text)
    if found is None:
        raise WrongUsageError(
            f"{where} holds no seal record",
            next_step="name a file that `tallybook seal --out FILE` wrote, or one with its line",
        )
    reach = {name: int(found[name]) for name in ("seq", "manifest", "statements")}
    return SealRecord(
        period=found["period"],
        books=found["books"],
        chain=Part(reach["seq"], found["head"]),
        manifest=Part(reach["manifest"], found["files"]),
        statements=Part(reach["statements"], found["issued"]),
        documents=Policies(found["documents"], found["recorded"]),
        months=None,
    )


def _values(record: SealRecord) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, **asdict(record)}


def _from_json(text: str, where: str) -> SealRecord:
    try:
        held = json.loads(text)
        parts = {
            name: Part(**_typed(held[name], {"reach": int, "digest": str}))
            for name in ("chain", "manifest", "statements")
        }
        documents = Policies(**_typed(held["documents"], {"reach": str, "digest": str}))
        months = tuple(MonthSeal(**_typed(month, _MONTH)) for month in held["months"])
        record = SealRecord(
            held["period"], held["books"], **parts, documents=documents, months=months
        )
        stated = held["record"]
    except (ValueError, KeyError, TypeError) as error:
        raise WrongUsageError(
            f"{where} is no seal record: {type(error).__name__} {error}",
            next_step="name a file that `tallybook seal --out FILE` wrote",
        ) from error
    if stated != record.digest():
        raise WrongUsageError(
            f"{where} was changed after it was written: it says record {stated}, its content"
            f" gives {record.digest()}",
            next_step="take another copy of the record",
        )
    return record


_MONTH = {name: int if kind == "int" else str for name, kind in MonthSeal.__annotations__.items()}


def _typed(held: Mapping[str, Any], types: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(held, dict) or held.keys() != types.keys():
        raise ValueError(f"{held!r} does not have the fields {', '.join(types)}")
    for name, kind in types.items():
        if type(held[name]) is not kind:
            raise ValueError(f"{name} is {held[name]!r}")
    return held
