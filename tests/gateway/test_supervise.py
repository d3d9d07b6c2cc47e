"""The gateway as processes: killed, reloaded, stopped, its store gone; no call is lost."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.provider import Provider, answer
from gateway.running import AWS, REAL, config_text, everything_in, key
from sdk.bodies import chat
from serving import serving
from tallybook.errors import StoreError, WrongUsageError
from tallybook.gateway.config import read_config
from tallybook.gateway.counters import Counters
from tallybook.gateway.keyring import issue, revoke
from tallybook.gateway.ship import once
from tallybook.gateway.supervise import alone, check
from tallybook.meter.ingest import ingest
from tallybook.meter.sources.jsonl import Jsonl
from tallybook.sdk.counters import Health
from tallybook.store import Store

CHAT = "/v1/chat/completions"
ASKED = json.dumps({"model": "gpt-4o-mini", "messages": []}).encode()
MAIN = "from tallybook.cli.main import main; main()"


class Folder:
    """A gateway's folder, and what happens in it."""

    def __init__(self, path, provider, **changes):
        path.mkdir(exist_ok=True)
        self.path, self.provider = path, provider
        (path / "real.secret").write_text(REAL)
        (path / "aws.secret").write_text(AWS)
        self.write(**changes)
        self.config = read_config(path / "gateway.yaml")
        self.secret = issue(self.config.keys, key())

    def write(self, **changes):
        (self.path / "gateway.yaml").write_text(config_text(self.provider, **changes))

    @contextmanager
    def running(self):
        command = [sys.executable, "-c", MAIN, "gateway", "--config", self.path / "gateway.yaml"]
        log = (self.path / "log").open("ab")
        with log:
            process = subprocess.Popen(command, stderr=log, start_new_session=True)
        try:
            end_s = time.monotonic() + 30
            found = None
            while not found and time.monotonic() < end_s and process.poll() is None:
                text = (self.path / "log").read_text()
                found = re.search(r"gateway on http://127\.0\.0\.1:(\d+)\n(?!.*gateway on)", text, re.DOTALL)  # fmt: skip
                time.sleep(0.02)
            assert found, (self.path / "log").read_text()
            self.port = int(found[1])
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
            (self.path / "log").write_text("")

    def ask(self, connection=None, tag=""):
        made = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {
            "authorization": f"Bearer {self.secret}",
            "content-type": "application/json",
            "x-tallybook-session": tag or "s",
        }
        made.request("POST", CHAT, ASKED, headers)
        found = made.getresponse()
        body = found.read()
        if connection is None:
            made.close()
        return found.status, body

    def events(self):
        return [
            json.loads(line)
            for path in self.config.spool.glob("*.*")
            for line in path.read_bytes().splitlines()
        ]


def workers_of(process):
    """The children that serve: the first child ships, the others take connections."""
    text = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return sorted(int(pid) for pid in text.split())


def load(folder, completed, stop, callers=8, mark="", failed=None):
    """Callers that ask until told to stop; the tags of calls whose whole answer they got."""

    def run(name):
        number = 0
        while not stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", folder.port, timeout=20)
            try:
                for _ in range(200):
                    number += 1
                    tag = f"{name}-{number}"
                    status, _ = folder.ask(connection, tag)
                    if status == 200:
                        completed.append(tag)
                    elif failed is not None:
                        failed.append(status)
                    if stop.is_set():
                        break
            except (OSError, http.client.HTTPException) as error:
                if failed is not None:
                    failed.append(repr(error))
                time.sleep(0.01)
            finally:
                connection.close()

    threads = [threading.Thread(target=run, args=(f"{mark}c{n}",)) for n in range(callers)]
    for one in threads:
        one.start()
    return threads


def killed_under_load(path, trials):
    """Kill -9 under load, several times; what was completed and what was stored."""
    with Provider() as provider:
        provider.add(CHAT, answer(json.dumps(chat()).encode()))
        folder = Folder(path, provider)
        completed: list[str] = []
        for trial in range(trials):
            with folder.running() as process:
                stop, before = threading.Event(), len(completed)
                threads = load(folder, completed, stop, mark=f"t{trial}")
                end_s = time.monotonic() + 20
                while len(completed) < before + 60 + 7 * trial and time.monotonic() < end_s:
                    time.sleep(0.001)
                os.killpg(process.pid, signal.SIGKILL)
                stop.set()
                for one in threads:
                    one.join()
                process.wait(20)
        assert once(folder.config, Counters(1).row(0), Health())
        return completed, folder.events(), len(provider.asked)


def test_kill_9_under_load_loses_no_completed_call(tmp_path):
    trials = int(os.environ.get("GATEWAY_KILLS", "2"))
    completed, events, asked = killed_under_load(tmp_path / "g", trials)
    stored = [one["session"] for one in events]
    assert len(completed) >= 60 * trials
    assert not set(completed) - set(stored)
    assert len({one["event_id"] for one in events}) == len(events)
    assert len(stored) == len(set(stored))
    told = {one["session"]: one for one in events}
    assert all(told[session]["tokens"]["output"] == 20 for session in completed)
    # What reached the provider and was completed for nobody is there too, as what it is.
    rest = [one for one in events if one["session"] not in set(completed)]
    assert all(one["usage"] == "unknown" or one["tokens"]["output"] == 20 for one in rest), rest
    assert asked <= len(events)


