"""`explain` with the id of a trace, on real books."""

from __future__ import annotations

from company import usage


def test_explain_draws_the_tree_of_a_trace(company, call):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    untagged = {"team": None, "feature": None, "purpose": None, "service": "retrieval"}
    company.ingest(
        usage("e-1", trace_id=trace, span_id="s1"),
        usage("e-2", trace_id=trace, span_id="s2", parent_span_id="s1", **untagged),
    )
    said = call("explain", trace, "--json").value
    (month,) = said["months"]
    assert (month["total"], month["period"]) == ("2.000000000000", "2026-10")
    root, child = month["nodes"]
    assert (root["rolled_up"], child["above"]) == ("2.000000000000", 0)
    assert (child["origin"], child["executor"]) == ("a", "b")
    assert child["payers"] == [
        {"team": "a", "feature": "bot", "service": "retrieval", "rule": "caller_pays", "weight": 1}
    ]
    assert "retrieval: caller pays" in call("explain", trace).out
    gone = call("explain", "nothing")
    assert gone.code == 1
    assert "no call names the trace 'nothing'" in gone.err
