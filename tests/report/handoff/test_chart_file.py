"""The ERP's chart: what it has, what is closed, and which line is wrong."""

import pytest

from tallybook.errors import HandoffError
from tallybook.report.handoff.chart_file import read_chart


def test_what_is_missing_and_what_is_closed_is_said():
    chart = read_chart(
        "\ufeffcode,status,kind,more\n5100,Active,account,x\n2026-09,closed,period,\n".encode(),
        "c.csv",
    )
    assert chart.missing("account", "5100") == ""
    assert chart.missing("account", "51") == "account '51' is not in the chart (it has 5100)"
    assert chart.missing("period", "2026-09") == "period '2026-09' is closed; open it in the ERP"
    assert chart.missing("entity", "us") == (
        "entity 'us' is not in the chart (it has no row of kind entity)"
    )


@pytest.mark.parametrize(
    ("raw", "where", "what"),
    [
        (b"kind,code\naccount,1\n", "c.csv:1", "no column status"),
        (b"", "c.csv:1", "no column kind, code, status"),
        (b"kind,code,status\nteam,1,\n", "c.csv:2", "kind 'team'"),
        (b"kind,code,status\naccount,1,perhaps\n", "c.csv:2", "status 'perhaps'"),
        (b"kind,code,status\naccount,1,\naccount,1,\n", "c.csv:3", "account '1' stands twice"),
        (b"kind,code,status\naccount,,\n", "c.csv:2", "account without a code"),
        (b"kind,code,status\n\xff", "c.csv:1", "not UTF-8"),
    ],
)
def test_a_wrong_line_is_named(raw, where, what):
    with pytest.raises(HandoffError, match=what) as refused:
        read_chart(raw, "c.csv")
    assert refused.value.where == where
    assert refused.value.next_step
