"""The nodes of traces as columns, and an index of names over columns.

A trace is known by a number that no other trace has, a span by 64 bits that the engine makes of its
id; a row is found where both are equal. Positions of nodes are plain whole numbers; -1 is no node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Marks = NDArray[np.bool_]
Digests = NDArray[np.uint64]

NOBODY: Final = -1
"""The position of no node: what stands above a root."""

_ODD: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
"""Odd numbers of 64 bits, so that multiplying by them mixes bits and loses none."""
_MARKED: Final = 1 << 22
"""Numbers below this are told apart by marking them, which is ten times as fast as sorting them."""
_SPARSE: Final = 64
"""Of fewer than one in so many, sorting is faster."""
_LOAD: Final = 4
"""Slots for each name: of four slots one is taken, so most names find theirs at once."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Rows that tell of nodes of traces, as columns of one length.

    ``trace``, ``span`` and ``parent`` are digests; ``has_span`` and ``has_parent`` say that the row
    names one. ``said`` and ``service`` are what it says, by number (`tallybook.attribute.path`),
    ``believed`` how soon its source is believed, ``mark`` its epoch and whether it failed, as
    ``2 * epoch + fails``, -1 outside of the period. ``hollow`` rows tell of calls that bill by
    another row.
    """

    row_at: Positions
    trace: Digests
    span: Digests
    parent: Digests
    started_us: Positions
    said: NDArray[np.int32]
    service: NDArray[np.int32]
    mark: NDArray[np.int32]
    believed: NDArray[np.int8]
    bills: Marks
    hollow: Marks
    has_span: Marks
    has_parent: Marks

    def __len__(self) -> int:
        return len(self.row_at)

    def at(self, which: NDArray[Any]) -> Nodes:
        """Some of the nodes: those at positions, or those that are marked."""
        return Nodes(*(getattr(self, field.name)[which] for field in fields(self)))

    @property
    def names_parent(self) -> Marks:
        """Which name a parent other than themselves."""
        self_named: Marks = self.has_span & (self.parent == self.span)
        return np.logical_and(self.has_parent, ~self_named)


def distinct(numbers: Positions, below: int) -> tuple[Positions, NDArray[Any]]:
    """The distinct ones of some numbers, in order, and at which of them each stands.

    Args:
        numbers: none is negative.
        below: more than any of them.
    """
    if below > _MARKED or below > _SPARSE * len(numbers):
        found, at = np.unique(numbers, return_inverse=True)
        return found, at
    places = np.zeros(below, np.int32)
    places[numbers] = 1
    found = np.flatnonzero(places)
    places[found] = np.arange(len(found))
    return found, places[numbers]


class Names:
    """Finds the row of a name, for names of one or more columns; also where a name comes twice.

    Every row is put in the slot of its name, and where another name holds it, in a slot of the next
    round. Each round is a few operations on whole columns.

    Args:
        columns: what makes a name.
        rows: the positions of the rows that have one.
    """

    def __init__(self, columns: Sequence[Digests], rows: Positions) -> None:
        self._columns = columns
        self._rounds: list[tuple[np.uint64, np.uint64, NDArray[np.int32]]] = []
        self.holder = np.full(len(columns[0]), NOBODY, np.int32)
        """Of each row the one that is found by its name; of equal names it is the same one."""
        left = rows
        while len(left):
            keys = _mixed([column[left] for column in columns])
            factor = np.uint64(_ODD[len(self._rounds) % len(_ODD)])
            bits = max(4, int(len(left) * _LOAD - 1).bit_length())
            shift = np.uint64(64 - bits)
            slots = np.full(1 << bits, NOBODY, np.int32)
            taken = (keys * factor) >> shift
            slots[taken] = left
            held = slots[taken]
            self.holder[left] = held
            self._rounds.append((factor, shift, slots))
            other = np.flatnonzero(held != left)
            left = left[other]
            left = left[~self._equal(held[other], [column[left] for column in columns])]

    def find(self, columns: Sequence[Digests]) -> NDArray[np.int32]:
        """The row of each name; -1 where none has it."""
        found = np.full(len(columns[0]), NOBODY, np.int32)
        left = np.arange(len(columns[0]))
        keys = _mixed(columns)
        for factor, shift, slots in self._rounds:
            held = slots[(keys * factor) >> shift]
            same = self._equal(held, columns)
            found[left] = np.where(same, held, NOBODY)
            # Where a slot is empty, no later round holds the name either.
            again = np.flatnonzero((held >= 0) & ~same)
            if not len(again):
                break
            left, keys = left[again], keys[again]
            columns = [column[again] for column in columns]
        return found

    def _equal(self, held: NDArray[np.int32], columns: Sequence[Digests]) -> Marks:
        pairs = zip(self._columns, columns, strict=True)
        equal = np.ones(len(held), bool)
        for mine, asked in pairs:
            equal &= mine[held] == asked
        return equal


class Answers:
    """What was answered to whole numbers: each is asked once, however often and where it comes.

    Args:
        answer: a number for one of them.
    """

    def __init__(self, answer: Callable[[int], int]) -> None:
        self._answer = answer
        self._asked = np.zeros(0, np.uint64)
        self._answers = np.zeros(0, np.int32)
        self._index = Names((self._asked,), np.arange(0))

    def to(self, asked: Digests) -> NDArray[np.int32]:
        """The answer to each."""
        at = self._index.find((asked,))
        new = np.flatnonzero(at < 0)
        if len(new):
            self._ask(np.unique(asked[new]))
            at[new] = self._index.find((asked[new],))
        return self._answers[at]

    def _ask(self, new: Digests) -> None:
        answers = [self._answer(one) for one in new.tolist()]
        self._asked = np.concatenate((self._asked, new))
        self._answers = np.concatenate((self._answers, np.array(answers, np.int32)))
        self._index = Names((self._asked,), np.arange(len(self._asked)))


def _mixed(columns: Sequence[Digests]) -> Digests:
    """One number of 64 bits for each name; different names may have the same."""
    mixed = columns[0]
    for number, column in enumerate(columns[1:], start=1):
        mixed = (mixed * np.uint64(_ODD[-number])) ^ column
    return mixed
