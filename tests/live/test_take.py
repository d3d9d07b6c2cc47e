"""What comes in: steps before and after their calls, a trace of very many steps, damage."""

from __future__ import annotations

import pytest

from company import PRICES, Company, org, policy
from live.tracer import tell
from tallybook.errors import CorruptedError
from tallybook.live.look import Watch
from tallybook.live.requests import requests
from told import call, span

ORG = org().replace("services:\n", "services:\n  - {id: planner, team: a}\n")


@pytest.fixture
def acme(tmp_path):
    made = Company(tmp_path, now="2026-10-03T10:30:00Z")
    made.apply(org=ORG, policy=policy(), prices=PRICES)
    yield made
    made.store.close()


PRICED = {"provider": "X", "model": "x-1", "tokens": {"input_uncached": 50_000, "output": 10_000}}
AGENT = span("p", "otel", trace_id="t", span_id="p", service="planner", operation="invoke_agent",
             team="a", feature="bot")  # fmt: skip
TOOL = span("l", "otel", 1, trace_id="t", span_id="l", parent_span_id="p", service="retrieval",
            operation="execute_tool")  # fmt: skip
CALL = call(
    "c", "otel", 2, trace_id="t", span_id="c", parent_span_id="l", service="program", **PRICED
)


def seen(look):
    live = look.live
    features = {(row.team, row.feature): row.month.cost_pico for row in live.features}
    return features, {row.agent: row.month.cost_pico for row in live.agents}


@pytest.mark.parametrize("order", [(AGENT, TOOL, CALL), (CALL, TOOL, AGENT), (TOOL, CALL, AGENT)])
def test_origin_and_agent_in_every_order(acme, order):
    expected = {("a", "bot"): 10**12}, {"planner": 10**12}
    with Watch(acme.store, acme.clock) as watch:
        for row in order:
            tell(acme, [row])
            watch.keep_up()
        assert seen(watch.look()) == expected
        acme.run()
        assert seen(watch.look()) == expected
    (agents,) = requests(acme.store, watch._rollup._ground.basis.period).agents
    assert (agents.agent, agents.requests) == ("planner", 1)


def test_steps_that_come_after_the_seal_make_the_month_be_added_up_again(acme):
    with Watch(acme.store, acme.clock) as watch:
        tell(acme, [CALL])
        acme.run()
        assert seen(watch.look())[1] == {"program": 10**12}
        tell(acme, [TOOL, AGENT])
        acme.run()
        assert seen(watch.look()) == ({("a", "bot"): 10**12}, {"planner": 10**12})


def test_a_trace_of_very_many_steps_is_counted_whole(acme):
    steps = [
        call(f"c{n}", "otel", trace_id="t", span_id=f"c{n}", parent_span_id=f"c{n - 1}" if n else None,
             operation_id=f"op-{n}", **PRICED)
        for n in range(4_000)
    ]  # fmt: skip
    steps = [({k: v for k, v in record.items() if v is not None}, role) for record, role in steps]
    with Watch(acme.store, acme.clock) as watch:
        tell(acme, steps[:2_000])
        watch.keep_up()
        tell(acme, steps[2_000:])
        look = watch.look()
    assert look.live.month.calls == 4_000
    assert [alert.kind for alert in look.fired] == []  # it was told of with the first batch
    assert look.live.traces[0].tally.calls == 4_000


def test_a_damaged_batch_is_refused(acme):
    tell(acme, [CALL])
    with acme.store.write() as tx:
        tx.run("UPDATE inbox SET sha256 = 'other'")
    with Watch(acme.store, acme.clock) as watch, pytest.raises(CorruptedError, match="inbox batch"):
        watch.look()
