"""`undelivered`: in words and for machines."""

from __future__ import annotations

from company import usage


def test_nobody_left(october, call):
    assert "no caller left" in call("undelivered", "2026-10").out
    assert call("undelivered", "October").code == 2


def test_a_month_that_was_not_run_says_what_to_do(company, call):
    assert "nothing is booked in 2026-10" in call("undelivered", "2026-10").err


def test_it_says_who_paid_for_what_did_not_arrive(company, call):
    company.ingest(
        usage("1", status="client_aborted", output_delivered=2_500),
        usage("2", status="client_aborted", team="b", feature="find"),
        usage("3", status="client_aborted", output_delivered=0, model="nobody-prices-it"),
        usage("4", status="client_aborted", usage="unknown", tokens=None, team="b", feature="find"),
        usage("5"),
    )
    call("run", "2026-10")
    told = call("undelivered", "2026-10").out
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "a bot X/x-1 1 10,000 2,500 0.375000 1.000000" in lines
    assert "a bot X/nobody-prices-it 1 10,000 0 ? ?" in lines
    assert "b find X/x-1 2 ? ? ? 1.000000" in lines
    assert "12.5 % of the month's 3.000000 was not delivered" in told
    assert "2 calls: nobody told how much arrived" in told
    assert "1 call: nobody told what they used" in told
    assert "1 call: their model has no price" in told
    value = call("undelivered", "2026-10", "--team", "a", "--json").value
    assert (value["undelivered_cost"], value["month_cost"]) == ("0.375000000000", "2.000000000000")
    assert [row["team"] for row in value["rows"]] == ["a", "a"]


def test_a_share_that_nobody_knows_is_not_told_as_nothing(company, call):
    company.ingest(usage("1", status="client_aborted"), usage("2"))
    call("run", "2026-10")
    told = call("undelivered", "2026-10").out
    assert "nobody knows how much of the month's 2.000000 was not delivered" in told
    assert "0.0 %" not in told
    value = call("undelivered", "2026-10", "--json").value
    assert (value["undelivered_cost"], value["undelivered_share"]) == (None, None)
