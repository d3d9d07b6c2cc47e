"""Any JSON and any bytes for the importers of products: each gives events or faults, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tallybook.errors import EventError
from tallybook.meter.identity import canonical_record
from tallybook.meter.measure import state
from tallybook.meter.model import UsageEvent

_PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.decimals(allow_nan=False, allow_infinity=False, places=6).map(float)
    | st.text(max_size=12)
    | st.sampled_from(["", "{}", "[]", "null", "0", "12", "1.5", "True", "2026-10-03T10:00:00Z"])
)


def records(keys: Sequence[str], typical: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Records of a product with anything in the place of anything, most of them nearly right."""
    names = st.sampled_from(keys) | st.text(max_size=6)
    values = st.recursive(
        _PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=8,
    )
    changes = st.dictionaries(names, values, max_size=4)
    return st.builds(lambda change: typical | change, changes) | changes


def check_record(open_files: Callable[..., Any], record: object) -> None:
    """A record becomes events that the books take, or a fault that says what and why."""
    check_bytes(open_files, json.dumps(record).encode())


def check_bytes(open_files: Callable[..., Any], line: bytes) -> None:
    """The same of a line of anything."""
    source = open_files([])
    for reading in source.line("any.jsonl:1", line):
        if isinstance(reading.event, EventError):
            assert reading.event.what
            continue
        assert isinstance(reading.event, UsageEvent)
        assert state(reading.event)
        canonical_record(reading.record, source.personal)


def events_of(open_files: Callable[..., Any], folder: Path, *records: object) -> list[Any]:
    """The readings of records written as JSON lines."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return list(open_files([path]).read())
