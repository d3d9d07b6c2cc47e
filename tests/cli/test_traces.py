"""`explain` with the id of a trace, on real books."""

from __future__ import annotations

import json

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


LEVELS = 100_000


def test_a_chain_of_a_hundred_thousand_calls_is_whole_from_ingest_to_explain(
    company, call, tmp_path
):
    """Each call hangs under the one before; a tenth comes twice. Nothing is lost, nothing doubles."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    untagged = {"team": None, "feature": None, "purpose": None}
    root = usage("e-0", trace_id=trace, span_id="0", customer="c-1")
    event = usage("", trace_id=trace, **untagged)
    told = [root] + [
        event | {"event_id": f"e-{n}", "span_id": f"{n:x}", "parent_span_id": f"{n - 1:x}"}
        for n in range(1, LEVELS)
    ]
    told[LEVELS // 4]["service"] = "retrieval"  # from here on team B runs it
    calls = tmp_path / "calls.jsonl"
    calls.write_text("".join(json.dumps(one) + "\n" for one in told + told[::10]))
    taken = call("ingest", "jsonl", str(calls), "--json").value
    assert (taken["accepted"], taken["duplicate"]) == (LEVELS, LEVELS // 10)
    call("run", "2026-10")
    cuts = call("graph", "2026-10", "--json").value["cuts"]
    assert cuts["origin"] == {"a": "100000.00"}
    assert cuts["executor"] == {"a": "25000.00", "b": "75000.00"}
    checked = call("check", "INV-11")
    assert (checked.code, f"{LEVELS} nodes of traces, 0 of them" in checked.out) == (0, True)
    said = call("explain", trace).out
    assert "100,000 calls, USD 100000.00 at rate card" in said
    assert "99,940 cheaper nodes are not drawn" in said
    found = call("customers", "2026-10", "--json").value
    assert [row["calls"] for row in found["rows"]] == [LEVELS]
