"""Intents and events: what a process that died had under way is found, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from environment import PROJECT
from tallybook.gateway.journal import Intents, Journal, events_of, intents_of, recover
from tallybook.meter.read import read_event
from tallybook.sdk.asked import Asked
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt, Outcome

MIB = 1024 * 1024


def attempt(event_id="e1", **tags):
    asked = Asked("openai", "/v1/chat/completions", "chat", "gpt-4o", False, False, True)
    return Attempt(
        event_id=event_id,
        operation_id=event_id,
        attempt=1,
        started_us=1_790_900_000_000_000,
        asked=asked,
        tags={"team": "support", **tags},
        key_id="vk",
        trace={},
    )


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "spool", bound_bytes=MIB, health=Health())
    yield made
    made.close()


def spooled(folder):
    lines = [line for path in folder.glob("*.*") for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]


def died(folder, program):
    """Run a program on a journal in a process that ends without a word."""
    code = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(PROJECT / "tests")!r})
from gateway.test_journal import *
journal = Journal(Path({str(folder)!r}), bound_bytes=MIB, health=Health())
{program}
os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr


def test_a_call_is_under_way_until_it_is_settled(journal, tmp_path):
    one = attempt()
    journal.admit(one)
    assert journal.under_way == 1
    assert journal.settle("e1", events_of(one, Outcome(status="ok", took_us=5, billed=True)))
    assert journal.under_way == 0
    journal.sync()
    (event,) = spooled(tmp_path / "spool")
    assert (event["event_id"], event["source"], event["team"]) == ("e1", "gateway", "support")


def test_calls_of_a_process_that_died_become_events_of_unknown_usage(tmp_path):
    folder = tmp_path / "spool"
    died(
        folder,
        "for n in range(9): journal.admit(attempt(f'e{n}', feature=f'f{n}'))\n"
        "for n in range(7): journal.settle(f'e{n}', [])",
    )
    assert recover(folder, Health()) == 2
    assert recover(folder, Health()) == 0
    found = spooled(folder)
    assert {one["event_id"]: one["feature"] for one in found} == {"e7": "f7", "e8": "f8"}
    for one in found:
        read_event(one)
        assert (one["usage"], one["status"]) == ("unknown", "error")
        assert one["labels"] == {"recovered": "true"}


def test_an_event_that_was_written_just_before_the_end_is_not_written_twice(tmp_path):
    folder = tmp_path / "spool"
    died(
        folder,
        "journal.admit(attempt())\n"
        "journal._intents.settle = lambda _id: os._exit(9)\n"
        "journal.settle('e1', events_of(attempt(), Outcome(status='ok', took_us=1)))",
    )
    assert recover(folder, Health()) == 0
    assert [one["status"] for one in spooled(folder)] == ["ok"]


def test_a_living_process_keeps_its_calls(journal, tmp_path):
    journal.admit(attempt())
    assert recover(tmp_path / "spool", Health()) == 0


def test_half_an_intent_was_never_promised(tmp_path):
    folder = tmp_path / "spool"
    died(folder, "journal.admit(attempt())\nat = journal._intents._at\n"
         "journal.admit(attempt('e2'))\njournal._intents._map[at + 20:] = b'\\0' * (len(journal._intents._map) - at - 20)")  # fmt: skip
    assert recover(folder, Health()) == 1
    assert [one["event_id"] for one in spooled(folder)] == ["e1"]


def test_a_full_file_is_left_for_a_new_one_that_holds_what_is_under_way(tmp_path):
    intents = Intents(tmp_path, size=4096)
    for number in range(100):
        intents.begin(attempt(f"e{number}"))
        if number % 10:
            intents.settle(f"e{number}")
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    for number in range(0, 100, 10):
        assert f'"event_id":"e{number}"'.encode() in data
    os.close(intents._file)
    intents._map.close()
    assert recover(tmp_path.parent, Health()) == 0
    folder = tmp_path / "spool"
    intents_of(folder).mkdir(parents=True)
    path.rename(intents_of(folder) / path.name)
    assert recover(folder, Health()) == 10


def test_an_event_that_cannot_be_written_is_tried_again_and_found_if_its_process_dies(tmp_path):
    health = Health()
    journal = Journal(tmp_path / "spool", bound_bytes=10, health=health)
    for name in ("e1", "e2"):
        journal.admit(attempt(name))
        outcome = Outcome(status="ok", took_us=1)
        assert not journal.settle(name, events_of(attempt(name), outcome))
    journal.tend()
    assert (journal.under_way, journal.is_late) == (2, True)
    journal._spool._bound_bytes = MIB
    journal.tend()
    assert (journal.under_way, journal.is_late) == (0, False)
    assert [one["event_id"] for one in spooled(tmp_path / "spool")] == ["e1", "e2"]
    journal.close()


def test_a_call_that_cannot_be_noted_is_not_under_way(journal, monkeypatch):
    def full(*_):
        raise OSError(28, "full")

    monkeypatch.setattr(journal._intents, "_renew", full)
    monkeypatch.setattr(journal._intents, "_end", 0)
    with pytest.raises(OSError):
        journal.admit(attempt())
    assert journal.under_way == 0
