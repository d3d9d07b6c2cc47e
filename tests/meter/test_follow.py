"""Following ingests what comes, notes how far it came, and stops between batches."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tallybook.clock import FixedClock
from tallybook.errors import StoreError
from tallybook.meter.follow import follow
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.meter.sources.source import Lined


class Steps:
    """Stops after some steps; each step does something while the follower waits."""

    def __init__(self, *steps):
        self._steps = list(steps)

    def is_set(self):
        return False

    def wait(self, _timeout):
        if not self._steps:
            return True
        self._steps.pop(0)()
        return False


@pytest.fixture
def store(new_store):
    return new_store()


def run(store, path, *steps, said=None):
    ordinal, batches = itertools.count(), []
    total = follow(
        store,
        Jsonl([]),
        [path],
        clock=FixedClock(1_790_000_000_000_000),
        new_id=lambda: f"s-{next(ordinal)}",
        on_batch=batches.append,
        say=(said if said is not None else []).append,
        stop=Steps(*steps),
    )
    return total, batches


def test_what_cannot_be_read_is_kept_in_one_file_up_to_a_bound(
    store, record, tmp_path, monkeypatch, caplog
):
    """Each batch made a file, and for ever: a writer that erred for days filled the disk."""
    monkeypatch.setattr("tallybook.meter.rejects.KEPT_BYTES", 150)
    path = tmp_path / "calls.jsonl"

    def write(*told):
        with path.open("a") as file:
            file.writelines(f"{line}\n" for line in told)

    write("{oops")
    total, batches = run(
        store,
        path,
        lambda: write("{oops"),
        lambda: write("{oops", json.dumps(record("e1"))),
        lambda: write("{oops"),
    )
    assert [(one.accepted, one.rejected, one.dropped) for one in batches] == [
        *((0, 1, 0), (0, 1, 0)),
        *((1, 1, 1), (0, 1, 1)),
    ]
    assert (total.rejected, total.dropped) == (4, 2)
    (kept,) = (store.home / "rejects").iterdir()
    assert (str(kept), kept.read_text().count("\n")) == (total.reject_file, 2)
    assert batches[-1].reject_file == ""
    assert "1 records that cannot be read were not kept" in caplog.text


def test_what_comes_is_in_and_a_second_run_goes_on(store, record, tmp_path):
    path = tmp_path / "calls.jsonl"

    def write(*ids):
        with path.open("a") as file:
            file.writelines(json.dumps(record(each)) + "\n" for each in ids)

    write("1", "2")
    total, batches = run(store, path, lambda: write("3"), lambda: None)
    assert [batch.accepted for batch in batches] == [2, 1]
    assert (total.accepted, total.duplicate) == (3, 0)
    write("4", "1")
    total, _ = run(store, path)
    assert (total.accepted, total.duplicate) == (1, 1), "lines that were read are not read again"


def test_a_lost_or_broken_position_doubles_nothing(store, record, tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(record("1")) + "\n")
    run(store, path)
    (mark,) = (store.home / "follow").glob("*.json")
    mark.write_text("{")
    total, _ = run(store, path)
    assert (total.accepted, total.duplicate) == (0, 1)


def test_a_line_that_cannot_be_read_does_not_stop_the_rest(store, record, tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text("not json\n" + json.dumps(record("1")) + "\n")
    total, _ = run(store, path)
    assert (total.accepted, total.rejected) == (1, 1)
    assert '"place":"calls.jsonl:1"' in Path(total.reject_file).read_text()


def test_a_disk_that_refuses_the_position_is_told(store, record, tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(record("1")) + "\n")
    (store.home / "follow").write_text("a file in the way")
    with pytest.raises(StoreError, match="could not note how far"):
        run(store, path)


def test_lines_can_be_followed_and_tables_cannot():
    assert isinstance(Jsonl([]), Lined)
