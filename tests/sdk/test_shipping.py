"""A segment leaves the spool after it was taken, never before; kill -9 loses and doubles nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from tallybook.errors import DeliveryError
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.sdk.counters import Health
from tallybook.sdk.shipping import Delivery, RefusedError, ship
from tallybook.sdk.spool import Spool


class Memory:
    """A destination that keeps what it is given, or raises."""

    def __init__(self, *errors):
        self.errors, self.segments = list(errors), []

    def deliver(self, segment):
        if self.errors:
            raise self.errors.pop(0)
        lines = segment.read_bytes().splitlines()
        self.segments.append(lines)
        return Delivery(accepted=len(lines))

    def close(self): ...


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


def fill(folder, *lines, segment_bytes=1):
    spool = Spool(
        folder, segment_bytes=segment_bytes, segment_s=60, bound_bytes=1 << 20, health=Health()
    )
    for line in lines:
        spool.append(line)
    spool.seal()


def test_segments_are_shipped_oldest_first_and_deleted(folder):
    fill(folder, b"1", b"2", b"3")
    health, there = Health(), Memory()
    assert ship(folder, there, health=health) == Delivery(accepted=3)
    assert there.segments == [[b"1"], [b"2"], [b"3"]]
    assert list(folder.iterdir()) == []
    assert health.counts() == {"shipped": 3}
    assert ship(folder, there, health=health) == Delivery()


def test_what_was_not_delivered_waits(folder):
    fill(folder, b"1", b"2")
    there = Memory(DeliveryError("no"))
    with pytest.raises(DeliveryError):
        ship(folder, there, health=Health())
    assert len(list(folder.iterdir())) == 2
    assert ship(folder, there, health=Health()).accepted == 2


def test_what_is_refused_is_put_aside_for_people(folder, caplog):
    fill(folder, b"1", b"2")
    health, there = Health(), Memory(RefusedError("the server answered 400"))
    assert ship(folder, there, health=health).accepted == 1
    (kept,) = folder.iterdir()
    assert (kept.suffix, kept.read_bytes()) == (".refused", b"1\n")
    assert health.counts() == {"refused": 1, "shipped": 1}
    assert "the server answered 400" in caplog.text


def test_it_stops_when_it_is_told_to(folder):
    fill(folder, b"1", b"2")
    answers = [True, False]
    assert ship(folder, Memory(), health=Health(), go_on=lambda: answers.pop(0)).accepted == 1


def test_half_an_event_of_a_dead_process_is_cut_off_and_told(folder, caplog):
    fill(folder, b"1")
    (path,) = folder.iterdir()
    path.write_bytes(b'{"a":1}\n{"a"')
    health, there = Health(), Memory()
    ship(folder, there, health=health)
    assert there.segments == [[b'{"a":1}']]
    assert health.counts() == {"shipped": 1, "torn": 1}
    assert "half an event" in caplog.text


def test_two_ship_from_one_spool_and_no_segment_twice(folder):
    fill(folder, *(b"%d" % number for number in range(20)))
    other = Memory()

    class Meanwhile(Memory):
        def deliver(self, segment):
            ship(folder, other, health=Health())
            return super().deliver(segment)

    first = Meanwhile()
    ship(folder, first, health=Health())
    shipped = [line for each in (first, other) for part in each.segments for line in part]
    assert sorted(shipped) == sorted(b"%d" % number for number in range(20))


LINE = (
    '{"event_id":"%s-%d","source":"sdk","started_at":"2026-10-03T10:00:00Z",'
    '"provider":"openai","model":"gpt-4o","tokens":{"output":1}}'
)

WRITER = """
import sys, time
from pathlib import Path
from tallybook.sdk.counters import Health
from tallybook.sdk.spool import Spool
folder, name, promised = Path(sys.argv[1]), sys.argv[2], open(sys.argv[3], "ab", buffering=0)
spool = Spool(folder, segment_bytes=10_000, segment_s=60, bound_bytes=1 << 30, health=Health())
print("ready", flush=True)
for number in range(100_000):
    if spool.append((sys.argv[4] % (name, number)).encode()):
        promised.write(b"%s-%d\\n" % (name.encode(), number))
    time.sleep(0.001)
"""

SHIPPER = """
import sys
from pathlib import Path
from tallybook.sdk.counters import Health
from tallybook.sdk.destinations import destination
from tallybook.sdk.shipping import ship
there = destination("books:" + sys.argv[2])
print("ready", flush=True)
while True:
    ship(Path(sys.argv[1]), there, health=Health())
"""


def run(*args):
    return subprocess.Popen([sys.executable, "-c", *args], stdout=subprocess.PIPE)


def test_kill_9_of_writers_and_shippers_loses_nothing_and_doubles_nothing(
    found_company, tmp_path, folder
):
    """Writers and shippers are killed at chance moments; what was promised is in the books once."""
    company = found_company()
    home, promised = company.home, tmp_path / "promised"
    chance = random.Random(20261122)
    for round_ in range(2):
        writers = [
            run(WRITER, str(folder), f"{round_}-{name}", str(promised), LINE) for name in "ab"
        ]
        shipper = run(SHIPPER, str(folder), str(home))
        for process in (*writers, shipper):
            assert process.stdout.readline() == b"ready\n"
        time.sleep(0.4 + chance.random())
        for process in chance.sample([*writers, shipper], 3):
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            time.sleep(chance.random() / 20)
    ship(folder, in_process(company), health=Health())
    assert list(folder.iterdir()) == []
    wanted = set(promised.read_text().split())
    assert len(wanted) > 100
    with company.store.read() as tx:
        held = int(tx.scalar("SELECT SUM(rows) FROM inbox"))
        claims = int(tx.scalar("SELECT COUNT(*) FROM claim"))
    assert held == claims
    again = ingest(
        company.store,
        Jsonl([listed(tmp_path / "again.jsonl", wanted)]),
        clock=company.clock,
        new_id=lambda: "s",
        on_progress=None,
        reject_folder=tmp_path,
    )
    assert (again.accepted, again.duplicate) == (0, len(wanted))
    # An event may be on the disk whose writer died before it could say so: at most one for each.
    assert len(wanted) <= held <= len(wanted) + 4


def listed(path, wanted):
    records = []
    for each in wanted:
        name, _, number = each.rpartition("-")
        records.append(LINE % (name, int(number)))
    path.write_text("\n".join(records))
    return path


def in_process(company):
    class Books:
        def deliver(self, segment):
            result = ingest(
                company.store,
                Jsonl([segment]),
                clock=company.clock,
                new_id=lambda: "s",
                on_progress=None,
                reject_folder=segment.parent.parent,
            )
            assert result.rejected == result.quarantined == 0
            return Delivery(result.accepted, result.duplicate)

        def close(self): ...

    return Books()
