"""What a request costs: exact percentiles, and the dear tail with its figures."""

from __future__ import annotations

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.clock import Period
from tallybook.live.requests import requests
from tallybook.store import sql_text

UNIT = 10**12
OCTOBER = Period.parse("2026-10")


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path)
    made.apply(org=org(), policy=policy(), prices=PRICES)
    yield made
    made.store.close()


def calls(trace, count, **more):
    """A trace of so many calls of 1.00, each beneath the one before."""
    return [
        usage(
            f"{trace}-{n}",
            trace_id=trace,
            span_id=f"s{n}",
            **({"parent_span_id": f"s{n - 1}"} if n else {}),
            **more,
        )
        for n in range(count)
    ]


def test_a_month_without_calls_has_no_requests(acme):
    found = requests(acme.store, OCTOBER)
    assert (found.traces, found.untraced, found.features) == (None, None, ())


def test_percentiles_are_costs_that_were_there(acme):
    for trace in range(1, 21):
        acme.ingest(*calls(f"t{trace}", trace), name=f"f{trace}")
    acme.ingest(usage("alone", feature=None, team="b"), name="alone")
    acme.run()
    found = requests(acme.store, OCTOBER)
    every = found.traces
    assert (every.requests, every.calls, every.cost_pico) == (20, 210, 210 * UNIT)
    ranks = (every.p50_pico, every.p95_pico, every.p99_pico, every.most_pico)
    assert ranks == (10 * UNIT, 19 * UNIT, 20 * UNIT, 20 * UNIT)
    assert (found.untraced.requests, found.untraced.p50_pico) == (1, UNIT)
    told = {(one.team, one.feature): one.requests for one in found.features}
    assert told == {("a", "bot"): 20, ("b", ""): 1}
    assert sum(one.cost_pico for one in found.features) == 211 * UNIT
    assert (found.tail.traces, found.tail.depth, found.typical.depth) == (1, 20, 10)
    assert found.dearest[0].trace == "t20"


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 21, 99, 100, 101, 399])
def test_the_engine_ranks_as_we_do(acme, count):
    """Of so many amounts too large for 64 bits: nearest-rank, as a whole number."""
    large = 10**19 + 1
    with acme.store.lake.session(acme.store.lake.snapshot()) as session:
        session.run(
            "CREATE TABLE request_total AS SELECT '' AS who, 1 AS calls, 0 AS unpriced, 0 AS unknown,"
            f" (range + 1) * {large}::HUGEINT AS card_pico FROM range({count})"
        )
        ((_, requests, *_, p50, p95, p99, most),) = session.rows(
            sql_text("tallybook.live", "request_rank")
        )
    ranks = [-(-count * percent // 100) * large for percent in (50, 95, 99)]
    assert (requests, [p50, p95, p99], most) == (count, ranks, count * large)


def test_the_tail_says_what_makes_it_dear(acme):
    for n in range(40):
        acme.ingest(*calls(f"t{n}", 1), name=f"f{n}")
    acme.ingest(
        *calls("dear", 2, model="y-1", provider="Y", tokens={"input_uncached": 10**6}),
        usage("dear-r", trace_id="dear", span_id="r", operation_id="op", attempt=2),
        name="dear",
    )
    acme.run()
    found = requests(acme.store, OCTOBER)
    (one,) = found.dearest
    assert (one.trace, one.calls, one.retries) == ("dear", 3, 1)
    assert one.retried_pico == UNIT
    assert one.growth == one.most_context - 50_000
    assert set(found.tail.models) == {"Y/y-1", "X/x-1"}
    assert found.typical.retries == 0
    assert set(found.typical.models) == {"X/x-1"}


def test_one_feature_and_its_agents(acme):
    acme.ingest(
        *calls("t1", 2, service="planner"),
        *calls("t2", 1, team="b", feature="find", service="retrieval"),
        usage("e-9", model="nobody-prices-this", trace_id="t3"),
    )
    acme.run()
    found = requests(acme.store, OCTOBER, "find")
    assert [(one.agent, one.requests, one.calls) for one in found.agents] == [("retrieval", 1, 1)]
    whole = requests(acme.store, OCTOBER)
    assert {one.agent: one.calls for one in whole.agents} == {
        "planner": 2,
        "retrieval": 1,
        "": 1,
    }
    assert whole.traces.unpriced == 1
    assert requests(acme.store, OCTOBER, "no-such").traces is None


def test_a_feature_has_one_row_however_its_calls_are_decided(acme):
    """Purposes, payers and whether somebody named the owner tell decisions apart, not features."""
    acme.ingest(
        *calls("t1", 1),
        *calls("t1-dev", 1, purpose="development"),
        usage("t1-more", trace_id="t1", span_id="x", parent_span_id="s0", purpose="batch"),
        *calls("t2", 1, team=None, feature=None),
        *calls("t3", 1, team="platform", feature=None),
    )
    acme.run()
    found = requests(acme.store, OCTOBER)
    told = {(one.team, one.feature): (one.requests, one.calls) for one in found.features}
    assert len(told) == len(found.features)
    assert told == {("a", "bot"): (2, 3), ("platform", ""): (2, 2)}
    assert requests(acme.store, OCTOBER, "bot").traces.calls == 3
