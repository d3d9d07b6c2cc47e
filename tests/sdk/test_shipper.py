"""The thread ships while the process runs, at its end, and again after an outage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import httpx2
import pytest

from tallybook.errors import DeliveryError
from tallybook.sdk import shipper as module
from tallybook.sdk.shipping import Delivery

FORKS = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

CHAT = "https://api.openai.com/v1/chat/completions"


class Memory:
    def __init__(self):
        self.lines, self.down, self.closed = [], False, False

    def deliver(self, segment):
        if self.down:
            raise DeliveryError("cannot be reached")
        self.lines += segment.read_bytes().splitlines()
        return Delivery(accepted=1)

    def close(self):
        self.closed = True


@pytest.fixture
def there(monkeypatch):
    made = Memory()
    monkeypatch.setattr("tallybook.sdk.destinations.destination", lambda *_args: made)
    monkeypatch.setattr(module, "_EVERY_S", 0.02)
    return made


def call(metered):
    with metered.client(lambda _: httpx2.Response(200, json={"id": "r"})) as http:
        http.post(CHAT, json={"model": "gpt-4o"})


def wait_for(condition):
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError


def test_events_are_shipped_while_the_process_runs(make_metered, there):
    metered = make_metered(ship_to="https://books.test", segment_s=0)
    call(metered)
    wait_for(lambda: len(there.lines) == 1)
    wait_for(lambda: not list(metered.folder.iterdir()))


def test_an_outage_loses_nothing(make_metered, there, caplog):
    metered = make_metered(ship_to="https://books.test", segment_s=0)
    there.down = True
    call(metered)
    wait_for(lambda: metered.counts.get("undelivered", 0) > 1)
    there.down = False
    call(metered)
    wait_for(lambda: len(there.lines) == 2)
    assert len([one for one in caplog.records if one.name == "tallybook.sdk"]) == 1


def test_without_a_place_to_ship_to_segments_are_closed_and_wait(make_metered, there):
    metered = make_metered(segment_s=0)
    call(metered)
    wait_for(lambda: [path.suffix for path in metered.folder.iterdir()] == [".jsonl"])
    assert there.lines == []


def test_flush_and_close_ship_at_once(make_metered, there):
    metered = make_metered(ship_to="https://books.test", segment_s=3600)
    call(metered)
    metered.hook.flush()
    assert len(there.lines) == 1
    call(metered)
    metered.hook.close()
    assert len(there.lines) == 2
    assert there.closed


def test_flush_keeps_to_its_time(make_metered, there):
    metered = make_metered(ship_to="https://books.test", segment_s=3600)
    call(metered)
    metered.hook.flush(0.0)
    assert there.lines == []
    assert [path.suffix for path in metered.folder.iterdir()] == [".jsonl"]


@FORKS
def test_a_child_process_has_a_thread_of_its_own(make_metered, tmp_path, there):
    metered = make_metered(ship_to="https://books.test", segment_s=0)
    call(metered)
    wait_for(lambda: len(there.lines) == 1)
    child = os.fork()
    if child == 0:
        there.lines.clear()
        call(metered)
        for _ in range(500):
            if there.lines:
                break
            time.sleep(0.02)
        (tmp_path / "child").write_text(json.dumps(len(there.lines)))
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads((tmp_path / "child").read_text()) == 1


AT_EXIT = """
import sys
from pathlib import Path
import httpx2
import tallybook.sdk
tallybook.sdk.configure(spool=Path(sys.argv[1]), ship_to="books:" + sys.argv[2])
answer = lambda request: httpx2.Response(200, json={"id": "r", "usage": {"prompt_tokens": 1}})
with tallybook.sdk.client(transport=httpx2.MockTransport(answer)) as http:
    for _ in range(7):
        http.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o"})
"""


def test_the_end_of_a_process_ships_what_waits(found_company, tmp_path):
    company = found_company()
    spool = tmp_path / "spool"
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT, str(spool), str(company.home)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(spool.iterdir()) == []
    with company.store.read() as tx:
        assert tx.scalar("SELECT SUM(rows) FROM inbox") == 7
