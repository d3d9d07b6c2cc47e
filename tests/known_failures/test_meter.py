"""Exhibits of metering that went wrong elsewhere; here they must not."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import ipc

import crash
from company import Company
from tallybook.clock import Calendar, FixedClock
from tallybook.errors import EventError
from tallybook.meter import read_event, read_mapping
from tallybook.meter.ingest import ingest
from tallybook.meter.measure import total_tokens
from tallybook.meter.sources.json_records import JsonRecords
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.post.sheet import latest_sheet
from tallybook.store import Store, faults
from tallybook.store.lake import EVERY
from tallybook.store.seal import seal

RECORD = {
    "event_id": "e-1", "source": "gateway", "started_at": "2026-10-03T10:00:00Z",
    "provider": "openai", "model": "gpt-4o", "tokens": {"input_uncached": 8, "output": 4},
}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    books = Store.create(tmp_path / "books")
    yield books
    books.close()


def send(store, *records, at_us=1):
    path = store.home / "in.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return ingest(
        store,
        Jsonl([path]),
        clock=FixedClock(at_us),
        new_id=iter(map(str, range(99))).__next__,
        on_progress=None,
        reject_folder=store.home,
    )


def counted(store):
    with store.read() as tx:
        waiting = tx.scalar("SELECT COALESCE(SUM(rows), 0) FROM inbox")
    # What is corrected as it arrives is evidence from the start, and on file all the same.
    return waiting + store.lake.snapshot(kinds=EVERY).rows


def test_m10_a_retry_after_a_failed_write_counts(store, monkeypatch):
    """OpenMeter #5118: a write failed once, the client sent the id again: counted 0. Ours: 1."""

    def refuse(point):
        if point == "ingest.put":
            raise ConnectionError("the write fails once")

    monkeypatch.setattr(faults, "reached", refuse)
    with pytest.raises(ConnectionError):
        send(store, RECORD)
    assert counted(store) == 0
    monkeypatch.undo()
    assert send(store, RECORD).accepted == 1
    assert counted(store) == 1


def test_m11_a_retry_at_another_time_counts_once(store):
    """Flexprice: the same id at two arrival times was counted 2. Ours: 1, a year apart too."""
    assert send(store, RECORD, at_us=1).accepted == 1
    seal(store, Calendar("UTC", "2026-01"))
    a_year_us = 366 * 86_400_000_000
    assert send(store, RECORD, at_us=a_year_us).duplicate == 1
    assert counted(store) == 1


@pytest.mark.parametrize(
    ("verb", "point"),
    [
        ("ingest", "ingest.claimed"),
        ("ingest", "ingest.put"),
        ("ingest", "ingest.committed"),
        ("run", "seal.written"),
        ("run", "seal.renamed"),
        ("run", "seal.listed"),
    ],
)
def test_a10_killed_and_tried_again_the_count_in_is_the_count_out(tmp_path, verb, point):
    """LiteLLM #33872, #33873, #19163: the batch was taken off the queue, then the store was down.

    Four calls and a conflicting record; the process dies by SIGKILL at a point, and every command
    is sent again. Ours: four calls on file once each, one record in quarantine, all four in the
    books.
    """
    home = tmp_path / "books"
    company = Company(home)
    crash.lived_until(company, verb)
    company.store.close()
    command = [sys.executable, str(Path(crash.__file__)), str(home), verb, point]
    died = subprocess.run(command, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()

    company = Company(home)
    company.ingest(*crash.EVENTS, crash.CONFLICT)
    assert counted(company.store) == len(crash.EVENTS)
    company.run("2026-10")
    company.run("2026-11")
    company.ingest(*crash.EVENTS, crash.CONFLICT)
    assert counted(company.store) == len(crash.EVENTS)
    with company.store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM quarantine") == 1
        sheets = [latest_sheet(tx, period) for period in ("2026-10", "2026-11")]
    calls = sum(line.calls for sheet in sheets for line in sheet.lines)
    assert calls == len(crash.EVENTS) - 1  # one of them supersedes another
    company.store.close()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({**RECORD, "tokens": {"input_uncached": -8, "output": 4}}, "tokens.input_uncached is -8"),
        ({**RECORD, "reported_cost": {"amount": "-0.065", "currency": "USD"}}, '"-0.065"'),
    ],
)
def test_a04_a_negative_is_neither_clamped_nor_dropped(store, record, words):
    """headroom PR 2757: an amount of -0.065 became none, and the budget saw 0.

    Ours: a negative count or cost is refused, kept with its record, and what is beside it counts.
    """
    result = send(store, record, {**RECORD, "event_id": "e-2"})
    assert (result.accepted, result.rejected) == (1, 1)
    with open(result.reject_file) as file:  # noqa: PTH123 - the path is text
        (kept,) = map(json.loads, file)
    assert words in kept["reason"]
    assert kept["record"] == record


MAP = b"""\
source: s
id: {paths: [id]}
fields: {started_at: at}
constants: {provider: openai, model: gpt-4o}
tokens:
  input_uncached: {from: prompt_tokens, minus: [details.cached_tokens]}
  cache_read: details.cached_tokens
"""


def test_m16_a_cached_subset_is_not_counted_twice(tmp_path):
    """1,000 input tokens of which 900 were cached: 1,900 by a naive sum. Ours: 100 and 900."""
    usage = {"prompt_tokens": 1000, "details": {"cached_tokens": 900}}
    path = tmp_path / "usage.json"
    path.write_text(json.dumps({"id": "e-1", "at": "2026-10-03T10:00:00Z", **usage}))
    ((_, _, event, _),) = JsonRecords([path], read_mapping(MAP, "map.yaml", "json")).read()
    assert event.tokens == {"input_uncached": 100, "cache_read": 900}
    assert total_tokens(event) == 1000


def test_a03_a_cached_count_above_its_inclusive_total_is_refused(tmp_path):
    """Langfuse #12306: inclusive input read as exclusive, 130,213 tokens shown as 260,421.

    A record that cannot be inclusive (900 cached inside 13) under a mapping that says it is. Ours:
    refused with both figures.
    """
    usage = {"prompt_tokens": 13, "details": {"cached_tokens": 900}}
    path = tmp_path / "usage.json"
    path.write_text(json.dumps({"id": "e-1", "at": "2026-10-03T10:00:00Z", **usage}))
    ((_, _, fault, _),) = JsonRecords([path], read_mapping(MAP, "map.yaml", "json")).read()
    assert "details.cached_tokens is 900, more than its inclusive total prompt_tokens, 13" in str(
        fault
    )


def test_a16_an_empty_id_does_not_swallow_the_rest(store):
    """LiteLLM #6633: with empty ids only the first row was kept. Ours: they are refused, aloud."""
    result = send(store, {**RECORD, "event_id": ""}, {**RECORD, "event_id": ""}, RECORD)
    assert (result.accepted, result.duplicate, result.rejected) == (1, 0, 2)
    with pytest.raises(EventError, match="event_id is missing"):
        read_event({**RECORD, "event_id": ""})


def test_a16_attempts_of_one_operation_are_events_of_their_own(store):
    """LiteLLM #39455, PR 39294: attempts merged or logged thrice. Ours: one event per attempt."""
    attempts = [
        {**RECORD, "event_id": f"op-1:{n}", "operation_id": "op-1", "attempt": n} for n in (1, 2)
    ]
    assert send(store, *attempts).accepted == 2
    with store.read() as tx:
        blob = tx.row("SELECT events FROM inbox").events
    assert ipc.open_stream(blob).read_all().column("attempt").to_pylist() == [1, 2]
