"""Books, records and the one call that brings them in."""

import itertools
import json

import pytest

from tallybook.clock import FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl

NOW_US = 1_790_000_000_000_000


@pytest.fixture
def store(new_store):
    return new_store()


@pytest.fixture
def record():
    def made(event_id="e-1", **changes):
        plain = {
            "event_id": event_id,
            "source": "gateway",
            "started_at": "2026-10-03T10:00:00.123Z",
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "tokens": {"input_uncached": 8, "cache_read": 4012, "output": 4},
        }
        return {**plain, **changes}

    return made


@pytest.fixture
def bring_in(tmp_path):
    """Ingest a reader, or records written as canonical lines."""
    ordinal = itertools.count()

    def run(store, source, **changes):
        if isinstance(source, list):
            path = tmp_path / "in.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in source), encoding="utf-8")
            source = Jsonl([path])
        arguments = {
            "clock": FixedClock(NOW_US),
            "new_id": lambda: f"s-{next(ordinal)}",
            "on_progress": None,
            "reject_folder": store.home / "rejects",
        }
        return ingest(store, source, **{**arguments, **changes})

    return run


@pytest.fixture
def inbox_rows():
    """Every event that waits in the inbox, as dicts."""
    from pyarrow import ipc  # noqa: PLC0415

    def rows(store):
        with store.read() as tx:
            blobs = [row.events for row in tx.rows("SELECT events FROM inbox ORDER BY batch")]
        return [row for blob in blobs for row in ipc.open_stream(blob).read_all().to_pylist()]

    return rows
