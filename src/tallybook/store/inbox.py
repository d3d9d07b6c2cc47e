"""The inbox: batches of claimed events wait here, in the book's own transactions, to be sealed.

A batch and the claims of its ids are written in one transaction (INV-06): either both are there or
neither is, and a failed write leaves the ids free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa
from pyarrow import ipc

from tallybook.store.engine import Tx
from tallybook.store.events import INBOX_SCHEMA

_CLAIM = "INSERT INTO claim (key, record, batch) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
_OPTIONS = ipc.IpcWriteOptions(compression="lz4")  # read once, soon: speed before size


@dataclass(frozen=True, slots=True)
class Claims:
    """What became of a batch of ids. ``fresh`` are positions in the batch, in order."""

    fresh: tuple[int, ...]
    duplicate: tuple[int, ...]
    conflict: tuple[int, ...]


def claim(tx: Tx, batch: int, keys: Sequence[bytes], records: Sequence[bytes]) -> Claims:
    """Claim ids for ever.

    Args:
        tx: a write transaction; the claims stand only if it commits.
        batch: the number that the inbox batch will have.
        keys: one 16-byte digest per event of (source, event id), without repetition.
        records: the 16-byte digest of each normalised source record.
    """
    order = sorted(range(len(keys)), key=keys.__getitem__)  # leaf by leaf through the tree
    taken = tx.run_tuples(_CLAIM, [(keys[i], records[i], batch) for i in order])
    if taken == len(keys):
        return Claims(tuple(range(len(keys))), (), ())
    held = holders(tx, keys)
    fresh, duplicate, conflict = [], [], []
    for i, key in enumerate(keys):
        record, owner = held[key]
        if owner == batch:
            fresh.append(i)
        elif record == records[i]:
            duplicate.append(i)
        else:
            conflict.append(i)
    return Claims(tuple(fresh), tuple(duplicate), tuple(conflict))


def next_batch(tx: Tx) -> int:
    """The number of the next inbox batch; stable inside a write transaction."""
    return tx.last_number("inbox", "batch") + 1


def put(
    tx: Tx, batch: int, source: str, columns: Mapping[str, Sequence[object]], received_us: int
) -> None:
    """Put one batch of events into the inbox.

    Args:
        tx: the write transaction that claimed the ids.
        batch: from `next_batch`.
        source: the name of the source, for people.
        columns: a sequence per column of `tallybook.store.events.INBOX_SCHEMA`, equal lengths.
        received_us: when they arrived.
    """
    arrays = [_array(columns[field.name], field.type) for field in INBOX_SCHEMA]
    table = pa.table(arrays, schema=INBOX_SCHEMA)
    blob = packed(table)
    tx.run(
        "INSERT INTO inbox (batch, source, rows, sha256, events, received_us)"
        " VALUES (:batch, :source, :rows, :sha256, :events, :received_us)",
        batch=batch,
        source=source,
        rows=table.num_rows,
        sha256=sha256(blob).hexdigest(),
        events=blob,
        received_us=received_us,
    )
    tx.note_number("inbox", "batch", batch)


def packed(table: pa.Table) -> bytes:
    """Events as they wait."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, INBOX_SCHEMA, options=_OPTIONS) as writer:
        writer.write_table(table)
    blob: bytes = sink.getvalue().to_pybytes()
    return blob


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """A column; most of a batch's columns hold one value, and that is converted once."""
    first = values[0] if values else None
    if isinstance(first, str | int) and values.count(first) == len(values):
        return pa.repeat(pa.scalar(first, kind), len(values))
    return pa.array(values, kind)


def release(tx: Tx, keys: Sequence[bytes]) -> None:
    """Give up claims made in this transaction, of events that will not be put after all."""
    tx.run_tuples("DELETE FROM claim WHERE key = ?", [(key,) for key in keys])


def holders(tx: Tx, keys: Sequence[bytes]) -> dict[bytes, tuple[bytes, int]]:
    """For each key that is claimed, the record and the batch that claimed it."""
    held: dict[bytes, tuple[bytes, int]] = {}
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        names = {f"k{i}": key for i, key in enumerate(part)}
        binds = ", ".join(f":{name}" for name in names)
        for row in tx.rows(f"SELECT key, record, batch FROM claim WHERE key IN ({binds})", **names):
            held[bytes(row.key)] = (bytes(row.record), int(row.batch))
    return held
