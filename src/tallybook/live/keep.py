"""What a step of the rollup keeps beside its buckets: traces, names of calls, usual fan-outs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from tallybook.live.bucket import packed_usuals, unpacked_usuals
from tallybook.live.detect import Usuals, nearest_rank
from tallybook.live.trace import Trace, trace_of
from tallybook.store import Tx, storable
from tallybook.store.calls import aliased

TRACE_KEPT_US: Final = 1_800_000_000
"""A trace is recent for half an hour after something of it came."""
TRACES_HELD: Final = 20_000
"""After so many held, those of which nothing comes are forgotten; they stay in the store."""
DEAR_KEPT: Final = 100
"""How many traces are listed as dear."""
TraceRow = tuple[str, int, int, int, str]
"""trace, when something of it came, its cost for the order, whether it is dear, its body"""
_RANK_MAX: Final = 2**63 - 1


class Recent:
    """Recent traces, held from one step to the next: most come again within seconds.

    What it holds is true for one step of the rollup, as a `Shelf` is.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Trace]] = {}
        self._before: dict[str, tuple[int, Trace]] = {}

    def forget(self) -> None:
        """Hold nothing."""
        self._held, self._before = {}, {}

    def read(self, tx: Tx, wanted: AbstractSet[str], now_us: int) -> dict[str, Trace]:
        """The recent traces of some names, those that are none yet as new ones.

        Args:
            tx: a transaction.
            wanted: the names.
            now_us: something of each comes now.
        """
        if len(self._held) > TRACES_HELD:
            self._held, self._before = {}, self._held
        found: dict[str, Trace] = {}
        unknown = []
        for name in wanted:
            held = self._held.get(name) or self._before.get(name)
            if held is None:
                unknown.append(name)
            elif held[0] >= now_us - TRACE_KEPT_US:
                found[name] = held[1]
        found |= _stored(tx, unknown)
        for name in wanted:
            self._held[name] = now_us, found.setdefault(name, Trace(name))
        return found


def _stored(tx: Tx, names: Sequence[str]) -> dict[str, Trace]:
    found: dict[str, Trace] = {}
    held = {storable(name): name for name in names}
    keys = list(held)
    for start in range(0, len(keys), 500):
        part = {f"t{i}": key for i, key in enumerate(keys[start : start + 500])}
        binds = ", ".join(f":{name}" for name in part)
        statement = f"SELECT trace, body FROM live_trace WHERE trace IN ({binds})"
        for key, body in tx.plain_rows(statement, **part) or ():
            name = held[key]
            found[name] = trace_of(name, body)
    return found


def known_names(tx: Tx, names: Iterable[bytes]) -> set[bytes]:
    """The names under which a call was told of, sealed or waiting."""
    wanted = sorted(names)
    if not wanted:
        return set()
    found = set(aliased(tx, wanted))
    for start in range(0, len(wanted), 500):
        part = {f"k{i}": name for i, name in enumerate(wanted[start : start + 500])}
        binds = ", ".join(f":{name}" for name in part)
        rows = tx.rows(f"SELECT key FROM live_told WHERE key IN ({binds})", **part)
        found |= {bytes(row.key) for row in rows}
    return found


def trace_rows(traces: Mapping[str, Trace], floor: int, now_us: int) -> list[TraceRow]:
    """Traces as they are stored.

    Args:
        traces: by name.
        floor: what one has to cost to be listed as dear.
        now_us: when something of them came.
    """
    rows = []
    for name, trace in sorted(traces.items()):
        rank = min(trace.figures[2], _RANK_MAX)
        rows.append((storable(name), now_us, rank, int(0 < rank >= floor), trace.body))
    return rows


def keep_traces(tx: Tx, rows: Iterable[TraceRow], floor: int, now_us: int) -> int:
    """Keep traces; forget those of which nothing came for long.

    Returns:
        what a trace has to cost from now on to be listed as dear.
    """
    tx.run_tuples(
        "INSERT INTO live_trace (trace, seen_us, cost_rank, dear, body) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (trace) DO UPDATE SET seen_us = excluded.seen_us,"
        " cost_rank = excluded.cost_rank, dear = excluded.dear, body = excluded.body",
        list(rows),
    )
    gone = tx.run("DELETE FROM live_trace WHERE seen_us < :upto", upto=now_us - TRACE_KEPT_US)
    found = tx.rows(
        "SELECT cost_rank FROM live_trace WHERE dear = 1 ORDER BY cost_rank DESC LIMIT :most",
        most=3 * DEAR_KEPT,
    )
    if len(found) >= 3 * DEAR_KEPT:
        floor = int(found[DEAR_KEPT - 1].cost_rank)
        tx.run("UPDATE live_trace SET dear = 0 WHERE dear = 1 AND cost_rank < :floor", floor=floor)
    elif gone and floor and len(found) < DEAR_KEPT:
        floor = 0
        tx.run("UPDATE live_trace SET dear = 1 WHERE dear = 0 AND cost_rank > 0")
    return floor


def keep_names(tx: Tx, told: Mapping[bytes, int]) -> None:
    """Keep the names of waiting calls, each with its batch."""
    tx.run_tuples(
        "INSERT INTO live_told (key, batch) VALUES (?, ?) ON CONFLICT (key) DO NOTHING",
        sorted(told.items()),
    )


def forget_names(tx: Tx) -> None:
    """Forget the names of waiting calls: those of sealed ones are known by then."""
    tx.run("DELETE FROM live_told")


def keep_usuals(tx: Tx, lot: int, fan_out: Mapping[tuple[str, str], Mapping[int, int]]) -> None:
    """Keep how many calls the traces of each feature had before today: count and 99th percentile.

    It stands until the lot begins again.
    """
    usuals = {
        who: (sum(counts.values()), nearest_rank(counts, 99)) for who, counts in fan_out.items()
    }
    tx.run(
        "INSERT INTO live_bucket (lot, span, from_us, body) VALUES (:lot, 'usual', 0, :body)"
        " ON CONFLICT (lot, span, from_us) DO UPDATE SET body = excluded.body",
        lot=lot,
        body=packed_usuals(usuals),
    )


def usuals_of(tx: Tx, lot: int) -> Usuals:
    """What `keep_usuals` kept."""
    body = tx.scalar("SELECT body FROM live_bucket WHERE lot = :lot AND span = 'usual'", lot=lot)
    return unpacked_usuals(body) if body else {}
