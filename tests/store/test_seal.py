"""Sealing: a crash between file and manifest loses nothing and counts nothing twice."""

import os
import signal
import subprocess
import sys
from dataclasses import asdict

import pyarrow.parquet as pq
import pytest

from tallybook.clock import Calendar, parse_instant
from tallybook.errors import CorruptedError, StoreError
from tallybook.store import Store, faults, inbox
from tallybook.store.described import described_file
from tallybook.store.events import EVENT_SCHEMA, TEXT, WHOLE
from tallybook.store.lake import EVERY
from tallybook.store.seal import Settled, content_digest, seal

CALENDAR = Calendar("America/New_York", "2026-01")
POINTS = ("seal.written", "seal.renamed", "seal.listed")


pytestmark = pytest.mark.both_stores


@pytest.fixture
def store(new_store):
    return new_store()


def put(store, *starts):
    """One batch with an event per instant; its id is the instant."""
    keys = [start.encode().ljust(16, b"\0")[:16] for start in starts]
    columns = {name: [None] * len(starts) for name in EVENT_SCHEMA.names}
    columns |= {name: [""] * len(starts) for name in TEXT}
    columns |= {name: [0] * len(starts) for name in WHOLE}
    columns |= {"units": [[]] * len(starts), "labels": [[]] * len(starts)}
    columns |= {
        "key": keys,
        "record": keys,
        "event_id": list(starts),
        "role": ["call"] * len(starts),
    }
    columns["started_us"] = [parse_instant(start) for start in starts]
    with store.write() as tx:
        batch = inbox.next_batch(tx)
        claims = inbox.claim(tx, batch, keys, keys)
        assert len(claims.fresh) == len(starts)
        inbox.put(tx, batch, "test", columns, 1)


def sealed_ids(store):
    snapshot = store.lake.snapshot()
    store.lake.verify(snapshot)
    files = [pq.read_table(store.lake.path(file)).column("event_id") for file in snapshot.files]
    return sorted(event_id for column in files for event_id in column.to_pylist())


def waiting(store):
    with store.read() as tx:
        return tx.scalar("SELECT COALESCE(SUM(rows), 0) FROM inbox")


OCTOBER, NOVEMBER, FAR = "2026-10-31T23:59:59Z", "2026-11-01T04:00:00Z", "2199-01-01T00:00:00Z"


def test_the_company_s_zone_decides_the_period(store):
    put(store, FAR, OCTOBER, NOVEMBER, "2026-11-01T03:59:59.999999Z")
    assert seal(store, CALENDAR) == 4
    files = {file.period: file for file in store.lake.snapshot().files}
    assert {period: file.rows for period, file in files.items()} == {
        "2026-10": 2,
        "2026-11": 1,
        "2198-12": 1,
    }
    assert (waiting(store), len(sealed_ids(store))) == (0, 4)


KILLED = """
import os, signal, sys
from pathlib import Path
from tallybook.clock import Calendar
from tallybook.store import Store, faults
from tallybook.store.seal import seal
def reached(at):
    if at == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
faults.reached = reached
seal(Store.open(Path(sys.argv[1])), Calendar("America/New_York", "2026-01"))
"""


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("later", [False, True])
def test_a_kill_loses_nothing_and_counts_nothing_twice(store, point, later):
    put(store, OCTOBER)
    put(store, NOVEMBER)
    command = [sys.executable, "-c", KILLED, str(store.home), point]
    assert (
        subprocess.run(command, check=False, env=os.environ, timeout=60).returncode
        == -signal.SIGKILL
    )
    expected = [OCTOBER, NOVEMBER]
    if point != "seal.listed":
        assert (sealed_ids(store), waiting(store)) == ([], 2)
    if later:
        put(store, FAR)
        expected.append(FAR)
    seal(store, CALENDAR)
    assert (sealed_ids(store), waiting(store)) == (sorted(expected), 0)


