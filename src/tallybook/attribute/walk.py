"""The trees of a period's traces, walked in the engine level by level.

A node is a row that names a trace: what it says is decided once per distinct combination, and the
engine then carries two whole numbers from each parent to its children (`tallybook.attribute.path`).
Traces whose calls stand alone are left out. The few that loop, reach very deep or have no root are
walked here, one by one (`tallybook.attribute.tree`). Nothing of it depends on the order of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from tallybook.attribute.model import Invocation
from tallybook.attribute.path import ROOT, Paths
from tallybook.attribute.tree import Node, parents_of
from tallybook.meter.resolve.rank import STANDPOINTS, known_sources, rank
from tallybook.rate.rating import (
    CORRECTIONS,
    NETTED,
    TOUCHED,
    Metering,
    epoch_sql,
    field_sql,
)
from tallybook.store import sql_text
from tallybook.store.lake import ColumnType, Session
from tallybook.store.seal import DERIVED

_PART: Final = 2_000_000
"""Nodes that are walked at once: what a join holds in memory."""
_LEVELS: Final = 256
"""Deeper nodes are walked one by one, unless they are many."""
_DEEP_MAX: Final = 2_000_000
_SHRINK: Final = (4, 8, 16, 32, 64, 128)
"""Levels after which the traces that end there are put aside."""
_SETTLED: Final = 1 << 29
"""Added to the number of an origin that no node further down can change."""
_CHAINS: Final = 1 << 31
"""A place is the number of an origin times this, and the number of a chain."""
_STEP: Final[dict[str, ColumnType]] = {"above": "whole", "below": "whole"}


@dataclass(slots=True)
class Walk:
    """A walked period. ``nodes`` were walked, of which ``one_by_one`` are in odd traces."""

    invocations: tuple[Invocation, ...]
    nodes: int
    one_by_one: int


def walk(session: Session, metering: Metering, paths: Paths) -> Walk:
    """Walk the traces of a period; makes the table ``placed``: ``row_at`` of a call and its place.

    Args:
        session: an engine with the events, and what is told of their traces as ``beside``.
        metering: the period.
        paths: decides each step once. Where it counts invocations, traces of one node are walked
            as well.
    """
    return _Walker(session, metering, paths).walk()


def place_of(place: int) -> tuple[int, int]:
    """The numbers (origin, chain) of a place."""
    origin, chain = divmod(place, _CHAINS)
    return _plain(origin), chain


def _plain(origin: int) -> int:
    return origin - _SETTLED if origin >= _SETTLED else origin


class _Walker:
    def __init__(self, session: Session, metering: Metering, paths: Paths) -> None:
        self._session, self._metering, self._paths = session, metering, paths
        self._counted = paths.counts
        self._unreached = 0
        self._wide = False
        self._same = ""
        self._made = ""
        self._origins: dict[tuple[int, int], int] = {}
        self._chains: dict[tuple[int, int], int] = {}
        self._used: dict[tuple[int, int, int, int], int] = {}
        self._one_by_one = 0
        self._kept: set[str] = set()

    def walk(self) -> Walk:
        self._nodes()
        nodes, traces = self._session.rows("SELECT COUNT(*), COALESCE(MAX(trace), 0) FROM node")[0]
        parts = max(1, -(-nodes // _PART))
        edges = [1 + n * traces // parts for n in range(parts + 1)]
        made = [
            self._part(f"placed_{n}", low, high) for n, (low, high) in enumerate(pairwise(edges))
        ]
        for name in ("kin", "hung", "below", "node", *self._kept):
            self._session.run(f"DROP TABLE IF EXISTS {name}")
        every = " UNION ALL ".join(f"SELECT row_at, place FROM {name}" for name in made)
        self._session.run(f"CREATE OR REPLACE VIEW placed AS {every}")
        return Walk(self._invocations(), nodes, self._one_by_one)

    def _nodes(self) -> None:
        """The table ``node``: what stands in the trees, in whole numbers."""
        metering, names = self._metering, [f"c{i}" for i in range(len(self._metering.carried))]
        statement = sql_text(__package__, "told").format(**_told(metering))
        self._session.run(statement)
        walked = "links > 0 AND calls > 0" if not self._counted else "links + calls >= 0"
        self._run("traced", _bounds(metering), walked=walked)
        carried = ", ".join(names)
        found = self._session.rows(sql_text(__package__, "steps").format(carried=carried))
        steps = []
        for values in found:
            named = dict(zip(metering.carried, map(str, values), strict=True))
            steps.append((*values, *self._paths.node(named)))
        types: dict[str, ColumnType] = dict.fromkeys(names, "text")
        self._session.table("step", {**types, "said": "whole", "service": "whole"}, steps)
        self._same = " AND ".join(f"n.{name} = s.{name}" for name in names)
        self._node()

    def _node(self) -> None:
        """The nodes; with ``wide`` also what only spans told twice and loops need."""
        metering, more = self._metering, ""
        if self._counted:
            inside = f"n.started_us >= {metering.start_us} AND n.started_us < {metering.end_us}"
            mark = f"CASE WHEN {inside} THEN 2 * n.epoch + CAST(n.fails AS INT) ELSE -1 END"
            more = f",\n  {mark} AS mark"
        if self._wide:
            more += ",\n  n.started_us,\n  n.believed"
        self._run("node", same=self._same, more=more)

    def _part(self, placed: str, low: int, high: int) -> str:
        """Walk the traces from one number to another."""
        rest = self._placed_kin(low, high)
        levels = self._levels(rest) if rest else []
        if rest is None or (self._unreached and not self._wide):
            self._wide = True
            self._node()
            return self._part(placed, low, high)
        levels += self._odd(rest, levels)
        union = " UNION ALL ".join(levels)
        self._run("placed", placed=placed, levels=union)
        if self._counted:
            for origin, above, service, mark, calls in self._session.rows(
                sql_text(__package__, "invoked").format(
                    levels=union, counted=self._counted_services()
                )
            ):
                key = (_plain(origin), above, service, mark)
                self._used[key] = self._used.get(key, 0) + int(calls)
        return placed

    def _placed_kin(self, low: int, high: int) -> str | None:
        """The table of each node with its parent; None if that needs the wide nodes."""
        kept, mark = "TABLE" if self._wide else "VIEW", "" if self._counted else ", -1 AS mark"
        if self._made not in ("", kept):
            self._session.run(f"DROP {self._made} part")
        self._made = kept
        self._run("part", low=str(low), high=str(high), kept=kept, mark=mark)
        if self._one("SELECT COUNT(*) FROM part WHERE hollow"):
            if not self._wide:
                return None
            self._run("heard")
        if not self._counted or not self._told_twice():
            rows, loose = self._kin()
            if rows == self._one("SELECT COUNT(*) FROM part") and not loose:
                return "kin"
        if not self._wide:
            return None
        self._run("believed")
        self._run("kin", stands="stands")
        if not self._one("SELECT COUNT(*) FROM kin WHERE place >= 2"):
            return "kin"
        self._run("hung")
        return "hung"

    def _told_twice(self) -> bool:
        """Whether steps that are counted may be told of twice."""
        rows, spans = self._session.rows(
            sql_text(__package__, "told_twice").format(counted=self._counted_services())
        )[0]
        return bool(rows != spans)

    def _counted_services(self) -> str:
        return ", ".join(map(str, self._paths.counted_services())) or "-1"

    def _kin(self) -> tuple[int, int]:
        self._run("kin", stands="span_id <> ''")
        rows, loose = self._session.rows(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN place >= 2 THEN 1 ELSE 0 END), 0) FROM kin"
        )[0]
        return int(rows), int(loose)

    def _levels(self, rest: str) -> list[str]:
        """Level by level from the roots; returns queries of what was reached."""
        start, number = f"{rest} r", 0
        left = self._one(f"SELECT COUNT(*) FROM {rest}")
        self._session.run(
            "CREATE OR REPLACE TABLE below AS SELECT r.row_at, r.trace, r.said, r.service, r.bills,"
            f" r.mark, {ROOT} AS origin, {ROOT} AS chain FROM {start} WHERE r.up IS NULL"
        )
        found: list[str] = []
        while (reached := self._one("SELECT COUNT(*) FROM below")) or not found:
            level = f"level_{number}"
            self._kept.add(level)
            self._step(level)
            found.append(f"SELECT * EXCLUDE (trace) FROM {level}")
            left -= reached
            number += 1
            if not left or (number >= _LEVELS and left <= _DEEP_MAX):
                break
            if number in _SHRINK:
                made = f"rest_{number}"
                self._kept.add(made)
                self._run("rest", made=made, rest=rest, level=level)
                rest = made
            self._run("below", rest=rest, level=level)
        self._unreached = left
        return found

    def _step(self, level: str) -> None:
        """The table of a level, of the table ``below``."""
        origins = self._session.rows(
            f"SELECT DISTINCT origin, said FROM below WHERE said <> {ROOT} AND origin < {_SETTLED}"
        )
        chains = self._session.rows(
            f"SELECT DISTINCT chain, service FROM below WHERE service <> {ROOT}"
        )
        self._session.table(
            "origin_step",
            {**_STEP, "said": "whole"},
            [(above, self._origin(above, said), said) for above, said in origins],
        )
        self._session.table(
            "chain_step",
            {**_STEP, "service": "whole"},
            [(above, self._chain(above, service), service) for above, service in chains],
        )
        self._run("level", level=level)

    def _origin(self, above: int, said: int) -> int:
        found = self._origins.get((above, said))
        if found is None:
            plain = self._paths.origin(_plain(above), said)
            found = plain + (_SETTLED if self._paths.is_settled(plain) else 0)
            self._origins[above, said] = found
        return found

    def _chain(self, above: int, service: int) -> int:
        found = self._chains.get((above, service))
        if found is None:
            found = self._chains[above, service] = self._paths.chain(above, service)
        return found

    def _odd(self, rest: str, levels: list[str]) -> list[str]:
        """Walk one by one the traces that loop, go very deep, or have no root for what has none."""
        odd: set[int] = set()
        if rest == "hung":
            odd |= {trace for (trace,) in self._session.rows(sql_text(__package__, "adrift"))}
        if self._unreached:
            reached = " UNION ALL ".join(
                level.replace("* EXCLUDE (trace)", "row_at") for level in levels
            )
            odd |= {
                trace
                for (trace,) in self._session.rows(
                    f"SELECT DISTINCT trace FROM {rest} k ANTI JOIN ({reached}) l"
                    " ON k.row_at = l.row_at"
                )
            }
        if not odd:
            return []
        self._session.table("odd", {"trace": "whole"}, [(trace,) for trace in sorted(odd)])
        nodes = [Node(*row) for row in self._session.rows(sql_text(__package__, "odd_nodes"))]
        self._one_by_one += len(nodes)
        types: dict[str, ColumnType] = dict.fromkeys(
            ("row_at", "service", "mark", "above", "origin", "chain"), "whole"
        )
        rows = self._walked(nodes)
        self._session.table("odd_level", {**types, "bills": "truth"}, rows)
        for i, level in enumerate(levels):
            levels[i] = level.replace("* EXCLUDE (trace) FROM", "l.* EXCLUDE (trace) FROM") + (
                " l ANTI JOIN odd x ON l.trace = x.trace"
            )
        columns = "row_at, service, bills, mark, above, origin, chain"
        return [f"SELECT {columns} FROM odd_level"]

    def _walked(self, nodes: Sequence[Node]) -> list[tuple[object, ...]]:
        at: dict[int | None, tuple[int, int]] = {None: (ROOT, ROOT)}
        rows: list[tuple[object, ...]] = []
        for node, up in parents_of(nodes):
            above, chain = at[up]
            origin = above if above >= _SETTLED else self._origin(above, node.said)
            below = self._chain(chain, node.service)
            at[node.row_at] = (origin, below)
            rows.append((node.row_at, node.service, node.mark, chain, origin, below, node.bills))
        return rows

    def _invocations(self) -> tuple[Invocation, ...]:
        sums: dict[Invocation, list[int]] = {}
        for (origin, above, service, mark), calls in sorted(self._used.items()):
            epoch, fails = divmod(mark, 2)
            one = self._paths.invocation(origin, above, service, epoch)
            if one is not None:
                held = sums.setdefault(one, [0, 0])
                held[0] += calls
                held[1] += 0 if fails else calls
        return tuple(
            replace(one, calls=calls, outcomes=outcomes) for one, (calls, outcomes) in sums.items()
        )

    def _run(self, name: str, params: dict[str, object] | None = None, **parts: str) -> None:
        self._session.run(sql_text(__package__, name).format(**parts), params)

    def _one(self, query: str) -> int:
        return int(self._session.rows(query)[0][0])


def _told(metering: Metering) -> dict[str, str]:
    """What the view ``told`` is made of."""
    touched = TOUCHED if metering.only_touched else ""
    columns = _columns(metering)
    parts = {
        "columns": columns,
        "corrections": CORRECTIONS if metering.has_corrections else "",
        "netted": NETTED,
        "touched": touched,
        "derived": DERIVED.hex(),
    }
    names = ["told_beside"] + (["told_netted"] if metering.has_corrections else [])
    others = "\n".join(sql_text(__package__, name).format(**parts) for name in names)
    return {**parts, "others": others}


def _columns(metering: Metering) -> str:
    carried = [f"{field_sql(field)} AS c{i}" for i, field in enumerate(metering.carried)]
    named = ("row_at", "trace_id", "span_id", "parent_span_id", "started_us")
    return ", ".join(
        [
            *(f"e.{name}" for name in named),
            f"{_believed()} AS believed",
            f"{epoch_sql(metering)} AS epoch",
            "e.status = 'error' AS fails",
            *carried,
        ]
    )


def _believed() -> str:
    """How soon a source is believed, as an expression."""
    cases = [
        f"WHEN '{source}' THEN {rank(source)}" for source in known_sources()
        if rank(source) != _UNKNOWN
    ]  # fmt: skip
    return f"CASE e.source {' '.join(cases)} ELSE {_UNKNOWN} END"


_UNKNOWN: Final = STANDPOINTS.index("gateway")
"""The standpoint of a source that we do not know."""


def _bounds(metering: Metering) -> dict[str, object]:
    return {"start_us": metering.start_us, "end_us": metering.end_us}
