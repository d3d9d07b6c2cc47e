"""The spool: one write for each call, whole lines, nothing lost without a count."""

import os
import subprocess
import sys
import threading

import pytest

from tallybook.sdk.counters import Health
from tallybook.sdk.spool import Spool, taken, waiting

FORKS = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture
def make(tmp_path):
    made = []

    def spool(folder=tmp_path / "spool", segment_bytes=10_000, segment_s=60.0, bound=1 << 20):
        made.append(
            Spool(
                folder,
                segment_bytes=segment_bytes,
                segment_s=segment_s,
                bound_bytes=bound,
                health=Health(),
            )
        )
        return made[-1]

    yield spool
    for each in made:
        each.seal()


def lines(folder):
    return sorted(line for path in folder.iterdir() for line in path.read_bytes().splitlines())


def test_an_event_is_on_the_disk_when_append_returns(make, tmp_path):
    spool = make()
    assert spool.append(b'{"a":1}')
    assert spool.append(b'{"a":2}\n{"a":3}', events=2)
    (path,) = (tmp_path / "spool").iterdir()
    assert (path.suffix, path.read_bytes()) == (".open", b'{"a":1}\n{"a":2}\n{"a":3}\n')
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not spool._health.counts()


def test_a_spool_can_be_brought_to_the_disk_whatever_is_open(make, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(os.fstat(file).st_size))
    spool = make()
    spool.sync()
    spool.append(b'{"a":1}')
    spool.sync()
    spool.seal()
    spool.sync()
    assert synced == [8]


def test_a_segment_is_shipped_only_when_it_is_closed(make, tmp_path):
    spool = make()
    spool.append(b"1")
    assert waiting(tmp_path / "spool") == []  # its writer lives
    spool.seal()
    (path,) = waiting(tmp_path / "spool")
    assert (path.suffix, path.read_bytes()) == (".jsonl", b"1\n")
    spool.seal()
    assert waiting(tmp_path / "absent") == []


def test_segments_end_by_size_and_by_age(make, tmp_path):
    spool = make(segment_bytes=10)
    for number in range(4):
        spool.append(b"%d-----" % number)
    assert len(waiting(tmp_path / "spool")) == 3
    aged = make(tmp_path / "aged", segment_s=0.0)
    aged.append(b"1")
    aged.append(b"2")
    assert len(waiting(tmp_path / "aged")) == 1
    aged.seal(older_s=3600)
    assert len(waiting(tmp_path / "aged")) == 1


def test_threads_write_whole_lines(make, tmp_path):
    spool = make(segment_bytes=1000)

    def write(name):
        for number in range(200):
            spool.append(b"%s-%d" % (name, number))

    threads = [threading.Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lines(tmp_path / "spool") == sorted(
        b"%s-%d" % (name, number) for name in (b"a", b"b", b"c") for number in range(200)
    )


def test_beyond_the_bound_the_oldest_stay_and_the_new_are_counted(make, tmp_path, caplog):
    spool = make(bound=30, segment_bytes=12)
    kept = [spool.append(b"event-%03d" % number) for number in range(8)]
    assert kept == [True] * 3 + [False] * 5
    assert lines(tmp_path / "spool") == [b"event-000", b"event-001", b"event-002"]
    assert spool._health.counts() == {"lost": 5, "failed": 5}
    assert len(caplog.records) == 1
    assert "the spool holds its 30 bytes" in caplog.text


def test_room_that_was_made_is_found_again(make, tmp_path):
    spool = make(bound=30, segment_bytes=12)
    for number in range(4):
        spool.append(b"event-%03d" % number)
    for path in waiting(tmp_path / "spool"):
        path.unlink()
    spool._counted_s -= 2  # a second later
    assert spool.append(b"event-004")


def test_a_full_disk_leaves_no_half_line(make, tmp_path, monkeypatch):
    spool = make()
    spool.append(b"first")
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[: len(data) // 2]))
    assert not spool.append(b"second, cut by the disk")
    monkeypatch.setattr(os, "write", real)
    spool.append(b"third")
    assert lines(tmp_path / "spool") == [b"first", b"third"]
    assert spool._health.counts()["lost"] == 1


def test_a_folder_that_cannot_be_made_costs_events_and_no_exception(make, tmp_path):
    (tmp_path / "file").write_text("")
    spool = make(tmp_path / "file" / "spool")
    assert not spool.append(b"1")
    assert spool._health.counts() == {"lost": 1, "failed": 1}


def test_a_folder_that_is_cleared_is_made_again(make, tmp_path):
    spool = make()
    spool.append(b"1")
    for path in (tmp_path / "spool").iterdir():
        path.unlink()
    (tmp_path / "spool").rmdir()
    assert spool.append(b"2")
    assert lines(tmp_path / "spool") == [b"2"]


@FORKS
def test_a_child_writes_a_segment_of_its_own(make, tmp_path):
    spool = make()
    spool.append(b"parent")
    child = os.fork()
    if child == 0:
        spool.after_fork()
        spool.append(b"child")
        os._exit(0)
    os.waitpid(child, 0)
    spool.append(b"parent again")
    assert lines(tmp_path / "spool") == [b"child", b"parent", b"parent again"]
    assert [path.read_bytes() for path in waiting(tmp_path / "spool")] == [b"child\n"]


KILLED = """
import os, signal, sys
from pathlib import Path
from tallybook.sdk.counters import Health
from tallybook.sdk.spool import Spool
spool = Spool(Path(sys.argv[1]), segment_bytes=1000, segment_s=60, bound_bytes=1 << 20,
    health=Health())
for number in range(50):
    spool.append(b"event-%03d" % number)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_wrote_is_found(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert len(waiting(tmp_path)) == 1
    assert lines(tmp_path) == [b"event-%03d" % number for number in range(50)]


def test_a_segment_is_taken_by_one_at_a_time(make, tmp_path):
    spool = make()
    spool.append(b"1")
    spool.seal()
    (path,) = waiting(tmp_path / "spool")
    with taken(path) as first:
        assert first >= 0
        with taken(path) as second:
            assert second == -1
        path.unlink()
    with taken(path) as gone:
        assert gone == -1