def test_a_process_that_dies_is_replaced_and_a_reload_drops_nothing(tmp_path, provider):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    folder = Folder(tmp_path / "g", provider, workers=2)
    with folder.running() as process:
        completed: list[str] = []
        stop, failed = threading.Event(), []
        threads = load(folder, completed, stop, callers=4, failed=failed)
        while len(completed) < 30:
            time.sleep(0.005)
        folder.write(workers=2, policy={"untagged": "admit"}, listen=f"127.0.0.1:{0}")
        before = workers_of(process)
        process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 15
        while set(workers_of(process)) & set(before) and time.monotonic() < until:
            time.sleep(0.02)
        count = len(completed)
        while len(completed) < count + 30 and time.monotonic() < until + 10:
            time.sleep(0.005)
        stop.set()
        for one in threads:
            one.join()
        assert failed == []
        after = workers_of(process)
        assert not set(after) & set(before)
        assert len(after) == 3
        os.kill(after[-1], signal.SIGKILL)
        until = time.monotonic() + 15
        while after[-1] in workers_of(process) or len(workers_of(process)) < 3:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert folder.ask()[0] == 200
        (tmp_path / "g" / "gateway.yaml").write_text("listen: nonsense")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert folder.ask()[0] == 200
        revoke(folder.config.keys, "vk", 1)
        until = time.monotonic() + 5
        while folder.ask()[0] != 401:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert "not reloaded" in (folder.path / "log").read_text()
    sessions = [one["session"] for one in folder.events()]
    assert set(completed) <= set(sessions)


def test_children_do_not_outlive_their_parent_and_dump_nothing(tmp_path, provider):
    folder = Folder(tmp_path / "g", provider)
    with folder.running() as process:
        children = workers_of(process)
        assert len(children) == 2
        for pid in children:
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size +0 +0 ", limits)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        end_s = time.monotonic() + 15
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < end_s
            time.sleep(0.05)


def test_a_second_gateway_on_one_spool_is_refused(tmp_path, provider):
    folder = Folder(tmp_path / "g", provider)
    with (
        alone(folder.config),
        pytest.raises(StoreError, match="a gateway runs on this spool"),
        alone(folder.config),
    ):
        raise AssertionError("two at once")
    with alone(folder.config):
        pass


def test_what_is_missing_is_told_before_anything_starts(tmp_path, provider):
    folder = Folder(tmp_path / "g", provider)
    check(folder.config)
    (folder.path / "real.secret").unlink()
    with pytest.raises(WrongUsageError, match="no credential for upstream 'openai'"):
        check(folder.config)


def test_a_dead_store_stops_no_call_and_each_event_arrives_once(tmp_path, provider):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    home = tmp_path / "books"
    Store.create(home).close()
    folder = Folder(tmp_path / "g", provider, ship_to="http://127.0.0.1:9")
    with folder.running():
        for number in range(6):
            assert folder.ask(tag=f"t{number}")[0] == 200
        time.sleep(1.5)
    assert len(folder.events()) == 6
    counters = Counters(1).row(0)
    assert not once(folder.config, counters, Health())
    with serving(home) as server:
        object.__setattr__(folder.config, "ship_to", server.url)
        kept = {path: path.read_bytes() for path in folder.config.spool.glob("*.jsonl")}
        assert once(folder.config, counters, Health())
        for path, data in kept.items():  # shipped, and the answer lost: sent again
            path.write_bytes(data)
        assert once(folder.config, counters, Health())
    assert folder.events() == []
    store = Store.open(home)
    with store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM claim") == 6
    store.close()


def test_no_secret_is_in_anything_that_is_left(tmp_path, provider):
    body = json.dumps({"error": {"message": f"no such key: {REAL}"}}).encode()
    provider.add(
        CHAT,
        answer(json.dumps(chat()).encode()),
        answer(body, status="401 Unauthorized"),
        [b"HTTP/1.1 200 " + REAL.encode() + b"\r\n\x00\r\n\r\n"],
    )
    folder = Folder(tmp_path / "g", provider, more=[{"name": "x", "kind": "openai", "url": "http://127.0.0.1:9", "key_file": "real.secret"}])  # fmt: skip
    with folder.running() as process:
        got = [folder.ask()[1] for _ in range(4)]
        (folder.path / "real.secret").write_text("two\nlines of " + REAL)
        time.sleep(1.2)
        for pid in workers_of(process)[1:]:
            os.kill(pid, signal.SIGABRT)
        time.sleep(0.3)
        log = (folder.path / "log").read_bytes()
    left = everything_in(folder.path) + log + b"".join(got)
    for secret in (REAL, folder.secret, "aws-secret-of-the-company", "aws-session-token"):
        assert secret.encode() not in left
    assert len(left) > 1000


def test_events_go_into_the_books_as_they_are(tmp_path, provider, found_company):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    folder = Folder(tmp_path / "g", provider)
    with folder.running():
        for _ in range(3):
            folder.ask()
    company = found_company()
    result = ingest(
        company.store,
        Jsonl(sorted(folder.config.spool.glob("*.jsonl"))),
        clock=company.clock,
        new_id=lambda: "s",
        on_progress=None,
        reject_folder=tmp_path / "rejects",
    )
    assert (result.accepted, result.rejected, result.quarantined) == (3, 0, 0)


def test_a_spool_is_shipped_into_books_on_this_machine(tmp_path, provider):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    home = tmp_path / "books"
    Store.create(home).close()
    folder = Folder(tmp_path / "g", provider, ship_to=f"books:{home}")
    with folder.running():
        for number in range(4):
            folder.ask(tag=f"t{number}")
        end_s = time.monotonic() + 20
        while folder.events() and time.monotonic() < end_s:
            time.sleep(0.1)
    assert folder.events() == []
    store = Store.open(home)
    with store.read() as tx:
        assert tx.scalar("SELECT COUNT(*) FROM claim") == 4
    store.close()
