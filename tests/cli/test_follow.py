"""`ingest --follow` as a process: lines that come, a rotation, kill -9, and a clean stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from company import usage
from tallybook.store import Store

APPENDER = """
import json, os, sys, time
from pathlib import Path
path, line = Path(sys.argv[1]), json.loads(sys.argv[2])
rotate, stop = path.with_name("rotate"), path.with_name("stop")
file, written, rotated = path.open("ab", buffering=0), 0, 0

def write():
    global written
    text = json.dumps(line | {"event_id": f"e-{written}"}).encode() + b"\\n"
    file.write(text[:20])
    time.sleep(0.004)
    file.write(text[20:])
    written += 1

while not stop.exists():
    write()
    if rotate.exists():
        rotated += 1
        path.rename(f"{path}.{rotated}")
        rotate.unlink()
        write()
        file = path.open("ab", buffering=0)
print(written)
"""
DEADLINE_S = 40


@pytest.fixture
def path(company):
    return company.home / "calls.jsonl"


@contextmanager
def followed(company, path):
    command = [str(Path(sys.executable).parent / "tallybook"), "--home", str(company.home)]
    process = subprocess.Popen(
        [*command, "ingest", "jsonl", str(path), "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def accepted(home: Path) -> int:
    books = Store.open(home)
    try:
        with books.read() as tx:
            waiting: int = tx.scalar("SELECT COALESCE(SUM(rows), 0) FROM inbox")
            return waiting + books.lake.snapshot().rows
    finally:
        books.close()


def wait_until(true):
    end = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def wait_for(home, count):
    wait_until(lambda: accepted(home) >= count)


def stopped(process, number):
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE_S)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_says_what_came_in(company, path, number):
    with followed(company, path) as process:
        path.write_text("".join(json.dumps(usage(n)) + "\n" for n in "12"), encoding="utf-8")
        wait_for(company.home, 2)
        code, out, err = stopped(process, number)
    assert (code, out.strip()) == (0, "2 accepted, 0 duplicate, 0 quarantined, 0 rejected")
    assert err.splitlines()[0].startswith(f"following {path}")
    assert "2 accepted" in err


def test_nothing_is_lost_or_doubled_by_kill_and_rotation(company, path):
    """A writer of half lines that rotates, once while nobody follows; kill -9 at any moment."""
    home = company.home
    arguments = [sys.executable, "-c", APPENDER, str(path), json.dumps(usage("x"))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
        try:
            for _ in range(2):
                with followed(company, path) as process:
                    wait_for(home, accepted(home) + 1)
                    process.send_signal(signal.SIGKILL)
                home.joinpath("rotate").touch()
                wait_until(lambda: not home.joinpath("rotate").exists())
            with followed(company, path) as process:
                wait_for(home, accepted(home) + 1)
                home.joinpath("rotate").touch()
                wait_until(lambda: not home.joinpath("rotate").exists())
                home.joinpath("stop").touch()
                written = int(writer.communicate(timeout=DEADLINE_S)[0])
                wait_for(home, written)
                code, _, err = stopped(process, signal.SIGTERM)
        finally:
            writer.kill()
    assert (code, accepted(home)) == (0, written), err
    assert list((home / "rejects").glob("*")) == []


def test_what_is_no_file_of_lines_is_refused(company, call, path):
    mapping = company.home / "map.yaml"
    mapping.write_text(
        "source: x\nid: {columns: [id]}\nfields: {started_at: at}\n"
        "constants: {provider: p, model: m}\n",
        encoding="utf-8",
    )
    refused = call("ingest", "csv", str(path), "--map", str(mapping), "--follow")
    assert refused.code == 2
    assert "not read line by line" in refused.err


def test_ids_that_count_repetitions_are_refused(company, call, path):
    mapping = company.home / "map.yaml"
    mapping.write_text(
        "source: x\nid: {digest: occurrence}\nfields: {started_at: at}\n"
        "constants: {provider: p, model: m}\n",
        encoding="utf-8",
    )
    refused = call("ingest", "json", str(path), "--map", str(mapping), "--follow")
    assert refused.code == 2
    assert "digest: occurrence" in refused.err
