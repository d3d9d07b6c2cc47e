"""The agent of a sealed call, as whoever walks up its trace finds it."""

from __future__ import annotations

import random

import duckdb
import pytest

from company import PRICES, Company, org, policy, usage
from live.tracer import tell
from tallybook.clock import Period
from tallybook.live.agents import AGENTS, find_agents
from tallybook.live.look import Watch
from tallybook.live.requests import requests
from tallybook.live.walk import NOBODY, Node, Tree, agent_of
from tallybook.store.lake import DuckSession

TEXTS = dict.fromkeys(
    ("trace_id", "span_id", "parent_span_id", "service", "operation", "role"), "text"
)
OCTOBER = Period.parse("2026-10")


@pytest.fixture
def session():
    with duckdb.connect() as connection:
        yield DuckSession(connection, "here")


def found(session, calls, steps, touched=None):
    """The agent of each call, by its span, of rows as `TEXTS` has them."""
    session.table("events", TEXTS, [(*row, "call") for row in calls])
    session.table("beside", TEXTS, steps)
    session.table("touched", {"trace_id": "text"}, touched or [])
    if not find_agents(session, only_touched=touched is not None):
        return {}
    rows = session.rows(f"SELECT e.span_id, n.agent FROM events e {AGENTS}")
    return {span: agent for span, agent in rows if agent is not None}


def test_it_is_the_innermost_also_above_calls_of_calls(session):
    steps = [
        ("t", "root", "", "planner", "invoke_agent", "span"),
        ("t", "inner", "root", "writer", "", "agent"),
        ("t", "tool", "inner", "search", "execute_tool", "span"),
    ]
    calls = [
        ("t", "c1", "root", "", "chat"),
        ("t", "c2", "c1", "", "chat"),
        ("t", "c3", "tool", "", "chat"),
        ("u", "c4", "root", "", "chat"),
        ("t", "c5", "nobody", "", "chat"),
        ("t", "c6", "", "", "chat"),
    ]
    every = {"c1": "planner", "c2": "planner", "c3": "writer"}
    assert found(session, calls, steps) == every
    assert found(session, calls, steps, touched=[("u",)]) == {}
    assert found(session, calls, steps[2:]) == {}


def test_what_no_name_places_hangs_under_the_only_root(session):
    """Sealed, such a call once had its own service where it had the agent of the root before."""
    steps = [
        ("t", "root", "", "planner", "invoke_agent", "span"),
        ("t", "tool", "unheard", "search", "execute_tool", "span"),
    ]
    calls = [
        ("t", "c1", "nobody", "", "chat"),
        ("t", "c2", "c1", "", "chat"),
        ("t", "c3", "tool", "", "chat"),
        ("t", "", "", "", "chat"),
        ("t", "c4", "root", "", "chat"),
    ]
    every = dict.fromkeys(("c1", "c2", "c3", "c4", ""), "planner")
    assert found(session, calls, steps) == every
    assert found(session, calls, steps, touched=[("t",)]) == every
    # A root that is a call is a second one, and itself stands under nobody.
    second = [*calls, ("t", "c5", "", "", "chat")]
    assert found(session, second, steps) == {"c4": "planner"}
    assert found(session, calls, [*steps, ("t", "other", "", "", "", "span")]) == {"c4": "planner"}
    same = [*calls, ("t", "root", "", "", "chat")]  # told by two, one node
    assert found(session, same, steps) == every
    no_agent = [("t", "root", "", "x", "", "span"), ("u", "r", "", "planner", "", "agent")]
    assert found(session, calls, no_agent) == {}


def test_an_agent_without_a_service_has_the_name_of_what_it_did(session):
    calls, steps = [("t", "c", "s", "", "chat")], [("t", "s", "", "", "create_agent", "span")]
    assert found(session, calls, steps) == {"c": "create_agent"}


