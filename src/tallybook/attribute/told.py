"""What is told of a period's traces, read from the engine: rows in whole numbers, trace by trace.

Rows come as columns and are parted by their traces as they come, so that each part holds whole
traces and is small; of a very large month a share of the traces is read at once. Of the months
beside it only rows of traces that the period has are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallybook.attribute.nodes import Names, Nodes
from tallybook.attribute.path import Paths
from tallybook.meter.resolve.rank import rank
from tallybook.rate.rating import CORRECTIONS, NETTED, TOUCHED, Metering, field_sql
from tallybook.store import sql_text
from tallybook.store.lake import Session
from tallybook.store.seal import DERIVED

_PART: Final = 250_000
"""Nodes that are walked at once: their columns stay near the processor."""
_SHARE: Final = 12_000_000
"""Rows that are held at once, about 43 bytes each."""
_PARTS_MAX: Final = 4_096
_SEEN_BITS: Final = (16, 26)
"""Traces that the period has are marked by so many bits of their digests, at least and at most."""
_PART_SHIFT: Final = np.uint64(52)
_PART_SHIFT_BACK: Final = np.uint64(12)
_SALTS: Final = 8
_BILLS, _HOLLOW, _FAILS, _SPAN, _PARENT, _ALONE = (1 << bit for bit in range(6))
"""The flags of `nodes.sql`; the last is that of a row that names no trace."""
_NEAR: Final = "SEMI JOIN near USING (row_at)"
_TRACE: Final = "hash(trace_id) | 1"
"""The digest of a trace: an odd number. An even one is given to each trace that shares its own."""
_TWINNED: Final = "LEFT JOIN twins USING (trace_id)"

Rows = Mapping[str, NDArray[Any]]


class Told:
    """What is told of a period's traces.

    Args:
        session: an engine with the events, and what is told of their traces as ``beside``.
        metering: the period.
        paths: numbers what nodes say.
    """

    def __init__(self, session: Session, metering: Metering, paths: Paths) -> None:
        self._session, self._metering, self._paths = session, metering, paths
        self._names = ["source", *(f"c{i}" for i in range(len(metering.carried)))]
        self._found: dict[int, tuple[str, ...]] = {}
        self._numbers: list[tuple[int, int, int]] = []
        session.run(sql_text(__package__, "told").format(**_told(metering)))
        inside = f"started_us >= {metering.start_us} AND started_us < {metering.end_us}"
        # Apart, so that the engine asks no row for what footers say of all.
        self._mine = ("bills", f"NOT bills AND {inside}")
        self._outside = f"(started_us < {metering.start_us} OR started_us >= {metering.end_us})"
        self._key, self._count = self._numbered()
        self._trace, self._twinned = self._told_apart()
        # One for each row, so that of other traces few are taken for one of the period.
        self._bits = min(max(self._count.bit_length(), _SEEN_BITS[0]), _SEEN_BITS[1])

    def read(self) -> Iterator[tuple[list[Rows], list[list[Rows]]]]:
        """Rows that name no trace, and parts of whole traces, for `nodes`: one share at a time."""
        shares = max(1, -(-self._count // _SHARE))
        for share in range(shares):
            mine = f"hash(trace_id) % {shares} = {share}" if shares > 1 else "TRUE"
            alone: list[Rows] = []
            parts: list[list[Rows]] = [[] for _ in range(self._parts(shares))]
            seen = np.zeros(1 << self._bits, bool)
            for which in self._mine:
                for rows in self._rows(f"{which} AND {mine}"):
                    seen[self._seen_at(rows)] = True
                    _parted(rows, alone, parts)
            near = self._near(f"NOT bills AND {self._outside} AND {mine}", seen)
            if len(near):
                self._session.put("near", {"row_at": near})
                self._number("near", "TRUE")
                for rows in self._rows("TRUE", _NEAR):
                    _parted(rows, alone, parts)
            yield alone, parts

    def nodes(self, rows: Sequence[Rows]) -> Nodes:
        """Rows of some traces as nodes."""
        held = {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}
        flags, carried, started = held["flags"], held["carried"], held["started_us"]
        mark = 2 * self.epochs(held) + (flags & _FAILS != 0)
        mark[(started < self._metering.start_us) | (started >= self._metering.end_us)] = -1
        return Nodes(
            row_at=held["row_at"],
            trace=held["trace"],
            span=held["span"],
            parent=held["parent"],
            started_us=started,
            said=self._said[carried],
            service=self._service[carried],
            mark=mark,
            believed=self._believed[carried],
            bills=flags & _BILLS != 0,
            hollow=flags & _HOLLOW != 0,
            has_span=flags & _SPAN != 0,
            has_parent=flags & _PARENT != 0,
        )

    def said(self, rows: Rows) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Whom each row names by itself, and its service, by number."""
        return self._said[rows["carried"]], self._service[rows["carried"]]

    def epochs(self, rows: Rows) -> NDArray[np.int32]:
        """The number of the chart under which each row began."""
        began = np.searchsorted(self._metering.epochs_us, rows["started_us"], side="right")
        return began.astype(np.int32)

    def _parts(self, shares: int) -> int:
        return min(_PARTS_MAX, max(1, -(-self._count // (_PART * shares))))

    def _numbered(self) -> tuple[str, int]:
        """How rows name what they carry: by 64 bits that no two combinations share."""
        for salt in range(_SALTS):
            self._key = _key(self._names, salt)
            self._found.clear()
            self._numbers.clear()
            counts = [self._number("", which) for which in self._mine]
            if None not in counts:
                return self._key, sum(filter(None, counts))
        raise AssertionError("what calls carry cannot be told apart")

    def _told_apart(self) -> tuple[str, str]:
        """The digest of a trace as an expression that no two share, and the join that it asks."""
        found = self._session.rows(sql_text(__package__, "twins").format(trace=_TRACE))
        if not found:
            return _TRACE, ""
        twins = [(trace_id, 2 * number) for number, (trace_id,) in enumerate(sorted(found))]
        self._session.table("twins", {"trace_id": "text", "twin": "whole"}, twins)
        return f"COALESCE(CAST(twin AS UBIGINT), {_TRACE})", _TWINNED

    def _number(self, near: str, which: str) -> int | None:
        """Number what some rows carry; how many they are, None if two combinations share a key."""
        join = _NEAR if near else ""
        statement = sql_text(__package__, "steps").format(
            key=self._key, carried=", ".join(self._names), near=join, which=which
        )
        rows = 0
        for key, count, *values in self._session.rows(statement):
            what = tuple(map(str, values))
            held = self._found.setdefault(key, what)
            if held != what:
                return None
            if len(self._found) > len(self._numbers):
                self._numbers.append(self._numbers_of(*what))
            rows += count
        numbers = np.array(self._numbers, np.int32).reshape(-1, 3)
        self._said, self._service, self._believed = numbers.T.copy()
        keys = np.array(list(self._found), np.uint64)
        self._index = Names((keys,), np.arange(len(keys)))
        return rows

    def _numbers_of(self, source: str, *values: str) -> tuple[int, int, int]:
        """What a row says by itself and its service, by number, and how soon it is believed."""
        carried = dict(zip(self._metering.carried, values, strict=True))
        return *self._paths.node(carried), rank(source)

    def _rows(self, which: str, near: str = "") -> Iterator[Rows]:
        statement = sql_text(__package__, "nodes").format(
            key=self._key, trace=self._trace, twins=self._twinned, near=near, which=which
        )
        narrow = np.min_scalar_type(len(self._found))
        for rows in self._session.columns(statement):
            yield {**rows, "carried": self._index.find((rows["carried"],)).astype(narrow)}

    def _seen_at(self, rows: Rows) -> NDArray[np.uint64]:
        """Where the trace of each row is marked as seen."""
        marks: NDArray[np.uint64] = rows["trace"] >> np.uint64(64 - self._bits)
        return marks

    def _near(self, which: str, seen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Rows of the months beside whose traces the period has; few others are among them."""
        statement = sql_text(__package__, "outside").format(
            trace=self._trace, twins=self._twinned, which=which
        )
        found = [
            rows["row_at"][seen[self._seen_at(rows)]] for rows in self._session.columns(statement)
        ]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def _parted(rows: Rows, alone: list[Rows], parts: list[list[Rows]]) -> None:
    """Put rows to those of the same traces; what neither bills nor has a span stands nowhere."""
    stands = rows["flags"] & (_BILLS | _SPAN) != 0
    if not stands.all():
        rows = {name: column[stands] for name, column in rows.items()}
    lone = rows["flags"] & _ALONE != 0
    if lone.any():
        alone.append({name: column[lone] for name, column in rows.items()})
        rows = {name: column[~lone] for name, column in rows.items()}
    part = (((rows["trace"] >> _PART_SHIFT) * np.uint64(len(parts))) >> _PART_SHIFT_BACK).astype(
        np.uint16
    )
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(np.bincount(part, minlength=len(parts)))
    for number, (first, last) in enumerate(pairwise([0, *ends.tolist()])):
        if first < last:
            parts[number].append({name: column[order[first:last]] for name, column in rows.items()})


def _key(names: Sequence[str], salt: int) -> str:
    """64 bits of what a row carries, as an expression."""
    salted = names if not salt else [f"{name} || '\x01{salt}'" for name in names]
    # A digest of digests: of a text that many rows share the engine makes its own only once.
    return f"hash({', '.join(f'hash({name})' for name in salted)})"


def _told(metering: Metering) -> dict[str, str]:
    """What the view ``told`` is made of."""
    parts = {
        "columns": _columns(metering),
        "corrections": CORRECTIONS if metering.has_corrections else "",
        "netted": NETTED,
        "touched": TOUCHED if metering.only_touched else "",
        "traced": "e.trace_id <> ''" if metering.only_touched else "TRUE",
        "derived": DERIVED.hex(),
    }
    names = ["told_beside"] + (["told_netted"] if metering.has_corrections else [])
    others = "\n".join(sql_text(__package__, name).format(**parts) for name in names)
    return {**parts, "others": others}


def _columns(metering: Metering) -> str:
    carried = [f"{field_sql(field)} AS c{i}" for i, field in enumerate(metering.carried)]
    named = ("row_at", "trace_id", "span_id", "parent_span_id", "started_us", "source")
    return ", ".join(
        [
            *(f"e.{name}" for name in named),
            "e.status = 'error' AS fails",
            *carried,
        ]
    )
