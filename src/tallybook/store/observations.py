"""What sources told of calls: rows of sealed files, found by key, by trace or by window.

A row has the columns of `tallybook.store.events.EVENT_SCHEMA` with ``role`` and ``kind``; maps come
as lists of pairs. What was made of observations is never among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import duckdb
import pyarrow as pa

from tallybook.errors import CorruptedError
from tallybook.store.engine import Store
from tallybook.store.events import EVENT_SCHEMA, INBOX_SCHEMA
from tallybook.store.lake import OBSERVED
from tallybook.store.rows import Row, rows_of
from tallybook.store.seal import DERIVED, Kind, SealedFile

_COLUMNS: Final = ", ".join(f'o."{name}"' for name in INBOX_SCHEMA.names)
COUNTS: Final = ("context_tokens", "total_tokens")
Window = tuple[str, int, int]
"""Provider, start and end, the end excluded."""
LIKENESS: Final = ("key", "source", "started_us", *COUNTS)
"""By what a call is like another, and its key."""


class Observations:
    """The sealed observations of a set of books, as they are now.

    Args:
        store: open books.
        periods: only files of these periods; None means all.
    """

    def __init__(self, store: Store, periods: Collection[str] | None = None) -> None:
        self._store = store
        files = store.lake.snapshot(kinds=OBSERVED).files
        self._files = [file for file in files if periods is None or file.period in periods]

    def with_keys(self, keys: Iterable[bytes]) -> list[Row]:
        """The observations of these keys."""
        return self._matching("key", pa.binary(16), sorted(set(keys)))

    def named(self, event_id: str, source: str = "") -> list[Row]:
        """The observations of an id, of one source or of all."""
        with self._opened("events", "evidence") as engine:
            return _rows(
                engine,
                f"SELECT {_COLUMNS}, o.kind FROM o WHERE o.event_id = $event_id"
                " AND ($source = '' OR o.source = $source)",
                {"event_id": event_id, "source": source},
            )

    def in_traces(self, traces: Iterable[str]) -> list[Row]:
        """The observations of these traces."""
        return self._matching("trace_id", pa.string(), sorted(set(traces)))

    def spans_in(self, traces: Iterable[str]) -> list[tuple[str, str, str, int]]:
        """(trace, span, parent span, start) of each observation of these traces."""
        wanted = pa.table({"one": pa.array(sorted(set(traces)), pa.string())})
        with self._opened("events", "evidence") as engine:
            engine.register("wanted", wanted)
            return engine.execute(
                "SELECT trace_id, span_id, parent_span_id, started_us FROM o"
                " SEMI JOIN wanted w ON o.trace_id = w.one"
            ).fetchall()

    def buckets(self) -> list[Row]:
        """All that providers added up over a key and a window."""
        with self._opened("evidence") as engine:
            return _rows(engine, f"SELECT {_COLUMNS}, o.kind FROM o WHERE o.role = 'bucket'")

    def seen_in(self, windows: Iterable[Window]) -> list[tuple[str, int, int, str, str]]:
        """Which models and keys were called in some windows.

        Args:
            windows: (provider, from, to), the end excluded.

        Returns:
            distinct (provider, from, to, model, key_id).
        """
        lanes = _lanes(windows)
        if not lanes:
            return []
        low = min(from_us for lane in lanes for _, from_us, _ in lane)
        high = max(to_us for lane in lanes for _, _, to_us in lane)
        found: list[tuple[str, int, int, str, str]] = []
        with self._opened("events", "evidence", low=low, high=high) as engine:
            for lane in lanes:
                names = ("provider", "from_us", "to_us")
                columns = dict(zip(names, zip(*lane, strict=True), strict=True))
                engine.register("wanted", pa.table(columns))
                found += engine.execute(
                    "SELECT DISTINCT w.provider, w.from_us, w.to_us, o.model, o.key_id FROM o"
                    " ASOF JOIN wanted w"
                    " ON o.provider = w.provider AND o.started_us >= w.from_us"
                    " WHERE o.role = 'call' AND o.started_us < w.to_us"
                ).fetchall()
                engine.unregister("wanted")
        return found

    def sources(self, from_us: int, to_us: int) -> set[str]:
        """Who told of calls in files that reach into a stretch of time."""
        with self._opened("events", "evidence", low=from_us, high=to_us) as engine:
            found = engine.execute("SELECT DISTINCT source FROM o WHERE role = 'call'").fetchall()
        return {str(source) for (source,) in found}

    def by_hour(self, from_us: int, to_us: int) -> list[tuple[str, int, int]]:
        """How many calls each source told of in each hour that has any: (source, hour, calls)."""
        with self._opened("events", "evidence", low=from_us, high=to_us) as engine:
            return engine.execute(
                "SELECT source, started_us - started_us % 3600000000 AS hour_us, COUNT(*) FROM o"
                " WHERE role = 'call' AND started_us >= $from_us AND started_us < $to_us"
                " GROUP BY ALL ORDER BY ALL",
                {"from_us": from_us, "to_us": to_us},
            ).fetchall()

    def like(self, calls: Mapping[str, Sequence[int]], slack_us: int) -> list[Row]:
        """Calls with the counts of tokens of some others, started about the same time.

        Args:
            calls: the columns of `LIKENESS` of observations with more than no tokens.
            slack_us: how far apart two starts may lie; what lies up to twice as far may come too.
        """
        starts = calls["started_us"]
        if not starts:
            return []
        windows = {
            (*counts, start_us // slack_us + beside)
            for start_us, *counts in zip(starts, *(calls[name] for name in COUNTS), strict=True)
            for beside in (-1, 0, 1)
        }
        names = (*COUNTS, "window")
        table = pa.table(dict(zip(names, zip(*windows, strict=True), strict=True)))
        low, high = min(starts) - slack_us, max(starts) + slack_us + 1
        same = " AND ".join(f"o.{name} = w.{name}" for name in COUNTS)
        with self._opened("events", "evidence", low=low, high=high) as engine:
            engine.register("wanted", table)
            return _rows(
                engine,
                f"SELECT {_COLUMNS}, o.kind FROM o SEMI JOIN wanted w ON {same}"
                " AND o.started_us // $slack = w.\"window\" WHERE o.role = 'call'",
                {"slack": slack_us},
            )

    def _matching(self, column: str, kind: pa.DataType, wanted: Sequence[object]) -> list[Row]:
        if not wanted:
            return []
        with self._opened("events", "evidence") as engine:
            engine.register("wanted", pa.table({"one": pa.array(wanted, kind)}))
            return _rows(
                engine, f"SELECT {_COLUMNS}, o.kind FROM o SEMI JOIN wanted w ON o.{column} = w.one"
            )

    @contextmanager
    def _opened(
        self, *kinds: Kind, low: int | None = None, high: int | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """The engine with the view ``o``: observations, each with its role and kind."""
        engine = duckdb.connect(":memory:")
        try:
            engine.execute("SET memory_limit = '1GB'")
            engine.execute("SET preserve_insertion_order = false")
            wanted = [f for f in self._files if low is None or f.max_us >= low]
            wanted = [f for f in wanted if high is None or f.min_us < high]
            parts = [self._view(kind, [f for f in wanted if f.kind == kind]) for kind in kinds]
            listed = [part for part in parts if part]
            if listed:
                engine.execute(f"CREATE VIEW o AS {' UNION ALL BY NAME '.join(listed)}")
            else:
                empty = INBOX_SCHEMA.append(pa.field("kind", pa.string()))
                engine.register("o", empty.empty_table())
            yield engine
        except duckdb.Error as error:
            raise CorruptedError(
                f"sealed observations cannot be read: {error}",
                where=str(self._store.home),
                next_step="restore the file from a backup",
            ) from error
        finally:
            engine.close()

    def _view(self, kind: Kind, files: Sequence[SealedFile]) -> str:
        if not files:
            return ""
        quoted = [str(self._store.lake.path(file)).replace("'", "''") for file in files]
        paths = ", ".join(f"'{path}'" for path in quoted)
        if kind == "evidence":
            return f"SELECT *, 'evidence' AS kind FROM read_parquet([{paths}])"
        derived = f"unhex('{DERIVED.hex()}')"
        return (
            f"SELECT *, 'call' AS role, 'events' AS kind FROM read_parquet([{paths}])"
            f" WHERE record <> {derived}"
        )


def event_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an event out of a row, as they are sealed."""
    return {name: row[name] for name in EVENT_SCHEMA.names}


def _rows(
    engine: duckdb.DuckDBPyConnection, statement: str, params: Mapping[str, object] | None = None
) -> list[Row]:
    return rows_of(engine.execute(statement, dict(params) if params else None).to_arrow_table())


def _lanes(windows: Iterable[Window]) -> list[list[Window]]:
    """Windows in as few lists as go without two of a provider that overlap, each in order."""
    lanes: list[list[Window]] = []
    for _, own in groupby(sorted(set(windows)), key=itemgetter(0)):
        ends: list[tuple[int, int]] = []  # of each lane that this provider has, the earliest first
        for window in own:
            _, from_us, to_us = window
            lane = heappop(ends)[1] if ends and ends[0][0] <= from_us else len(ends)
            if lane == len(lanes):
                lanes.append([])
            lanes[lane].append(window)
            heappush(ends, (to_us, lane))
    return lanes
