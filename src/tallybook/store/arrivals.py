"""What is about to be sealed, as it waited: packed, and unpacked a batch or a column at a time.

A million observations, unpacked, take more than half a gigabyte; packed, less than a tenth of that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from tallybook.store.rows import Row, rows_of, values_of


class Batch:
    """Observations that waited together, by position.

    Args:
        packed: as `tallybook.store.inbox.packed` made it.
    """

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._rows = int(self._read("role").num_rows)

    def __len__(self) -> int:
        return self._rows

    def table(self) -> pa.Table:
        """All of it."""
        return ipc.open_stream(self._packed).read_all()

    def column(self, name: str) -> list[Any]:
        """One column of `tallybook.store.events.INBOX_SCHEMA`; of text that repeats, shared."""
        return values_of(self._read(name).column(name))

    def label(self, name: str) -> list[str]:
        """The value of one label of each; '' where there is none."""
        labels = self._read("labels").column("labels")
        if not any(name in chunk.keys.unique().to_pylist() for chunk in labels.chunks):
            return [""] * len(self)
        return [dict(pairs or ()).get(name, "") for pairs in labels.to_pylist()]

    def rows(self, positions: Sequence[int]) -> list[Row]:
        """Whole rows, a map as a list of pairs."""
        return rows_of(self.table().take(pa.array(positions, pa.int64())))

    def _read(self, name: str) -> pa.Table:
        at = ipc.open_stream(self._packed).schema.get_field_index(name)
        wanted = ipc.IpcReadOptions(included_fields=[at])
        return ipc.open_stream(self._packed, options=wanted).read_all()


class Arrivals:
    """Batches one after another, by position in all of them."""

    def __init__(self, packed: Sequence[bytes]) -> None:
        self.batches = tuple(Batch(one) for one in packed)
        self._ends = list(accumulate((len(batch) for batch in self.batches), initial=0))

    def __len__(self) -> int:
        return self._ends[-1]

    def column(self, name: str) -> list[Any]:
        """One column of all."""
        return [value for batch in self.batches for value in batch.column(name)]

    def rows(self, positions: Sequence[int]) -> list[Row]:
        """Whole rows, in the order of ascending positions, a map as a list of pairs."""
        return [row for batch, mine in self._by_batch(positions) for row in batch.rows(mine)]

    def _by_batch(self, positions: Sequence[int]) -> Iterator[tuple[Batch, list[int]]]:
        """Ascending positions, each batch's as they are in it."""
        for batch, (first, end) in zip(self.batches, pairwise(self._ends), strict=True):
            mine = positions[bisect_left(positions, first) : bisect_left(positions, end)]
            if mine:
                yield batch, [at - first for at in mine]


def no_arrivals() -> Arrivals:
    """Nothing new: for a question, or a decision, about what is sealed already."""
    return Arrivals(())
