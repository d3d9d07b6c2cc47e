"""Ingest: once for ever, whatever happens (INV-06), whatever the order (INV-07)."""

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from importlib import import_module

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import Stores
from tallybook.clock import Calendar, FixedClock
from tallybook.meter import quarantined, quarantined_count
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.store import faults
from tallybook.store.seal import combined_digest, seal

POINTS = ("ingest.claimed", "ingest.put", "ingest.quarantined", "ingest.committed")
CALENDAR = Calendar("UTC", "2026-01")


def counts(result):
    return (result.accepted, result.duplicate, result.quarantined, result.rejected)


def test_the_same_file_twice_counts_once(store, record, bring_in, inbox_rows):
    lines = [record(f"e-{i}") for i in range(5)]
    assert counts(bring_in(store, lines)) == (5, 0, 0, 0)
    assert counts(bring_in(store, lines)) == (0, 5, 0, 0)
    assert len(inbox_rows(store)) == 5


def test_key_order_and_white_space_make_no_other_record(store, record, tmp_path, bring_in):
    bring_in(store, [record(user="u-1")])
    other = tmp_path / "other.jsonl"
    turned = dict(reversed(record(user="u-1").items()))
    other.write_text(json.dumps(turned, indent=None, separators=(" , ", " : ")) + "\r\n")
    assert counts(bring_in(store, Jsonl([other]))) == (0, 1, 0, 0)


def test_the_same_id_with_another_record_is_quarantined_once(store, record, bring_in, inbox_rows):
    bring_in(store, [record()])
    other = record(tokens={"output": 99}, user="anna@example.com")
    for _ in range(2):
        assert counts(bring_in(store, [other])) == (0, 0, 1, 0)
    assert [row["output"] for row in inbox_rows(store)] == [4]
    with store.read() as tx:
        (noted,) = quarantined(tx)
        assert quarantined_count(tx) == 1
        assert quarantined(tx, after=noted.id) == []
    assert json.loads(noted.record)["tokens"] == {"output": 99}
    assert (noted.event_id, noted.place) == ("e-1", "in.jsonl:1")
    assert "another record" in noted.reason


def test_a_batch_sees_its_own_repetitions(store, record, bring_in):
    lines = [record(), record(), record(team="other"), record("e-2")]
    assert counts(bring_in(store, lines)) == (2, 1, 1, 0)


def test_ids_of_two_sources_do_not_meet(store, record, bring_in):
    assert counts(bring_in(store, [record(), record(source="sdk")])) == (2, 0, 0, 0)


def test_batches_are_told_as_they_are_settled(store, record, bring_in, monkeypatch):
    monkeypatch.setattr(import_module("tallybook.meter.ingest"), "BATCH_EVENTS", 2)
    told = []
    lines = [record(f"e-{i}") for i in range(5)]
    assert counts(bring_in(store, lines, on_progress=told.append)) == (5, 0, 0, 0)
    assert told == [2, 2, 1]


@pytest.mark.parametrize("point", POINTS)
def test_a_failure_at_any_point_counts_once_after_retry(
    store, record, bring_in, inbox_rows, monkeypatch, point
):
    failures = [point, point]

    def fail(at):
        if failures and at == failures[-1]:
            failures.pop()
            raise OSError("injected")

    monkeypatch.setattr(faults, "reached", fail)
    lines = [record(user="u-1"), record("e-2", user="u-2"), record(team="x")]
    for _ in range(2):
        with pytest.raises(OSError, match="injected"):
            bring_in(store, lines)
    bring_in(store, lines)
    rows = inbox_rows(store)
    assert sorted(row["event_id"] for row in rows) == ["e-1", "e-2"]
    with store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM claim") == 2
        assert quarantined_count(tx) == 1
        known = {row.subject for row in tx.rows("SELECT subject FROM subject")}
    assert {row["user"] for row in rows} == known


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from tallybook.clock import FixedClock
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.store import Store, faults
home, file, point = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
def reached(at):
    if at == point:
        os.kill(os.getpid(), signal.SIGKILL)
faults.reached = reached
ids = map(str, itertools.count())
ingest(Store.open(home), Jsonl([file]), clock=FixedClock(1), new_id=lambda: next(ids),
       on_progress=None, reject_folder=home / "rejects")
"""


@pytest.mark.parametrize("point", POINTS)
def test_kill_at_any_point_loses_nothing(store, record, bring_in, inbox_rows, tmp_path, point):
    lines = [record(f"e-{i}") for i in range(3)]
    path = tmp_path / "killed.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-c", KILLED, str(store.home), str(path), point]
    done = subprocess.run(command, check=False, env=os.environ, timeout=60)
    assert done.returncode == -signal.SIGKILL
    result = bring_in(store, Jsonl([path]))
    assert counts(result) == ((0, 3, 0, 0) if point == "ingest.committed" else (3, 0, 0, 0))
    assert sorted(row["event_id"] for row in inbox_rows(store)) == ["e-0", "e-1", "e-2"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])  # fmt: skip
@given(data=st.data())
def test_order_and_duplication_do_not_matter(data, record, tmp_path_factory):
    lines = [record(f"e-{i}", tokens={"output": i}, user=f"u-{i % 2}") for i in range(6)]
    extra = data.draw(st.lists(st.sampled_from(lines), max_size=6))
    shuffled = data.draw(st.permutations(lines + extra))
    cut = data.draw(st.integers(0, len(shuffled)))
    with closing(Stores()) as stores:
        first = _digest(stores, tmp_path_factory.mktemp("a"), [lines])
        second = _digest(stores, tmp_path_factory.mktemp("b"), [shuffled[:cut], shuffled[cut:]])
    assert first == second


def _digest(stores, folder, parts):
    store = stores.open(folder / "books")
    ids = random.Random()
    for part in parts:
        path = folder / "in.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in part))
        ingest(
            store,
            Jsonl([path]),
            clock=FixedClock(1),
            new_id=lambda: f"{ids.getrandbits(64):016x}",
            on_progress=None,
            reject_folder=folder,
        )
        seal(store, CALENDAR)
    digest = combined_digest([file.digest for file in store.lake.snapshot().files])
    store.close()
    return digest


def test_another_person_in_the_same_record_is_a_duplicate(store, record, bring_in):
    bring_in(store, [record(user="u-1")])
    assert counts(bring_in(store, [record(user="u-2")])) == (0, 1, 0, 0)
