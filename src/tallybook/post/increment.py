"""A period's lines from its last cost sheet and what came since: metering is a sum.

The sheet holds the sums over the events that were sealed before it. If everything else that decides
them is what it was (the *ground*), only newer events are metered and added; an old event that a
newer one supersedes is metered alone and taken off. A trace of which something came or went is
taken off as it stood and added as it stands. If anything else differs, all events are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from operator import attrgetter

from tallybook.attribute.adding import added_together
from tallybook.attribute.model import Attribution
from tallybook.post.basis import Basis, beside_of
from tallybook.post.compute import attributed, metering_of, netted, price_rows
from tallybook.post.sheet import grounded_sheet
from tallybook.rate.model import PriceRow
from tallybook.rate.rating import NETTED
from tallybook.store import Store, Tx, sql_text
from tallybook.store.growth import files_since
from tallybook.store.lake import BILLING, CORRECTING, EVIDENCE, OBSERVED, Snapshot
from tallybook.store.seal import SealedFile

_DECIDING = ("books", "clock", "money", "rate", "attribute", "post", "store")
"""The rooms whose code decides a line."""

_said = attrgetter(*(field.name for field in fields(PriceRow) if field.name != "price_id"))


@dataclass(frozen=True, slots=True)
class Computed:
    """A period as it adds up, and the digest of all that decided it but the events."""

    sums: Attribution
    ground: str


Compute = Callable[[Store, Basis], Computed]
"""How to come to a period's lines: from all of its events, or from its last sheet on."""


def compute_whole(store: Store, basis: Basis) -> Computed:
    """Verify every sealed file of a period and meter all of its events.

    Raises:
        CorruptedError: a sealed file is not what was written.
    """
    store.lake.verify(basis.snapshot)
    store.lake.verify(basis.corrections)
    if basis.beside is not None:
        store.lake.verify(basis.beside)
    rows = price_rows(basis)
    sums = attributed(store, basis, rows)
    return Computed(sums, ground_of(basis, basis.snapshot.files, price_texts(rows)))


def compute_since(store: Store, basis: Basis) -> Computed:
    """The same lines as `compute_whole`, from the last sheet where it stands on the same ground.

    Every file of the month is verified, also those that the sheet stands for: nothing is posted
    beside a damaged file.

    Raises:
        CorruptedError: a sealed file is not what was written, or the sheet is not.
    """
    with store.read() as tx:
        held = grounded_sheet(tx, str(basis.period))
        if held is None:
            return compute_whole(store, basis)
        sheet, ground = held
        since, upto = sheet.versions.manifest, basis.snapshot.version
        before = store.lake.snapshot_in(tx, str(basis.period), since)
        came = files_since(tx, str(basis.period), since, upto, BILLING)
        told = told_since(tx, basis, since)
        everywhere = files_since(tx, "", since, upto, CORRECTING)
        earlier = _correcting(store.lake.snapshot_in(tx, "", since, CORRECTING))
        beside = beside_of(store, tx, basis.period, since, basis.books.org)
    rows = price_rows(basis)
    prices = price_texts(rows)
    if came is None or everywhere is None or told is None:
        return compute_whole(store, basis)
    if ground_of(basis, before.files, prices) != ground:
        return compute_whole(store, basis)
    newer = Snapshot(upto, tuple(file for file in everywhere if file.supersedes))
    old = replace(basis, snapshot=before, corrections=earlier, beside=beside)
    new = replace(basis, snapshot=Snapshot(upto, came), beside=Snapshot(upto, told))
    store.lake.verify(basis.snapshot)
    parts = [(1, sheet.sums)]
    if basis.beside is not None and (came or told or newer.files):
        touched = touched_traces(store, old, new, newer)
        if len(touched) > TRACES_MAX:
            return compute_whole(store, basis)
        parts.append((-1, _metered(store, old, rows, touched)))
        parts.append((1, _metered(store, basis, rows, touched)))
    # Calls that no trace holds, or all calls where none stands in a trace with others.
    alone = None if basis.beside is None else NO_TRACE
    if came:
        parts.append((1, _metered(store, replace(new, beside=None), rows, alone)))
    if newer.files and before.files:
        superseded = replace(old, corrections=basis.corrections)
        parts.append((-1, _netted(store, superseded, rows, alone)))
        parts.append((1, _netted(store, old, rows, alone)))
    sums = added_together(parts) if len(parts) > 1 else sheet.sums
    return Computed(sums, ground_of(basis, basis.snapshot.files, prices))


