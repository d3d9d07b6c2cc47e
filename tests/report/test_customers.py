"""Cost by customer of the origin: exact, it ties to the month, and lies are not believed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from company import org, usage
from tallybook.clock import Period
from tallybook.errors import CorruptedError
from tallybook.meter.subjects import forget
from tallybook.post.sheet import latest_sheet
from tallybook.report import customers as reporting
from tallybook.report.customers import Tally, customers, customers_values
from tallybook.report.graph.month import month_graph

OCTOBER = Period(2026, 10)
UNIT = 10**12
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SILENT = {"team": None, "feature": None, "purpose": None}


def step(name, parent="", **changes):
    """A call of 1.00 of team A in the trace."""
    return usage(name, trace_id=TRACE, span_id=name, parent_span_id=parent or None, **changes)


def costs(company, by="customer", **asked):
    """Whole units by who stands behind each id."""
    found = customers(company.store, OCTOBER, by, names=True, **asked)
    known = {row.name or row.id: row.tally.cost_pico // UNIT for row in found.rows}
    return known | {None: found.unstated.cost_pico // UNIT}


def filled(company):
    company.ingest(
        step("root", customer="c-1", cohort="free"),
        step("agent", "root", team="b", feature="find", service="retrieval", customer="robot"),
        step("model", "agent", **SILENT),
        usage("alone", customer="c-2", cohort="paid", team="b", feature="find"),
        usage("nobody"),
    )


def test_agents_of_others_work_for_the_customer_of_the_origin(company):
    filled(company)
    company.run()
    assert costs(company) == {"c-1": 3, "c-2": 1, None: 1}
    assert costs(company, "cohort") == {"free": 3, "paid": 1, None: 1}
    assert costs(company, "plan") == {None: 5}
    assert costs(company, team="a") == {"c-1": 3, None: 1}
    assert costs(company, team="b", feature="find") == {"c-2": 1, None: 0}
    assert costs(company, feature="unheard-of") == {None: 0}


def test_it_comes_to_the_month_in_every_figure(company):
    filled(company)
    company.ingest(
        usage("dear", model="nobody-prices-it", customer="c-1"),
        usage("dark", usage="unknown", tokens=None, customer="c-3"),
        usage("fixed", supersedes="nobody", customer="c-4"),
        name="more",
    )
    company.run()
    total = customers(company.store, OCTOBER).total
    with company.store.read() as tx:
        lines = latest_sheet(tx, "2026-10").lines
    assert total == Tally(
        calls=sum(line.calls for line in lines),
        tokens=sum(line.tokens for line in lines),
        cost_pico=sum(line.card_pico for line in lines),
        unpriced=1,
        unknown=1,
        costed=5,
    )
    assert month_graph(company.store, OCTOBER).total_cents == total.cost_pico // 10**10
    assert costs(company)["c-4"] == 1


def test_a_closed_month_stands_as_its_last_run_saw_it(company):
    filled(company)
    company.close()
    company.ingest(usage("late", customer="c-1"), name="late")
    assert costs(company) == {"c-1": 3, "c-2": 1, None: 1}


def test_what_does_not_tie_is_said(company, monkeypatch):
    filled(company)
    company.run()
    whole = reporting._read
    monkeypatch.setattr(reporting, "_read", lambda *args: whole(*args)[1:])
    with pytest.raises(CorruptedError, match="by its cost sheet of 5 calls"):
        customers(company.store, OCTOBER)


def test_the_customer_that_a_source_without_trust_claims_is_not_believed(company):
    company.apply(org=org() + "trust: {tags: [gateway]}\n")
    company.ingest(
        step("root", source="forged", customer="c-9", cohort="vip"),
        step("model", "root", source="gateway", customer="c-1", cohort="free"),
        usage("alone", source="forged", customer="c-9", cohort="vip"),
    )
    assert costs(company) == {"c-1": 1, None: 2}
    assert costs(company, "cohort") == {"free": 1, None: 2}


def test_who_was_erased_has_no_name_any_more(company):
    filled(company)
    with company.store.write() as tx:
        assert forget(tx, "customer", "c-1")
    found = customers(company.store, OCTOBER, names=True)
    assert [(row.name, row.tally.calls) for row in found.rows] == [("", 3), ("c-2", 1)]
    assert not {row.id for row in found.rows} & {"c-1", "c-2"}


def test_thousands_of_customers_are_no_groups_of_the_cost_sheet(company):
    company.ingest(*(usage(f"e-{n}", customer=f"c-{n}", cohort=f"k-{n % 3}") for n in range(3_000)))
    company.run()
    with company.store.read() as tx:
        assert len(latest_sheet(tx, "2026-10").lines) == 1
    found = customers(company.store, OCTOBER)
    assert (len(found.rows), found.unstated) == (3_000, Tally())
    assert {row.tally.cost_pico for row in found.rows} == {UNIT}


def test_the_machine_form_is_exact(company):
    filled(company)
    value = customers_values(customers(company.store, OCTOBER, "cohort"))
    assert value["total"]["cost"] == "5.000000000000"
    assert value["rows"][0] == {
        "id": "free", "name": None, "calls": 3, "tokens": 180_000, "cost": "3.000000000000",
        "unpriced": 0, "unknown": 0,
    }  # fmt: skip
    assert value["unstated"]["calls"] == 1
    empty = replace(customers(company.store, OCTOBER, team="nobody"), rows=())
    assert customers_values(empty)["total"]["cost"] == "0.000000000000"


def test_what_nobody_knows_of_a_customer_is_no_zero(company):
    company.ingest(
        usage("dear", model="nobody-prices-it", customer="c-1"),
        usage("dark", usage="unknown", tokens=None, customer="c-2"),
        usage("free", tokens={"input_uncached": 0, "output": 0}, customer="c-4"),
        usage("plain", customer="c-1", cohort="paid"),
    )
    company.run()
    value = customers_values(customers(company.store, OCTOBER, names=True))
    told = {row["name"]: (row["tokens"], row["cost"]) for row in value["rows"]}
    assert told["c-1"] == (120_000, "1.000000000000")
    assert told["c-2"] == (None, None)
    assert told["c-4"] == (0, "0.000000000000")
    assert value["unstated"]["cost"] == "0.000000000000"
    value = customers_values(customers(company.store, OCTOBER, "cohort"))
    assert [(row["id"], row["cost"]) for row in value["rows"]] == [("paid", "1.000000000000")]
