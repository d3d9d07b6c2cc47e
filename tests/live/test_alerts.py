"""Alerts from usage to the list: given once, with the person who answers, acknowledged by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.errors import StoreError, WrongUsageError
from tallybook.live.alerts import acknowledge, alerts, give, note_told, owner_of, untold
from tallybook.live.form import alert_text, alert_values
from tallybook.live.keep import keep_usuals, usuals_of
from tallybook.live.look import Watch
from tallybook.live.state import read_state

OWNED = org().replace(
    'name: Team A, unit: main, cost_center: "1"',
    'name: Team A, unit: main, cost_center: "1",'
    " owners: {product: pm@acme.example, engineering: eng@acme.example}",
)
ALERTS = policy() + '    alerts: {loop: 5, retries: 3, spend: {times: 2, least: "1.00"}}\n'


@pytest.fixture
def acme(tmp_path, stores):
    made = Company(tmp_path, now="2026-10-03T10:30:00Z", opened=stores.open)
    made.apply(org=OWNED, policy=ALERTS, prices=PRICES)
    yield made
    made.store.close()


@pytest.fixture
def watch(acme):
    with Watch(acme.store, acme.clock) as made:
        yield made


def looping(first, last, trace="t-1", **more):
    placed = {"trace_id": trace, "service": "planner", "feature": "bot", **more}
    return [usage(f"{trace}-{n}", span_id=f"s{n}", **placed) for n in range(first, last)]


def test_a_loop_is_told_once_with_trace_agent_and_owner(acme, watch):
    acme.ingest(*looping(0, 4))
    assert watch.look().fired == ()
    acme.ingest(*looping(4, 7), name="more")
    (alert,) = watch.look().fired
    assert (alert.kind, alert.trace, alert.agent) == ("loop", "t-1", "planner")
    assert (alert.team, alert.feature, alert.owner) == ("a", "bot", "eng@acme.example")
    assert (alert.figure, alert.threshold) == ("7", "5")
    assert "eng@acme.example" in alert_text(alert)
    acme.ingest(*looping(7, 9), name="again")
    assert watch.keep_up() == ()
    assert [one.id for one in alerts(acme.store)] == [alert.id]


def test_a_retry_storm_is_told(acme, watch):
    acme.ingest(*[usage(f"e-{n}", trace_id="t", operation_id="op", attempt=n) for n in (1, 2, 3)])
    assert [one.kind for one in watch.keep_up()] == ["retries"]


@pytest.mark.both_stores
def test_what_no_text_of_a_store_holds_stops_nobody_who_looks(acme, watch):
    odd = {"trace_id": "t\0", "service": "plan\0ner", "operation_id": "op\0"}
    acme.ingest(*looping(0, 4, **odd))
    first = watch.look()
    assert (first.live.month.calls, [one.kind for one in first.fired]) == (4, ["retries"])
    acme.ingest(*looping(4, 7, **odd), name="more")
    assert [one.kind for one in watch.look().fired] == ["loop"]
    with Watch(acme.store, acme.clock) as another:
        seen = another.look()
    assert (seen.live.traces[0].tally.calls, seen.fired) == (7, ())
    assert len(alerts(acme.store)) == 2


def test_spend_beyond_the_usual_is_told_once_an_hour(acme, watch):
    acme.ingest(*[usage(f"d-{n}", started_at=f"2026-10-0{n}T10:10:00Z") for n in (1, 2)])
    acme.run()
    acme.ingest(*[usage(f"e-{n}", started_at="2026-10-03T10:10:00Z") for n in range(3)], name="b")
    (alert,) = watch.look().fired
    assert (alert.kind, alert.subject) == ("spend", "a/bot")
    assert (alert.figure, alert.threshold) == ("3.000000000000", "1.000000000000")
    acme.ingest(usage("e-9", started_at="2026-10-03T10:20:00Z"), name="c")
    assert watch.look().fired == ()


def test_the_usual_fan_out_is_of_earlier_days(acme, watch):
    acme.ingest(
        *[
            usage(f"{t}-{n}", started_at="2026-10-01T10:00:00Z", trace_id=f"t{t}", span_id=f"{n}")
            for t in range(3)
            for n in range(t + 1)
        ]
    )
    acme.run()
    watch.look()
    with acme.store.read() as tx:
        lot = read_state(tx, "2026-10").sealed_lot
        assert usuals_of(tx, lot) == {("a", "bot"): (3, 3)}
    with acme.store.write() as tx:
        keep_usuals(tx, lot, {("a", "bot"): {2: 99, 7: 1}})
    with acme.store.read() as tx:
        assert usuals_of(tx, lot) == {("a", "bot"): (100, 2)}


def test_it_is_acknowledged_once_by_name_and_reason(acme, watch):
    acme.ingest(*looping(0, 6))
    (alert,) = watch.look().fired
    with pytest.raises(WrongUsageError, match="the reason is empty"):
        acknowledge(acme.store, alert.id, " ", "dana", 7)
    with pytest.raises(WrongUsageError, match="there is no alert 99"):
        acknowledge(acme.store, 99, "seen", "dana", 7)
    found = acknowledge(acme.store, alert.id, "stopped it", "dana", 7)
    assert alert_values(found)["acknowledged"]["by"] == "dana"
    assert alerts(acme.store) == []
    assert [one.reason for one in alerts(acme.store, every=True)] == ["stopped it"]
    with pytest.raises(StoreError, match="by dana: stopped it"):
        acknowledge(acme.store, alert.id, "me too", "erin", 8)
    with acme.store.read() as tx:
        told = tx.rows("SELECT name, actor FROM command WHERE name = 'alerts ack'")
    assert [tuple(row) for row in told] == [("alerts ack", "dana")]


def test_a_channel_is_told_once(acme, watch):
    acme.ingest(*looping(0, 6))
    (alert,) = watch.look().fired
    assert untold(acme.store, "mail", 0) == [alert]
    note_told(acme.store, alert.id, "mail", "sent")
    assert untold(acme.store, "mail", 0) == []
    assert [one.id for one in untold(acme.store, "webhook", 0)] == [alert.id]
    assert untold(acme.store, "webhook", alert.fired_us + 1) == []
    again = replace(alert, id=0)
    assert give(acme.store, [again], watch._rollup.caught_up().ground.basis.books.org, 9) == []


def test_who_answers_is_named_by_the_books(acme, watch):
    chart = watch._rollup.caught_up().ground.basis.books.org
    assert owner_of(chart, "a", 0) == "eng@acme.example"
    assert owner_of(chart, "b", 0) == ""