TRACES_MAX = 200_000
"""Traces that are placed anew beside those that stand; of more, all events are read."""
NO_TRACE = ("",)


def told_since(tx: Tx, basis: Basis, since: int) -> tuple[SealedFile, ...] | None:
    """What came beside a period's events after a version of the manifest.

    Returns:
        its evidence, and what is told of the months around it; None if some of it left.
    """
    upto = basis.snapshot.version
    found: list[SealedFile] = []
    for month, kinds in (
        (basis.period, EVIDENCE),
        (basis.period.previous(), OBSERVED),
        (basis.period.next(), OBSERVED),
    ):
        files = files_since(tx, str(month), since, upto, kinds)
        if files is None:
            return None
        found += files
    return tuple(found)


def touched_traces(store: Store, old: Basis, new: Basis, newer: Snapshot) -> tuple[str, ...]:
    """The traces of which something came or went: their calls may stand elsewhere now."""
    named = sql_text(__package__, "named")
    with store.lake.session(new.snapshot, beside=new.beside) as session:
        found = {str(trace) for (trace,) in session.rows(named.format(netted=""))}
    if newer.files:
        beside = old.beside or Snapshot(old.snapshot.version, ())
        with store.lake.session(old.snapshot, newer, beside=beside) as session:
            found |= {str(trace) for (trace,) in session.rows(named.format(netted=NETTED))}
    return tuple(sorted(found))


PriceText = tuple[tuple[str, str, str, str], str]
"""what a price row is for, and all that it says"""


def price_texts(rows: Sequence[PriceRow]) -> list[PriceText]:
    """Each price row as text, without the number that it has among the others."""
    return [((row.provider, row.model, row.tier, row.region), repr(_said(row))) for row in rows]


def ground_of(basis: Basis, of: Sequence[SealedFile], prices: Sequence[PriceText]) -> str:
    """The digest of everything that decides the lines of some events, apart from the events.

    Args:
        basis: what a run stands on.
        of: the files that hold the events; only prices of what they carry can matter.
        prices: the period's price rows as text.
    """
    keys = {key for file in of for key in file.price_keys}
    metering = metering_of(replace(basis, snapshot=Snapshot(basis.snapshot.version, tuple(of))))
    priced = [text for key, text in prices if key in keys]
    metered = replace(metering, has_corrections=False)  # what is netted is looked at by itself
    parts = [code_digest(), repr(metered), repr(basis.books.org), *priced]
    return sha256("\0".join(parts).encode()).hexdigest()


@cache
def code_digest() -> str:
    """The digest of the code that decides a line, and of the engine's version."""
    digest = sha256(version("duckdb").encode())
    for room in _DECIDING:
        for text in _texts(files("tallybook").joinpath(room)):
            digest.update(text)
    return digest.hexdigest()


def _texts(folder: Traversable) -> Iterable[bytes]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _texts(entry)
        elif entry.name.endswith((".py", ".sql")):
            yield entry.name.encode() + b"\0" + entry.read_bytes() + b"\0"


def _metered(
    store: Store, basis: Basis, rows: Sequence[PriceRow], traces: Sequence[str] | None
) -> Attribution:
    """What the events of a basis come to, or those of some traces, from files that are proven."""
    if traces is not None and not traces:
        return Attribution(())
    store.lake.verify(basis.snapshot)
    store.lake.verify(basis.corrections)
    if basis.beside is not None:
        store.lake.verify(basis.beside)
    return attributed(store, basis, rows, traces)


def _netted(
    store: Store, old: Basis, rows: Sequence[PriceRow], traces: Sequence[str] | None
) -> Attribution:
    """What a basis's events that its corrections take out come to, each alone."""
    if not old.corrections.files:
        return Attribution(())
    store.lake.verify(old.snapshot)
    store.lake.verify(old.corrections)
    return netted(store, replace(old, beside=None), rows, traces)


def _correcting(snapshot: Snapshot) -> Snapshot:
    return Snapshot(snapshot.version, tuple(file for file in snapshot.files if file.supersedes))