@pytest.mark.parametrize("point", POINTS)
def test_a_failure_at_any_point_is_healed_by_a_second_run(store, monkeypatch, point):
    def fail(at):
        if at == point:
            raise KeyboardInterrupt

    put(store, OCTOBER, NOVEMBER)
    monkeypatch.setattr(faults, "reached", fail)
    with pytest.raises(KeyboardInterrupt):
        seal(store, CALENDAR)
    monkeypatch.undo()
    seal(store, CALENDAR)
    assert sealed_ids(store) == [OCTOBER, NOVEMBER]


def test_another_command_that_seals_the_same_at_the_same_moment_keeps_its_files(store):
    put(store, "2026-10-03T10:00:00Z", "2026-10-03T11:00:00Z")

    def settle(arrivals):
        if waiting(store):
            seal(store, CALENDAR)
        return Settled(beside=frozenset({0}))

    assert seal(store, CALENDAR, settle) == 0
    assert sealed_ids(store) == ["2026-10-03T10:00:00Z", "2026-10-03T11:00:00Z"]


def test_a_full_disk_keeps_the_inbox(store, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    put(store, OCTOBER)
    monkeypatch.setattr(pq, "ParquetWriter", full)
    with pytest.raises(StoreError, match="could not seal 1 events: No space left on device"):
        seal(store, CALENDAR)
    assert waiting(store) == 1


def test_a_file_is_written_piece_by_piece_as_if_at_once(store, tmp_path, monkeypatch):
    """Batches that lie across months and row groups: files hold them in the order of arrival."""
    monkeypatch.setattr("tallybook.store.seal._ROW_GROUP", 4)
    days = [f"2026-{10 + n % 2}-{2 + n:02}T12:00:00Z" for n in range(21)]
    at_once = Store.create(tmp_path / "at-once")
    put(at_once, *days)
    for first in range(0, 21, 5):
        put(store, *days[first : first + 5])
    for each in (at_once, store):
        seal(each, CALENDAR, lambda _arrivals: Settled(beside=frozenset({3, 4})))
    found = {}
    for file in store.lake.snapshot(kinds=EVERY).files:
        read = pq.ParquetFile(store.lake.path(file))
        found[file.kind, file.period] = read.read().column("event_id").to_pylist()
        sizes = [read.metadata.row_group(n).num_rows for n in range(read.num_row_groups)]
        assert sizes == [4] * (file.rows // 4) + [file.rows % 4] * (file.rows % 4 > 0)
        assert described_file(store.lake, file).items() <= asdict(file).items()
    once = {file.sha256 for file in at_once.lake.snapshot(kinds=EVERY).files}
    at_once.close()
    assert once == {file.sha256 for file in store.lake.snapshot(kinds=EVERY).files}
    assert found == {
        ("events", "2026-10"): [day for day in days[::2] if day != days[4]],
        ("events", "2026-11"): [day for day in days[1::2] if day != days[3]],
        ("evidence", "2026-10"): [days[4]],
        ("evidence", "2026-11"): [days[3]],
    }


def test_a_changed_file_is_found(store):
    put(store, OCTOBER)
    seal(store, CALENDAR)
    snapshot = store.lake.snapshot()
    path = store.lake.path(snapshot.files[0])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptedError, match="is not what was written"):
        store.lake.verify(snapshot)


def test_a_changed_inbox_batch_is_found(store):
    put(store, OCTOBER)
    with store.write() as tx:
        tx.run("UPDATE inbox SET events = :other", other=bytes(10))
    with pytest.raises(CorruptedError, match="inbox batch 1 is not what was written"):
        seal(store, CALENDAR)


def test_the_digest_does_not_see_order_or_files():
    keys, records = [b"a" * 16, b"b" * 16, b"c" * 16], [b"1" * 16, b"2" * 16, b"3" * 16]
    whole = content_digest(keys, records)
    assert whole == content_digest(keys[::-1], records[::-1])
    assert whole != content_digest(keys, records[::-1])
    parts = content_digest(keys[:1], records[:1]) + content_digest(keys[1:], records[1:])
    assert whole == parts % 2**128