def test_a_span_told_twice_is_an_agent_and_has_a_parent_if_one_row_says_so(session):
    calls = [("t", "c1", "s1", "", "chat"), ("t", "c2", "s2", "", "chat")]
    steps = [
        ("t", "s1", "", "", "", "span"),
        ("t", "s1", "s2", "", "", "span"),
        ("t", "s2", "", "", "", "span"),
        ("t", "s2", "s1", "planner", "", "agent"),
    ]
    for told in (steps, steps[::-1]):
        assert found(session, calls, told) == {"c1": "planner", "c2": "planner"}


def test_a_circle_without_an_agent_ends(session):
    steps = [("t", "x", "y", "", "", "span"), ("t", "y", "x", "", "", "span")]
    agent = ("t", "a", "", "planner", "", "agent")
    assert found(session, [("t", "c", "x", "", "chat")], [*steps, agent]) == {}


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_one_that_a_walk_finds(session, seed):
    chance = random.Random(seed)
    calls, steps, nodes = [], [], {}
    for trace in ("t", "u"):
        spans = [f"{trace}{n}" for n in range(40)]
        chance.shuffle(spans)
        for at, span in enumerate(spans):
            parent = chance.choice([*spans[max(0, at - 3) : at], "nobody"]) if at else ""
            name = chance.choice(["planner", "writer", "", "", "", ""])
            if chance.random() < 0.5:
                calls.append((trace, span, parent, "", "chat"))
                name = ""
            else:
                steps.append((trace, span, parent, name, "", "agent" if name else "span"))
            nodes[span] = Node(span, parent, 0, name, "", "", NOBODY)
    told = {trace: Tree([n for s, n in nodes.items() if s[0] == trace]) for trace in ("t", "u")}
    wanted = {call[1]: agent_of(told[call[0]].path(nodes[call[1]]), "") for call in calls}
    assert found(session, calls, steps) == {span: name for span, name in wanted.items() if name}


def test_a_seal_leaves_a_call_that_no_name_places_with_the_agent_of_the_root(tmp_path):
    acme = Company(tmp_path, now="2026-10-03T10:30:00Z")
    acme.apply(org=org(), policy=policy(), prices=PRICES)
    step = {
        name: value
        for name, value in usage("step", trace_id="t", span_id="s", service="planner").items()
        if name not in ("tokens", "units", "usage")
    }
    lost = usage("c-1", trace_id="t", span_id="c1", parent_span_id="gone", service="retrieval")
    adrift = usage("c-2", trace_id="t", service="retrieval")
    tell(acme, [(step, "agent"), (lost, "call"), (adrift, "call")])
    late = usage("c-3", trace_id="t", span_id="c3", parent_span_id="gone too", service="retrieval")
    for count, row in ((2, None), (3, late), (3, None)):
        if row:
            acme.ingest(row, name="late")  # what waits stands beside what is sealed
        with Watch(acme.store, acme.clock) as watch:
            agents = watch.look().live.agents
        assert [(one.agent, one.month.calls) for one in agents] == [("planner", count)]
        acme.run()
        found = requests(acme.store, OCTOBER).agents
        assert [(one.agent, one.calls) for one in found] == [("planner", count)]
    acme.store.close()


def test_a_seal_leaves_a_call_under_a_call_with_its_agent(tmp_path):
    acme = Company(tmp_path, now="2026-10-03T10:30:00Z")
    acme.apply(org=org(), policy=policy(), prices=PRICES)
    step = {
        name: value
        for name, value in usage("step", trace_id="t", span_id="s", service="planner").items()
        if name not in ("tokens", "units", "usage")
    }
    call = usage("c-1", trace_id="t", span_id="c1", parent_span_id="s")
    below = usage("c-2", trace_id="t", span_id="c2", parent_span_id="c1")
    tell(acme, [(step, "agent"), (call, "call"), (below, "call")])
    for _ in ("waiting", "sealed"):
        with Watch(acme.store, acme.clock) as watch:
            agents = watch.look().live.agents
        assert [(one.agent, one.month.calls) for one in agents] == [("planner", 2)]
        acme.run()
    assert {one.agent: one.calls for one in requests(acme.store, OCTOBER).agents} == {"planner": 2}
    acme.store.close()
