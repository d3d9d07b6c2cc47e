"""A seal moves the traces that it names, and comes to what adding the month up again comes to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from company import PRICES, Company, org, policy
from live.tracer import tell
from tallybook.live import linked
from tallybook.live.bucket import Figures
from tallybook.live.model import HOUR_US, SLOT_US
from tallybook.live.rollup import Rollup
from told import call, span

ORG = org().replace(
    "services:\n", "services:\n  - {id: planner, team: a}\n  - {id: writer, team: b}\n"
)
PRICED = {"provider": "X", "model": "x-1", "tokens": {"input_uncached": 50_000, "output": 10_000}}
NUMBERS = itertools.count()


def company(folder):
    made = Company(folder, now="2026-10-03T10:30:00Z")
    made.apply(org=ORG, policy=policy(), prices=PRICES)
    return made


def told(name, at, role, trace, span_id, parent, team, service):
    """One row of a trace; the month is that of ``at``."""
    fields = {"started_at": at, "ended_at": at.replace("00Z", "01Z"), "service": service}
    if trace:
        fields |= {"trace_id": trace, "span_id": span_id}
    if trace and parent:
        fields["parent_span_id"] = parent
    if team:
        fields["team"] = team
    if role == "call":
        # A call that is told twice is one call: then a seal takes one off, and all begins again.
        own = {"span_id": name} if trace else {}
        return call(name, "otel", **(PRICED | fields | own))
    return span(name, "otel", operation="invoke_agent", **fields)


def sealed(rollup) -> dict[tuple[str, int], Figures]:
    """All that is added up of what was sealed."""
    standing = rollup.caught_up()
    lot, basis = standing.state.sealed_lot, standing.ground.basis
    keys = [("month", 0)]
    with rollup.store.read() as tx:
        for kind, low_us in (("hour", basis.start_us), ("slot", standing.now_us - HOUR_US)):
            found = rollup.shelf.keys(tx, lot, kind, low_us - SLOT_US, basis.end_us)
            keys += [(kind, at) for at in found]
        held = {key: rollup.shelf.read(tx, lot, key) for key in keys}
    return {
        key: {who: [*values] for who, values in figures.items()}
        for key, figures in held.items()
        if figures
    }


def added_up_again(acme):
    with acme.store.write() as tx:
        tx.run("DELETE FROM live_month")
    fresh = Rollup(acme.store, acme.clock)
    try:
        return sealed(fresh)
    finally:
        fresh.close()


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["2026-10-03T10:10:00Z", "2026-10-01T07:00:00Z", "2026-09-30T23:00:00Z"]),
        st.sampled_from(["call", "call", "span"]),
        st.sampled_from(["", "t-1", "t-2", "t-3"]),
        st.sampled_from(["s-1", "s-2", "s-3", "s-4"]),
        st.sampled_from(["", "s-1", "s-2", "s-3"]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "planner", "writer"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seals=st.lists(ROWS, min_size=1, max_size=3))
def test_whatever_a_seal_tells_of_traces_it_is_as_if_added_up_again(tmp_path, monkeypatch, seals):
    acme = company(tmp_path / str(next(NUMBERS)))
    first = [told("l-1", "2026-10-03T10:00:00Z", "call", "t-0", "s-2", "s-1", "a", "")]
    rollup = Rollup(acme.store, acme.clock)
    tell(acme, first)
    acme.run()
    sealed(rollup)
    begun, begin_again = [], rollup._begin_again
    monkeypatch.setattr(
        rollup, "_begin_again", lambda *given: begun.append(given) or begin_again(*given)
    )
    for n, rows in enumerate(seals):
        tell(acme, [told(f"e-{n}-{i}", *row) for i, row in enumerate(rows)])
        acme.run("2026-09")
        acme.run()
    found = sealed(rollup)
    assert begun == []
    assert found == added_up_again(acme)
    rollup.close()
    acme.store.close()


@pytest.fixture
def acme(tmp_path):
    made = company(tmp_path)
    yield made
    made.store.close()


def test_only_the_files_that_hold_its_traces_are_read(acme, monkeypatch):
    at = "2026-10-03T10:00:00Z"
    rollup = Rollup(acme.store, acme.clock)
    for n in range(3):
        tell(acme, [told(f"c-{n}", at, "call", f"t-{n}", "s-2", "s-1", "", "")])
        acme.run()
    before = sealed(rollup)
    read = []
    add_up = linked.add_up
    monkeypatch.setattr(
        linked, "add_up", lambda *given, **more: read.append(given[2]) or add_up(*given, **more)
    )
    tell(acme, [told("p", at, "span", "t-1", "s-1", "", "b", "writer")])
    acme.run()
    after = sealed(rollup)
    assert [len(part.files) for part in read] == [1, 1, 0]
    agents = {who.agent: values[0] for who, values in after["month", 0].items()}
    assert agents == {"": 2, "writer": 1}
    assert sum(values[0] for values in before["month", 0].values()) == 3
    assert after == added_up_again(acme)
    rollup.close()


def test_where_very_many_traces_move_the_month_is_added_up_again(acme, monkeypatch):
    monkeypatch.setattr(linked, "TRACES_MAX", 1)
    at = "2026-10-03T10:00:00Z"
    rollup = Rollup(acme.store, acme.clock)
    tell(acme, [told(f"c-{n}", at, "call", f"t-{n}", "s-2", "s-1", "", "") for n in (1, 2)])
    acme.run()
    lot = rollup.caught_up().state.sealed_lot
    tell(acme, [told(f"p-{n}", at, "span", f"t-{n}", "s-1", "", "b", "writer") for n in (1, 2)])
    acme.run()
    found = sealed(rollup)
    assert rollup.caught_up().state.sealed_lot > lot
    assert found == added_up_again(acme)
    rollup.close()
