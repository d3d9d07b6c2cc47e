"""`live` and `alerts`: words and machine form, exit codes, and a watch that ends by a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from company import PRICES, Company, org, policy, usage

MAIN = "from tallybook.cli.main import main; main()"
LOOPS = policy() + "    alerts: {loop: 3}\n"


@pytest.fixture
def company(tmp_path):
    made = Company(tmp_path, now="2026-10-03T10:30:00Z")
    made.apply(org=org(), policy=LOOPS, prices=PRICES)
    yield made
    made.store.close()


def looping(count, first=0):
    return [
        usage(f"e-{n}", trace_id="t-1", span_id=f"s{n}", service="planner")
        for n in range(first, first + count)
    ]


def test_it_answers_in_words(company, call):
    assert "0 calls" in call("live").out
    company.ingest(*looping(2), usage("x", model="nobody-prices-this", team=None, feature=None))
    told = call("live").out
    assert "provisional" in told
    assert "month to date            2.00   3 calls" in told
    assert "unallocated 0.0 % of cost (1 calls), unpriced 1 calls" in told
    assert "waiting: 3 calls, 2.00, not settled yet" in told
    assert "a          bot      2.00       2.00   2.00" not in told  # a row has calls, no amount
    assert "planner" in told
    assert "t-1" in told


def test_the_machine_form_ties(company, call):
    company.ingest(*looping(2), usage("y", team="b", feature="find"))
    value = call("live", "--json").value
    assert value["month_to_date"]["cost"] == "3.000000000000"
    for cut in ("features", "agents"):
        assert sum(row["month_to_date"]["calls"] for row in value[cut]) == 3
    assert value["burn"]["usual"] is None
    assert value["not_known"]["unknown"] == {"calls": 0, "share": "0.0 %"}
    (others,) = call("live", "--json", "--top", "1").value["features"][1:]
    assert others["feature"] == "find"  # one more is listed; it takes no more room
    company.ingest(usage("z", team="b", feature=None), name="z")
    assert call("live", "--json", "--top", "1").value["features"][1]["others"] == 2


def test_in_words_too_the_last_row_stands_for_those_that_are_not_listed(company, call):
    calls = [usage(f"e-{n}", trace_id="t", span_id=f"s{n}", service=f"w-{n:02}") for n in range(20)]
    company.ingest(*calls)
    assert "(5 others)" in call("live").out
    assert "others" not in call("live", "--top", "0").out
    assert "w-19" in call("live", "--top", "0").out
    assert len(call("live", "--json").value["agents"]) == 20


def test_an_alert_is_told_listed_and_acknowledged(company, call):
    company.ingest(*looping(3))
    assert "alert 1: loop: 3 runs of calls of planner in trace t-1" in call("live").err
    assert call("live").err == ""
    assert "loop: 3 runs" in call("alerts").out
    (told,) = call("alerts", "--json").value
    assert (told["kind"], told["agent"], told["acknowledged"]) == ("loop", "planner", None)
    assert "acknowledged by tester" in call("alerts", "ack", "1", "--reason", "stopped").out
    assert call("alerts").out == "no alert is open\n"
    assert "stopped" in call("alerts", "--all").out
    assert call("alerts", "ack", "1", "--reason", "again").code == 1
    assert call("alerts", "ack", "7", "--reason", "what").code == 2


def test_books_without_policy_files(tmp_path, call, company):
    Company(tmp_path / "empty")
    company.home = tmp_path / "empty"
    assert call("live").code == 1
    assert "tallybook apply" in call("live").err


def test_a_watch_answers_tells_and_ends(tmp_path):
    made = Company(tmp_path)
    made.apply(org=org(), policy=LOOPS, prices=PRICES)
    command = [sys.executable, "-c", MAIN, "--home", str(tmp_path), "live", "--watch", "--json"]
    process = subprocess.Popen(
        [*command, "--every", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ending = threading.Timer(60, process.kill)
    ending.start()
    try:
        assert process.stderr
        assert "Alerts go to standard error" in process.stderr.readline()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        made.ingest(*[{**one, "started_at": now} for one in looping(4)])
        assert "alert 1: loop: 4" in process.stderr.readline()
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        ending.cancel()
        process.kill()
    assert process.returncode == 0, err
    answers = [json.loads("{" + part) for part in out.strip().removeprefix("{").split("\n{")]
    assert {one["month_to_date"]["calls"] for one in answers} <= {0, 4}
    made.store.close()
