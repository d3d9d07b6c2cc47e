"""A gateway whose configuration, keys and budgets change all the time drops no call."""

from __future__ import annotations

import json
import re
import signal
import threading
import time

from gateway.budget_parts import write_books
from gateway.provider import answer
from gateway.running import key
from gateway.test_supervise import CHAT, Folder, load, workers_of
from sdk.bodies import chat
from tallybook.clock import SystemClock
from tallybook.gateway.keyring import issue, revoke, rotate

RELOADS = 20
HOUR_US = 3_600_000_000


def until(found, seconds=30.0):
    end_s = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_twenty_reloads_at_load_fail_no_call(tmp_path, provider):
    provider.add(CHAT, answer(json.dumps(chat()).encode()))
    budgets = {"unpriced": "admit"}
    books = write_books(tmp_path / "books", 'feature: refund-bot, monthly: "1000"')
    folder = Folder(tmp_path / "g", provider, books=str(books), budgets=budgets)
    completed: list[str] = []
    stop, failed = threading.Event(), []
    with folder.running() as process:
        threads = load(folder, completed, stop, callers=4, failed=failed)
        try:
            until(lambda: len(completed) > 20)
            for number in range(RELOADS):
                reload(folder, process, completed, number)
            until(lambda: len(workers_of(process)) <= 3)  # the old ones finished and went
        finally:
            stop.set()
            for one in threads:
                one.join()
        log = (folder.path / "log").read_text()
        assert folder.ask()[0] == 200
    assert failed == []
    assert len(re.findall("reloaded: ", log)) == RELOADS
    assert "started again" not in log
    sessions = [one["session"] for one in folder.events()]
    assert set(completed) <= set(sessions)
    assert len(completed) == len(set(completed))


def reload(folder, process, completed, number):
    """Change everything that may change, and see calls go on."""
    books = write_books(
        folder.path.parent / "books", f'feature: refund-bot, monthly: "{1000 + number}"'
    )
    folder.write(
        policy={"untagged": ("admit", "refuse")[number % 2]},
        budgets={"unpriced": "admit", "wait_s": 1 + number % 2},
        limits={"idle_s": 300 + number},
        books=str(books),
    )
    name, now_us = f"vk-{number}", SystemClock().now_us()
    issue(folder.config.keys, key(name))
    if number % 2:
        rotate(folder.config.keys, name, now_us, HOUR_US)
    else:
        revoke(folder.config.keys, name, now_us)
    log = folder.path / "log"
    told = log.read_text().count("reloaded: ")
    process.send_signal(signal.SIGHUP)
    until(lambda: log.read_text().count("reloaded: ") > told)
    count = len(completed)
    until(lambda: len(completed) > count + 10)
