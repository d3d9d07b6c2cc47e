"""A trace as a tree: own and rolled-up cost, who caused, ran and pays at every node."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from company import PRICES, Company, org, policy, usage
from tallybook.errors import PeriodError
from tallybook.post.sheet import latest_sheet
from tallybook.report.graph import trace as trace_module
from tallybook.report.graph import trace_text as trace_text_module
from tallybook.report.graph.trace import traces_of
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
    nodes = list(trace.nodes)
    drawn = [
        (one.above, one.event_id, one.own_pico // DOLLAR, one.rolled_pico // DOLLAR)
        for one in nodes
    ]
    assert drawn == [(None, "root", 1, 4), (0, "find", 1, 2), (1, "deep", 1, 1), (0, "late", 1, 1)]
    assert (trace.above, trace.rolled_pico) == ([-1, 0, 1, 0], [one.rolled_pico for one in nodes])
    assert list(trace.read([1, 3])) == [nodes[1], nodes[3]]
    owners = [one.decision.owner for one in nodes]
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
    assert {one.above for one in trace.nodes if one.event_id in ("egg", "lost")} == {None}


def test_a_trace_whose_calls_were_all_taken_back_is_empty(books):
    books.ingest(usage("old", trace_id=TRACE))
    books.ingest(usage("new", trace_id="another", supersedes="old"), name="again")
    (trace,) = traces_of(books.store, TRACE)
    assert (len(trace), trace.total_pico, list(trace.nodes)) == (0, 0, [])
    assert told(trace)["months"][0]["nodes"] == []
    assert "0 calls, USD 0.00 at rate card" in trace_text(trace, 10)


def test_a_trace_whose_calls_are_all_of_another_month_now_is_empty_in_the_old_one(books):
    """`explain` of it ended in an IndexError: its rows told of a span, and none of them stood."""
    books.ingest(node("old"))
    books.run("2026-10")
    again = node("old", started_at="2026-11-03T10:00:00Z") | {"event_id": "new"}
    books.ingest(again | {"supersedes": "old"}, name="again")
    books.run("2026-11")
    old, new = traces_of(books.store, TRACE)
    assert (old.period, len(old), old.total_pico) == ("2026-10", 0, 0)
    assert (new.period, len(new), new.total_pico) == ("2026-11", 1, DOLLAR)
    assert [month["nodes"] == [] for month in told(old, new)["months"]] == [True, False]
    assert "2026-10: 0 calls, USD 0.00 at rate card" in trace_text(old, 10)


def test_a_call_that_stands_alone_is_a_tree_of_one(books):
    books.ingest(usage("one", trace_id=TRACE, span_id="s"))
    (trace,) = traces_of(books.store, TRACE)
    assert [(one.above, one.own_pico) for one in trace.nodes] == [(None, DOLLAR)]


def test_a_corrected_call_counts_once(books):
    books.ingest(node("root"), node("call", "root"))
    books.ingest(node("better", "root", supersedes="call", tokens={"output": 40_000}), name="again")
    (trace,) = traces_of(books.store, TRACE)
    billed = {one.event_id: one.own_pico // DOLLAR for one in trace.nodes if one.bills}
    assert billed == {"root": 1, "better": 2}


def test_a_call_may_cost_more_than_64_bits_hold(books):
    books.ingest(node("root"), node("dear", "root", tokens={"output": 10**12 + 1}))
    (trace,) = traces_of(books.store, TRACE)
    root, dear = trace.nodes
    assert dear.own_pico == (10**12 + 1) * root.own_pico // 20_000 > 1 << 62
    assert root.rolled_pico == trace.total_pico == root.own_pico + dear.own_pico


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
    assert [one.decision.owner.started_by for one in second.nodes][1] == ("a", "bot")


def test_a_large_trace_is_drawn_as_far_as_it_is_asked_for(books):
    books.ingest(
        node("root"), *(node(f"n{i}", "root", second=1 + i, **UNTAGGED) for i in range(30))
    )
    (trace,) = traces_of(books.store, TRACE)
    text = trace_text(trace, 10)
    assert "21 cheaper nodes are not drawn, of USD 21.00 by themselves; --json" in text
    assert len([line for line in text.splitlines() if "─ " in line]) == 9
    assert len(told(trace)["months"][0]["nodes"]) == 31


def test_what_lies_deep_says_how_deep_and_keeps_its_name(books):
    names = [f"step-{depth}" for depth in range(12)]
    books.ingest(*(node(name, above) for name, above in zip(names, ["", *names], strict=False)))
    (trace,) = traces_of(books.store, TRACE)
    rows = trace_text(trace, 12).splitlines()[-12:]
    assert [row[:46].rstrip() for row in rows[7:10]] == [
        f"{'   ' * 6}└─ x-1", f"{'   ' * 7}└─ x-1", "depth 9 └─ x-1",
    ]  # fmt: skip


def test_a_deep_chain_is_drawn_in_linear_time_and_space(books):
    books.ingest(node("only"))
    (trace,) = traces_of(books.store, TRACE)
    (only,) = trace.nodes
    looks = Counter()

    class Above(list):
        def __getitem__(self, at):
            looks[at] += 1
            return super().__getitem__(at)

    def chain(length):
        costs = [1] * length
        return replace(
            trace, above=Above(range(-1, length - 1)), own_pico=costs, rolled_pico=costs,
            read=lambda places: (only for _ in places),
        )  # fmt: skip

    text = trace_text(chain(5_000), 10_000)
    assert len(text.splitlines()) > 5_000
    assert len(text) < 5_000 * 140
    assert max(looks.values()) <= 20


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
    assert [one.for_whom for one in another.nodes] == [("", "", "")]
    assert "Calls:" not in trace_text(another, 10)


def test_the_machine_form_is_one_value_however_it_is_cut(books, monkeypatch):
    books.ingest(node('"nodes": []', span_id="root"), node("next", "root", second=1))
    (trace,) = traces_of(books.store, TRACE)
    once = told(trace, trace)
    monkeypatch.setattr(trace_text_module, "_AT_ONCE", 1)
    monkeypatch.setattr(trace_module, "_NAMED_AT_ONCE", 1)
    assert told(trace, trace) == once
    assert [len(month["nodes"]) for month in once["months"]] == [2, 2]
    assert once["months"][0]["total"] == "2.000000000000"
