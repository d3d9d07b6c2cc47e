"""Counters of several processes, added up."""

from __future__ import annotations

import os

import pytest

from tallybook.gateway.counters import COUNTED, Counters


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_processes_count_in_rows_of_one_table():
    table = Counters(3)
    table.row(0).add("calls", 2)
    pid = os.fork()
    if not pid:
        table.row(1).add("calls", 40)
        os._exit(0)
    os.waitpid(pid, 0)
    table.row(1).add("calls")
    assert table.totals()["calls"] == 43


def test_the_text_is_that_of_prometheus():
    table = Counters(1)
    row = table.row(0)
    row.add("answers_2xx", 5)
    row.put("clients", 7)
    for ms in (0, 3, 3, 400, 10**6):
        row.took(ms)
    text = table.as_text()
    assert text.endswith("\n")
    assert 'tallybook_gateway_answers_total{status="2xx"} 5\n' in text
    assert "tallybook_gateway_clients 7\n" in text
    assert 'call_seconds_bucket{le="0.005"} 3\n' in text
    assert 'call_seconds_bucket{le="+Inf"} 5\n' in text
    assert "call_seconds_count 5\n" in text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)
    assert len(COUNTED) < len(lines)


def test_what_plain_calls_count_is_in_the_table_once_it_is_published():
    table = Counters(1)
    row = table.row(0)
    row.requests += 2
    row.in_bytes += 15
    row.calls += 3
    row.answers += 1
    row.out_bytes += 7
    for _ in range(2):
        row.publish()
        totals = table.totals()
        assert (totals["requests"], totals["in_bytes"]) == (2, 15)
        assert (totals["calls"], totals["answers_2xx"], totals["out_bytes"]) == (3, 1, 7)
