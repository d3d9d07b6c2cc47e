"""What was billed and never delivered: exact, by owner, and what nobody told is no zero."""

from __future__ import annotations

import pytest

from company import usage
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.post.sheet import latest_sheet
from tallybook.report.undelivered import Tally, undelivered, undelivered_values

OCTOBER = Period(2026, 10)
UNIT = 10**12


def left(event_id: str = "e-1", delivered: int | None = 2_500, **changes: object):
    """A call whose caller left after a quarter of the output: 0.375 of its 1.00 was not delivered."""
    told = {"status": "client_aborted", "output_delivered": delivered, **changes}
    return usage(event_id, **told)


def rows_of(company, team: str = "") -> dict[tuple[str, str, str], Tally]:
    found = undelivered(company.store, OCTOBER, team)
    return {(row.team, row.feature, row.model): row.tally for row in found.rows}


def test_a_month_that_was_not_run_is_refused(company):
    with pytest.raises(PeriodError, match="tallybook run 2026-10"):
        undelivered(company.store, OCTOBER)


def test_what_did_not_arrive_is_told_beside_the_whole_call(company):
    company.ingest(left("1"), left("2", delivered=10_000), usage("3"), usage("4", status="error"))
    company.run()
    assert rows_of(company) == {
        ("a", "bot", "X/x-1"): Tally(
            calls=2,
            measured=2,
            costed=2,
            output=20_000,
            delivered=12_500,
            undelivered_pico=375 * UNIT // 1000,
            cost_pico=2 * UNIT,
        )
    }
    assert undelivered(company.store, OCTOBER).month_pico == 4 * UNIT


def test_it_is_told_by_team_feature_and_model_the_dearest_first(company):
    company.ingest(
        left("1", team="b", feature="find"),
        left("2", provider="Y", model="y-1", delivered=0),
        left("3", team="b", feature="find", purpose="evaluation", delivered=0),
        left("4", team="b", feature=None),
    )
    company.run()
    found = undelivered(company.store, OCTOBER)
    assert [(row.team, row.feature, row.model) for row in found.rows] == [
        ("b", "find", "X/x-1"),
        ("b", "", "X/x-1"),
        ("a", "bot", "Y/y-1"),
    ]
    assert found.rows[0].tally.undelivered_pico == 875 * UNIT // 1000
    assert found.rows[2].tally.undelivered_pico == 7 * 10_000 * 10**6
    assert set(rows_of(company, "b")) == {("b", "find", "X/x-1"), ("b", "", "X/x-1")}


def test_whole_calls_cost_what_the_month_was_rated_at(company):
    """Every call of the month was left, also one that another team ran, so both sums are one."""
    trace = {"trace_id": "t", "span_id": "s0"}
    company.ingest(
        left("1", **trace),
        left("2", trace_id="t", span_id="s1", parent_span_id="s0", service="retrieval", team="b",
             feature=None),
        left("3", team=None, feature=None),
        left("4", provider="Y", model="y-1", tokens={"input_uncached": 7, "output": 3}),
    )  # fmt: skip
    company.run()
    with company.store.read() as tx:
        lines = latest_sheet(tx, "2026-10").lines
    found = undelivered(company.store, OCTOBER)
    assert found.total.cost_pico == found.month_pico == sum(line.card_pico for line in lines)
    by_team = {team: undelivered(company.store, OCTOBER, team).total.cost_pico for team in "ab"}
    rated = {team: sum(x.card_pico for x in lines if x.owner.team == team) for team in "ab"}
    assert by_team == rated
    assert by_team["a"] > 2 * UNIT  # it started what retrieval ran


def test_whose_it_is_may_stand_elsewhere_in_its_trace(company):
    company.ingest(
        usage("1", trace_id="t", span_id="s0", team="b", feature="find"),
        left("2", trace_id="t", span_id="s1", parent_span_id="s0", team=None, feature=None),
        usage("3", trace_id="u", span_id="s0"),
    )
    company.run()
    assert set(rows_of(company)) == {("b", "find", "X/x-1")}


def test_a_correction_replaces_what_it_corrects(company):
    company.ingest(left("1"), left("2", delivered=0, supersedes="1"))
    company.run()
    (tally,) = rows_of(company).values()
    assert (tally.calls, tally.delivered, tally.cost_pico) == (1, 0, UNIT)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"output_delivered": None}, {"calls_untold": 1, "cost": "1.000000000000"}),
        ({"usage": "unknown", "tokens": None}, {"calls_untold": 1, "calls_unknown": 1}),
        ({"tokens": {"input_uncached": 50_000, "output": None}}, {"calls_untold": 1,
                                                                  "calls_unknown": 1}),
        ({"model": "nobody-prices-it"}, {"calls_unpriced": 1, "output_billed": 10_000,
                                         "output_delivered": 2_500}),
        ({"tokens": {"output": 1, "audio_output": 9}, "model": "nobody-prices-it"},
         {"calls_untold": 1, "calls_unpriced": 1}),
    ],
)  # fmt: skip
def test_what_nobody_told_is_unknown_and_never_zero(company, changes, told):
    company.ingest(left("1", **changes))
    company.run()
    (row,) = undelivered_values(undelivered(company.store, OCTOBER))["rows"]
    nothing = {
        "calls": 1, "calls_unknown": 0, "calls_unpriced": 0, "calls_untold": 0,
        "output_billed": None, "output_delivered": None, "undelivered_cost": None, "cost": None,
    }  # fmt: skip
    assert row == {"team": "a", "feature": "bot", "model": row["model"], **nothing, **told}


def test_the_machine_form_of_a_month_in_which_nobody_left(company):
    company.ingest(usage())
    company.run()
    assert undelivered_values(undelivered(company.store, OCTOBER)) == {
        "period": "2026-10", "currency": "USD", "calls": 0, "calls_unknown": 0,
        "calls_unpriced": 0, "calls_untold": 0, "output_billed": 0, "output_delivered": 0,
        "undelivered_cost": "0.000000000000", "cost": "0.000000000000",
        "month_cost": "1.000000000000", "undelivered_share": "0.0 %", "rows": [],
    }  # fmt: skip
