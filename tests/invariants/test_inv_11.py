"""INV-11: the cuts by who started, ran and pays tie; each call stands once in its trace."""

from dataclasses import replace

import pytest

from company import org, usage
from tallybook.check import graph
from tallybook.check.check import check
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.post.compute import charged

OCTOBER = Period.parse("2026-10")
RULES = (
    "transfer: callee_absorbs",
    "transfer: split, weights: {callee: 3, caller: 7}",
    'transfer: transfer_price, price: "0.30", per: call',
    "joint: {purposes: [batch], by: calls}",
)
NOBODY = {"team": None, "feature": None, "purpose": None}


def traced():
    """A trace with a root, a chain of three calls, an orphan, and one that loops."""
    called = {**NOBODY, "service": "retrieval", "trace_id": "t"}
    return [
        usage("root", trace_id="t", span_id="1"),
        usage("tool", **called, span_id="2", parent_span_id="1"),
        usage("deep", **called, span_id="3", parent_span_id="2"),
        usage("orphan", **called, span_id="4", parent_span_id="gone"),
        usage("loop-1", **NOBODY, trace_id="u", span_id="1", parent_span_id="2"),
        usage("loop-2", trace_id="u", span_id="2", parent_span_id="1"),
        usage("warm", team="b", feature="find", purpose="batch", service="retrieval"),
        usage("alone", service="retrieval"),
    ]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_conserves(company, rule):
    company.apply(org=org().replace("transfer: caller_pays", rule))
    company.ingest(*traced())
    company.run()
    (finding,) = check(company.store, ["INV-11"])
    assert finding.ok, finding.detail
    assert finding.examined == 8
    assert finding.detail == "6 nodes of traces, 2 of them in traces that loop"
    assert company.failing() == {}


@pytest.mark.parametrize("rule", RULES)
def test_a_part_that_is_lost_is_found(company, rule, monkeypatch):
    company.apply(org=org().replace("transfer: caller_pays", rule))
    company.ingest(*traced())
    company.run()
    made = charged(company.store, read_basis(company.store, OCTOBER))
    short = replace(made.lines[0], card_pico=made.lines[0].card_pico - 1)
    monkeypatch.setattr(
        graph, "transferred", lambda sums: replace(made, lines=(short, *made.lines[1:]))
    )
    (finding,) = check(company.store, ["INV-11"])
    assert not finding.ok
    assert "2026-10: what is charged comes to" in finding.detail


def test_a_call_that_stands_twice_is_found(company, monkeypatch):
    company.ingest(*traced())
    company.run()
    walked = graph.placed_in

    def twice(session, basis, metering):
        made = walked(session, basis, metering)
        session.run("CREATE TABLE once AS SELECT * FROM placed")
        session.run(
            "CREATE OR REPLACE VIEW placed AS SELECT * FROM once UNION ALL"
            " (SELECT * FROM once ORDER BY row_at LIMIT 1)"
        )
        return made

    monkeypatch.setattr(graph, "placed_in", twice)
    (finding,) = check(company.store, ["INV-11"])
    assert not finding.ok
    assert "calls of trace" in finding.detail
