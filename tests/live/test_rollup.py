"""The rollup: what came counts at once, and after a seal the total is that of a run."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from company import PRICES, Company, org, policy, usage
from tallybook.errors import StoreError
from tallybook.live.answer import Answerer
from tallybook.live.rollup import Rollup
from tallybook.post.sheet import latest_sheet

NOW = "2026-10-03T10:30:00Z"
UNIT = 10**12


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path, now=NOW)
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


@pytest.fixture
def live(acme):
    rollup = Rollup(acme.store, acme.clock)
    answerer = Answerer(rollup)
    yield lambda: answerer.live(most=0)
    rollup.close()


def sheet_pico(acme, period="2026-10"):
    with acme.store.read() as tx:
        return sum(line.card_pico for line in latest_sheet(tx, period).lines)


def cuts_tie(found):
    for rows in (found.features, found.agents):
        assert sum(row.month.cost_pico for row in rows) == found.month.cost_pico
        assert sum(row.month.calls for row in rows) == found.month.calls
        assert sum(row.hour.cost_pico for row in rows) == found.hour.cost_pico


def test_an_empty_month_costs_nothing(live):
    found = live()
    assert (found.period, found.month.calls, found.hour.calls) == ("2026-10", 0, 0)
    assert found.burn.usual is None
    assert found.features == found.agents == found.traces == ()


def test_what_waits_counts_at_once(acme, live):
    acme.ingest(usage("e-1"), usage("e-2", team="b", feature="find", service="retrieval"))
    found = live()
    assert found.month.calls == found.hour.calls == found.provisional.tally.calls == 2
    assert found.month.cost_pico == 2 * UNIT
    assert {(row.team, row.feature): row.hour.cost_pico for row in found.features} == {
        ("a", "bot"): UNIT,
        ("b", "find"): UNIT,
    }
    assert [(row.agent, row.month.calls) for row in found.agents] == [("", 1), ("retrieval", 1)]


def test_after_a_run_the_total_is_the_runs(acme, live):
    acme.ingest(*[usage(f"e-{n}", started_at=f"2026-10-0{n}T10:00:00Z") for n in (1, 2, 3)])
    assert live().provisional.tally.calls == 3
    acme.run()
    found = live()
    assert found.month.cost_pico == sheet_pico(acme) == 3 * UNIT
    assert found.provisional.tally.calls == 0
    acme.ingest(usage("e-4"), usage("e-5", model="x-9"), name="more")
    found = live()
    assert (found.month.calls, found.provisional.tally.calls, found.month.unpriced) == (5, 2, 1)
    acme.run()
    found = live()
    assert (found.month.calls, found.provisional.tally.calls) == (5, 0)
    assert found.month.cost_pico == sheet_pico(acme) == 4 * UNIT


def test_a_correction_counts_once_it_is_sealed(acme, live):
    acme.ingest(usage("e-1"))
    acme.run()
    acme.ingest(usage("e-2", supersedes="e-1", tokens={"input_uncached": 100_000}), name="c")
    found = live()
    assert (found.month.calls, found.provisional.corrections) == (1, 1)
    acme.run()
    found = live()
    assert (found.month.calls, found.provisional.corrections) == (1, 0)
    assert found.month.cost_pico == sheet_pico(acme) == UNIT


def test_what_two_sources_tell_counts_once(acme, live):
    named = {"response_id": "resp-0123456789abcdef", "request_id": "req-1"}
    acme.ingest(usage("e-1", **named))
    assert live().month.calls == 1
    acme.ingest(usage("span-1", source="otel", **named), name="other")
    found = live()
    assert (found.month.calls, found.provisional.joined) == (1, 1)
    acme.run()
    found = live()
    assert found.month.calls == 1
    assert found.month.cost_pico == sheet_pico(acme)
    acme.ingest(usage("late", source="sdk", **named), name="third")
    assert live().month.calls == 1


def test_other_prices_and_other_owners_are_taken_up(acme, live):
    acme.ingest(usage("e-1"), usage("e-2"))
    acme.run()
    assert live().month.cost_pico == 2 * UNIT
    dearer = PRICES.replace('output: "50"', 'output: "70"').replace('"10", output', '"20", output')
    acme.apply(prices=dearer)
    acme.run()
    assert live().month.cost_pico == sheet_pico(acme)
    acme.apply(org=org().replace("id: bot, team: a", "id: bot, team: b"))
    assert [(row.team, row.month.calls) for row in live().features] == [("b", 2)]


def test_what_nobody_knows_is_in_the_answer(acme, live):
    acme.ingest(
        usage("e-1", team=None, feature=None),
        usage("e-2", tokens=None, usage="unknown"),
        usage("e-3", usage="estimated"),
        usage("e-4", model="nobody-prices-this"),
    )
    for _ in range(2):  # while it waits, and once it is sealed
        found = live()
        known = (found.unallocated.calls, found.month.unknown, found.month.estimated)
        assert (*known, found.month.unpriced) == (1, 1, 1, 1)
        assert found.unallocated.cost_pico == UNIT
        cuts_tie(found)
        acme.run()


def test_the_future_and_other_months_are_told(acme, live):
    acme.ingest(
        usage("e-1", started_at="2026-10-03T10:31:00Z"),  # a clock that is ahead a little
        usage("e-2", started_at="2026-10-20T10:00:00Z"),
        usage("e-3", started_at="2026-09-30T23:59:59Z"),
    )
    found = live()
    assert (found.month.calls, found.hour.calls) == (2, 1)
    assert (found.provisional.elsewhere, found.provisional.ahead.calls) == (1, 1)
    day_us = 86_400_000_000
    for days, period, kept in ((40, "2026-11", 2), (30, "2026-12", 2)):
        acme.clock.advance(days * day_us)
        assert live().period == period
        with acme.store.read() as tx:
            assert tx.scalar("SELECT COUNT(*) FROM live_month") == kept
            lots = tx.scalar("SELECT COUNT(DISTINCT lot) FROM live_bucket")
        assert lots <= 2 * kept


def test_two_that_look_take_in_each_batch_once(acme, live):
    other = Rollup(acme.store, acme.clock)
    for n in range(4):
        acme.ingest(usage(f"e-{n}"), name=f"in-{n}")
        assert live().month.calls == n + 1
        assert Answerer(other).live().month.calls == n + 1
    other.close()


def test_a_first_step_that_was_not_written_counts_once(acme, monkeypatch):
    acme.ingest(usage("e-1"))
    acme.run()
    monkeypatch.setattr("tallybook.live.shelf._MANY", 0)  # a month of very many tallies
    rollup = Rollup(acme.store, acme.clock)

    def fails(_tx):
        raise StoreError("the database went away")

    with monkeypatch.context() as cut_off:
        cut_off.setattr("tallybook.live.rollup.forget_names", fails)
        with pytest.raises(StoreError):
            rollup.caught_up()
    assert Answerer(rollup).live().month.cost_pico == UNIT
    rollup.close()


def test_the_usual_is_that_of_earlier_days(acme, live):
    acme.ingest(
        *[usage(f"d-{n}", started_at=f"2026-10-0{n}T10:10:00Z") for n in (1, 2)],
        *[usage(f"e-{n}", started_at="2026-10-03T10:10:00Z") for n in range(6)],
    )
    acme.run()
    burn = live().burn
    assert (burn.usual.hours, burn.usual.like) == (2, "days")
    # 30 minutes of this clock hour, in which a day before spends 1.00; none of the one before.
    assert burn.usual.cost_pico == UNIT // 2
    assert burn.times == 12


CALLS = st.lists(
    st.tuples(
        st.integers(1, 3),  # day
        st.sampled_from(["x-1", "x-9"]),
        st.sampled_from([None, "a", "b"]),
        st.sampled_from(["gateway", "otel"]),
        st.sampled_from(["", "t-1", "t-2"]),
        st.sampled_from(["", "s-1", "s-2", "s-3"]),
        st.booleans(),  # sealed after it
    ),
    max_size=6,
)
NUMBERS = itertools.count()


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(calls=CALLS)
def test_in_every_order_it_comes_to_what_a_run_comes_to(tmp_path, calls):
    acme = Company(tmp_path / str(next(NUMBERS)), now=NOW)
    acme.apply(org=org(), policy=policy(), prices=PRICES)
    rollup = Rollup(acme.store, acme.clock)
    answerer = Answerer(rollup)
    for n, (day, model, team, source, trace, parent, is_run) in enumerate(calls):
        placed = {"trace_id": trace, "span_id": f"s-{n}"} if trace else {}
        if trace and parent:
            placed["parent_span_id"] = parent
        told = {"model": model, "team": team, "feature": None, "source": source, **placed}
        acme.ingest(usage(f"e-{n}", started_at=f"2026-10-0{day}T10:00:00Z", **told), name=f"f{n}")
        cuts_tie(answerer.live(most=0))
        if is_run:
            acme.run()
    acme.run()
    found = answerer.live(most=0)
    assert found.month.cost_pico == sheet_pico(acme)
    assert found.provisional.tally.calls == 0
    cuts_tie(found)
    fresh = Rollup(acme.store, acme.clock)
    with acme.store.write() as tx:
        tx.run("DELETE FROM live_month")
    again = Answerer(fresh).live(most=0)
    assert {(r.team, r.feature): r.month for r in again.features} == {
        (r.team, r.feature): r.month for r in found.features
    }
    fresh.close()
    rollup.close()
    acme.store.close()
