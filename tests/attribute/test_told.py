"""What is told of traces: read in shares and parts, by numbers that no two combinations share."""

import pytest

from attribute.graphs import START_US, Row, metering_for, naively, opened, stands
from attribute.test_walk import ORG, SERVICES, TEAMS
from tallybook.attribute import told as telling
from tallybook.attribute.lines import paths_of
from tallybook.attribute.told import Told

ROWS = [
    Row(f"{t}-{n}", trace=f"t{t}" if t else "", span=str(n), parent=str(n // 2) if n else "",
        team=TEAMS[t % 4] if n == 0 else "", service=SERVICES[(n + t) % 9])
    for t in range(9) for n in range(5)
]  # fmt: skip


def test_a_very_large_month_is_read_share_by_share(monkeypatch):
    monkeypatch.setattr(telling, "_SHARE", 11)
    monkeypatch.setattr(telling, "_PART", 4)
    found, walked = stands(ORG, ROWS)
    assert found == naively(ORG, ROWS)
    assert walked.nodes == 40


def test_combinations_that_share_a_number_are_numbered_anew(monkeypatch):
    key = telling._key
    monkeypatch.setattr(
        telling, "_key", lambda names, salt: key(names, salt) if salt else "hash(1)"
    )
    assert stands(ORG, ROWS)[0] == naively(ORG, ROWS)
    monkeypatch.setattr(telling, "_key", lambda _names, _salt: "hash(1)")
    with pytest.raises(AssertionError, match="cannot be told apart"):
        stands(ORG, ROWS)


LOOSE = [
    *ROWS,
    *(Row(f"orphan-{t}", trace=f"t{t}", span="o", parent="unheard of") for t in range(1, 9)),
    *(Row(f"adrift-{t}", trace=f"t{t}") for t in range(1, 9)),
    Row("looping", trace="loop", span="1", parent="2", team="a"),
    Row("looped", trace="loop", span="2", parent="1", team="b"),
    Row("rootless", trace="elsewhere", span="1", parent="0", service="plain"),
]


@pytest.mark.parametrize("bits", [0, 1, 3])
def test_traces_that_share_a_digest_are_told_apart(monkeypatch, bits):
    naive = naively(ORG, LOOSE)
    assert stands(ORG, LOOSE)[0] == naive
    monkeypatch.setattr(telling, "_TRACE", f"hash(trace_id) % {1 << bits} | 1")
    assert stands(ORG, LOOSE)[0] == naive
    monkeypatch.setattr(Told, "_told_apart", lambda _: (telling._TRACE, ""))
    assert stands(ORG, LOOSE)[0] != naive


def test_a_trace_of_another_month_that_shares_a_digest_is_no_part_of_the_tree(monkeypatch):
    monkeypatch.setattr(telling, "_TRACE", "hash(1) | 1")
    rows = [Row("orphan", trace="t", span="2", parent="1", service="plain")]
    beside = [Row("root", trace="u", span="1", started=START_US - 5, team="c")]
    assert stands(ORG, rows, beside)[0] == naively(ORG, rows, beside)
    assert stands(ORG, rows, beside)[0]["orphan"].origin == ("b", "")


def test_of_the_months_beside_only_the_traces_of_the_period_are_read():
    beside = [
        Row("mine", trace="t1", span="9", started=START_US - 5),
        Row("other", trace="another", span="9", started=START_US - 5),
    ]
    metering = metering_for(ORG)
    told = Told(opened(ROWS, beside), metering, paths_of(metering, ORG))
    ((alone, parts),) = told.read()
    assert sum(len(rows["row_at"]) for rows in alone) == 5
    nodes = [told.nodes(rows) for rows in parts if rows]
    assert sum(len(one) for one in nodes) == 41
    assert [mark for one in nodes for mark in one.mark[~one.bills].tolist()] == [-1]


def test_a_step_without_a_span_stands_nowhere_and_is_nobodys_child():
    rows = [
        Row("root", span="1", team="a"),
        Row("adrift"),
        Row("told", span="2", team="c", bills=False, role="call"),
        Row("step", parent="2", bills=False),
    ]
    found, walked = stands(ORG, rows)
    assert found["adrift"].origin[0] == "a"
    assert walked.nodes == 2
