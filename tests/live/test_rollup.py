"""The rollup: what came counts at once, and after a seal the total is that of a run."""

from __future__ import annotations

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.live.answer import Answerer
from tallybook.live.rollup import Rollup
from tallybook.post.sheet import latest_sheet

NOW = "2026-10-03T10:30:00Z"


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
    yield answerer.live
    rollup.close()


def sheet_pico(acme, period="2026-10"):
    with acme.store.read() as tx:
        return sum(line.card_pico for line in latest_sheet(tx, period).lines)


def test_an_empty_month_costs_nothing(live):
    found = live()
    assert (found.period, found.month.calls, found.hour.calls) == ("2026-10", 0, 0)
    assert found.burn.usual is None
    assert found.features == found.agents == found.traces == ()


def test_what_waits_counts_at_once(acme, live):
    acme.ingest(usage("e-1"), usage("e-2", team="b", feature="find", service="retrieval"))
    found = live()
    assert found.month.calls == found.hour.calls == found.provisional.tally.calls == 2
    assert found.month.cost_pico == 2 * 10**12
    assert {(row.team, row.feature): row.hour.cost_pico for row in found.features} == {
        ("a", "bot"): 10**12,
        ("b", "find"): 10**12,
    }
    assert [(row.agent, row.month.calls) for row in found.agents] == [("", 1), ("retrieval", 1)]


def test_after_a_run_the_total_is_the_runs(acme, live):
    acme.ingest(*[usage(f"e-{n}", started_at=f"2026-10-0{n}T10:00:00Z") for n in (1, 2, 3)])
    assert live().provisional.tally.calls == 3
    acme.run()
    found = live()
    assert found.month.cost_pico == sheet_pico(acme) == 3 * 10**12
    assert found.provisional.tally.calls == 0
    acme.ingest(usage("e-4"), usage("e-5", model="x-9"), name="more")
    found = live()
    assert (found.month.calls, found.provisional.tally.calls, found.month.unpriced) == (5, 2, 1)
    acme.run()
    found = live()
    assert (found.month.calls, found.provisional.tally.calls) == (5, 0)
    assert found.month.cost_pico == sheet_pico(acme) == 4 * 10**12
