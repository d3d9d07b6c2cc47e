"""Lines by owner: every call on exactly one line, the same lines in any order of events."""

import pytest

from company import org, usage
from tallybook.attribute.lines import decide
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed, metering_of

SERVICE_MOVES = org().replace(
    "  - {id: retrieval, name: Retrieval, team: b, transfer: caller_pays}",
    "  - {id: retrieval, name: Retrieval, team: b, to: 2026-10-15}\n"
    "  - {id: retrieval, name: Retrieval, team: platform, from: 2026-10-15}",
)  # fmt: skip


def lines_of(company):
    return attributed(company.store, read_basis(company.store, Period(2026, 10))).lines


def test_every_call_is_on_one_line(company):
    company.ingest(
        usage("1"),
        usage("2", team="nobody", feature=None),
        usage("3", usage="estimated"),
        usage("4", tokens=None),
        usage("5", tokens={"input_uncached": 4, "output": None}),
        usage("6", model="unheard-of"),
    )
    company.run()
    lines = lines_of(company)
    assert {(x.state, x.unpriced, x.owner.team): x.calls for x in lines} == {
        ("reported", False, "a"): 1,
        ("reported", False, "platform"): 1,
        ("estimated", False, "a"): 1,
        ("unknown", False, "a"): 1,
        ("partial", False, "a"): 1,
        ("reported", True, "a"): 1,
    }


@pytest.mark.parametrize("first", [0, 1])
def test_a_service_that_moves_keeps_the_order_of_lines(found_company, first):
    company = found_company(org=SERVICE_MOVES)
    events = [
        usage("1", service="retrieval", started_at="2026-10-02T00:00:00Z"),
        usage("2", service="retrieval", started_at="2026-10-20T00:00:00Z"),
    ]
    company.ingest(events[first])
    company.ingest(events[1 - first], name="more")
    company.run()
    assert [line.owner.executor for line in lines_of(company)] == ["b", "platform"]


def test_a_combination_is_decided_once(company):
    company.ingest(usage("1"), usage("2"))
    company.run()
    basis = read_basis(company.store, Period(2026, 10))
    metering = metering_of(basis)
    values = [{"team": "a"}.get(name, "") for name in metering.carried]
    owners, numbered = decide(metering, basis.books.org, [(1, 0, *values), (2, 0, *values)])
    assert len(owners) == 1
    assert numbered == [(1, 0), (2, 0)]
