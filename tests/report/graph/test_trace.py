"""A trace as a tree: own and rolled-up cost, who caused, ran and pays at every node."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.errors import PeriodError
from tallybook.post.sheet import latest_sheet
from tallybook.report.graph import trace_text as trace_text_module
from tallybook.report.graph.trace import traces_of
from tallybook.report.graph.trace_model import Trace
from tallybook.report.graph.trace_text import payers_of, trace_json, trace_text

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
DOLLAR = 10**12


@pytest.fixture
def books(tmp_path):
    company = Company(tmp_path / "books")
    company.apply(org=org(), policy=policy(), prices=PRICES)
    return company


def node(name, parent="", second=0, **changes):
    """A call of 1.00 of team A that names its span."""
    plain = {
        "trace_id": TRACE,
        "span_id": name,
        "parent_span_id": parent or None,
        "started_at": f"2026-10-03T10:00:{second:02}Z",
    }
    return usage(name, **(plain | changes))


def told(*traces):
    """The machine form, which is spelled as `json` spells it."""
    text = "".join(trace_json(TRACE, traces))
    value = json.loads(text)
    assert text == json.dumps(value, indent=2, ensure_ascii=False)
    return value


UNTAGGED = {"team": None, "feature": None, "purpose": None}


def test_costs_are_rolled_up_and_every_node_has_its_owners(books):
    books.ingest(
        node("root", second=1),
        node("late", "root", second=9, **UNTAGGED),
        node("find", "root", second=2, service="retrieval", **UNTAGGED),
        node("deep", "find", second=3, **UNTAGGED),
        usage("other"),
    )
    (trace,) = traces_of(books.store, TRACE)
    drawn = [
        (one.depth, one.event_id, one.own_pico // DOLLAR, one.rolled_pico // DOLLAR)
        for one in trace.nodes
    ]
    assert drawn == [(0, "root", 1, 4), (1, "find", 1, 2), (2, "deep", 1, 1), (1, "late", 1, 1)]
    owners = [one.decision.owner for one in trace.nodes]
    assert {owner.started_by for owner in owners} == {("a", "bot")}
    assert [owner.executor for owner in owners] == ["a", "b", "b", "a"]
    assert {owner.team for owner in owners} == {"a"}
    text = trace_text(trace, 10)
    assert "4 calls, USD 4.00 at rate card" in text
    assert "│  └─ " in text
    assert text.count("retrieval: caller pays") == 2


def test_the_tree_says_what_the_run_booked(books):
    """Every rule at once, cycles and orphans too: by payer the tree and the sheet agree."""
    rules = "{id: retrieval, name: Retrieval, team: b, transfer: split, weights: {callee: 1, caller: 2}}"
    books.apply(
        org=org().replace("{id: retrieval, name: Retrieval, team: b, transfer: caller_pays}", rules)
    )
    books.ingest(
        node("root", second=1),
        node("find", "root", second=2, service="retrieval", **UNTAGGED),
        node("lost", "nobody", second=3, **UNTAGGED),
        node("egg", "hen", second=4, service="retrieval", **UNTAGGED),
        node("hen", "egg", second=5, **UNTAGGED),
    )
    books.run()
    with books.store.read() as tx:
        sheet = latest_sheet(tx, "2026-10")
    (trace,) = traces_of(books.store, TRACE)
    paid: Counter[str] = Counter()
    for one in trace.nodes:
        payers = payers_of(one.decision)
        whole = sum(payer.weight for payer in payers)
        for payer in payers:
            paid[payer.team] += Fraction(one.own_pico * payer.weight, whole)
    booked: Counter[str] = Counter()
    for line in sheet.lines:
        booked[line.owner.team] += line.card_pico
    assert {team: abs(paid[team] - booked[team]) < 2 for team in booked} == dict.fromkeys(
        booked, True
    )
    assert sum(paid.values()) == sum(booked.values()) == trace.total_pico == 5 * DOLLAR
    assert {one.depth for one in trace.nodes if one.event_id in ("egg", "lost")} == {0}


def test_a_tree_of_nothing_costs_nothing():
    assert Trace(TRACE, "2026-10", "USD", ()).total_pico == 0


def test_a_call_that_stands_alone_is_a_tree_of_one(books):
    books.ingest(usage("one", trace_id=TRACE, span_id="s"))
    (trace,) = traces_of(books.store, TRACE)
    assert [(one.depth, one.own_pico) for one in trace.nodes] == [(0, DOLLAR)]


def test_a_corrected_call_counts_once(books):
    books.ingest(node("root"), node("call", "root"))
    books.ingest(node("better", "root", supersedes="call", tokens={"output": 40_000}), name="again")
    (trace,) = traces_of(books.store, TRACE)
    billed = {one.event_id: one.own_pico // DOLLAR for one in trace.nodes if one.bills}
    assert billed == {"root": 1, "better": 2}


def test_a_trace_of_two_months_has_a_tree_in_each(books):
    books.ingest(
        node("root", started_at="2026-10-31T23:59:59Z"),
        node("next", "root", started_at="2026-11-01T00:00:01Z", **UNTAGGED),
    )
    first, second = traces_of(books.store, TRACE)
    assert (first.period, second.period) == ("2026-10", "2026-11")
    assert [(one.role, one.own_pico // DOLLAR) for one in second.nodes] == [
        ("elsewhere", 0),
        ("call", 1),
    ]
    assert second.nodes[1].decision.owner.started_by == ("a", "bot")


def test_a_large_trace_is_drawn_as_far_as_it_is_asked_for(books):
    books.ingest(
        node("root"), *(node(f"n{i}", "root", second=1 + i, **UNTAGGED) for i in range(30))
    )
    (trace,) = traces_of(books.store, TRACE)
    text = trace_text(trace, 10)
    assert "21 cheaper nodes are not drawn" in text
    assert len([line for line in text.splitlines() if "─ " in line]) == 9
    assert len(told(trace)["months"][0]["nodes"]) == 31


def test_a_trace_that_nobody_names_says_what_to_look_for(books):
    with pytest.raises(PeriodError, match="no call names the trace 'gone'"):
        traces_of(books.store, "gone")


def test_every_node_says_for_whom_its_origin_works(books):
    books.apply(org=org() + "trust: {tags: [gateway]}\n")
    books.ingest(
        node("root", second=1, source="gateway", customer="c-1", plan="pro"),
        node("agent", "root", second=2, source="gateway", team="b", customer="c-2", cohort="free"),
        node("liar", "root", second=3, source="forged", cohort="vip", **UNTAGGED),
        node("alone", second=4, source="forged", customer="c-9", trace_id="another"),
    )
    (trace,) = traces_of(books.store, TRACE)
    root, agent, liar = (one.for_whom for one in trace.nodes)
    assert root == (root[0], "", "pro")
    assert agent == (root[0], "free", "pro")
    assert liar == root
    assert (
        f"Calls: 2 for customer {root[0]}, plan pro; 1 for customer {root[0]}, cohort free, plan"
        in (trace_text(trace, 10))
    )
    (month,) = told(trace)["months"]
    value = month["nodes"][1]
    assert (value["customer"], value["cohort"], value["plan"]) == agent
    (another,) = traces_of(books.store, "another")
    assert another.nodes[0].for_whom == ("", "", "")
    assert "Calls:" not in trace_text(another, 10)


def test_the_machine_form_is_one_value_however_it_is_cut(books, monkeypatch):
    books.ingest(node('"nodes": []', span_id="root"), node("next", "root", second=1))
    (trace,) = traces_of(books.store, TRACE)
    once = told(trace, trace)
    monkeypatch.setattr(trace_text_module, "_AT_ONCE", 1)
    assert told(trace, trace) == once
    assert [len(month["nodes"]) for month in once["months"]] == [2, 2]
    assert once["months"][0]["total"] == "2.000000000000"
