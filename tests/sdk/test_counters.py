"""Faults of ours are counted and told once."""

import logging

import pytest

from tallybook.sdk import counters as module
from tallybook.sdk.counters import Health


def test_a_fault_is_counted_each_time_and_told_once(caplog):
    health = Health()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with health.guarded("reader"):
                raise ValueError("a prompt that nobody may keep")
        with health.guarded("spool"):
            raise OSError(28, "No space left on device")
    assert health.counts() == {"failed": 4}
    assert [record.getMessage() for record in caplog.records] == [
        "reader: ValueError; counted from now on, not told again",
        "spool: OSError (No space left on device); counted from now on, not told again",
    ]


def test_who_stops_the_process_is_not_stopped():
    with pytest.raises(KeyboardInterrupt), Health().guarded("reader"):
        raise KeyboardInterrupt


def test_a_child_begins_at_nothing():
    health = Health()
    health.add("observed", 3)
    health.after_fork()
    assert health.counts() == {}


def test_outside_a_hook_faults_are_counted_for_the_process(caplog):
    before = module.PROCESS.counts().get("failed", 0)
    with caplog.at_level(logging.WARNING), module.guarded("nowhere"):
        raise ValueError
    assert module.PROCESS.counts()["failed"] == before + 1
