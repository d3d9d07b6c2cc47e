"""Origin and agent of a call, by what is known of its trace so far."""

from __future__ import annotations

import random

import pytest

from tallybook.live.walk import (
    NAMED,
    NOBODY,
    SERVED,
    STEPS_WALKED,
    Node,
    Tree,
    agent_name,
    agent_of,
    origin_of,
)


def node(span, parent="", *, agent="", team="platform", word=NOBODY, at=0):
    return Node(span, parent, at, agent, team, "", word)


def origin(*nodes):
    tree = Tree(nodes[:-1])
    return origin_of(tree.path(nodes[-1])).team


def test_the_outermost_named_node_started_it():
    root = node("r", team="a", word=NAMED)
    inner = node("i", "r", team="b", word=NAMED)
    assert origin(root, inner, node("c", "i", team="c", word=NAMED)) == "a"


def test_without_a_name_it_is_the_outermost_service():
    assert origin(node("r"), node("i", "r", team="b", word=SERVED), node("c", "i")) == "b"
    assert origin(node("r"), node("c", "r")) == "platform"


def test_the_innermost_agent_made_the_call():
    tree = Tree([node("r", agent="planner"), node("i", "r", agent="writer"), node("t", "i")])
    assert agent_of(tree.path(node("c", "t")), "program") == "writer"
    assert agent_of(tree.path(node("c", "nowhere", at=1)), "program") == "planner"
    assert agent_of(Tree([]).path(node("c", "lost")), "program") == "program"


@pytest.mark.parametrize("parent", ["lost", ""])
def test_what_hangs_in_the_air_is_under_the_only_root(parent):
    call = node("c" if parent else "", parent)
    assert origin(node("r", team="a", word=NAMED), call) == "a"
    two = [node("r", team="a", word=NAMED), node("s", team="b", word=NAMED)]
    assert origin(*two, call) == "platform"


def test_a_circle_ends():
    tree = Tree([node("x", "y", agent="one"), node("y", "x")])
    assert [one.span for one in tree.path(node("c", "x"))] == ["c", "x", "y"]
    assert [one.span for one in Tree([node("z", "z")]).path(node("c", "z"))] == ["c", "z"]


def test_a_span_told_twice_is_one_node():
    first, second = node("s", "r", at=1, agent="a"), node("s", "q", at=2, agent="b")
    for nodes in ([first, second], [second, first]):
        assert Tree(nodes).path(node("c", "s"))[1] == first


def test_a_path_of_thousands_of_steps_is_walked_so_far():
    nodes = [node("0", team="a", word=NAMED)]
    nodes += [node(str(n), str(n - 1)) for n in range(1, 5_000)]
    tree, call = Tree(nodes), node("c", "4999")
    assert len(tree.path(call)) == STEPS_WALKED
    assert origin_of(tree.path(call, 5_001)).team == "a"
    assert origin(*nodes[: STEPS_WALKED - 1], node("c", str(STEPS_WALKED - 2))) == "a"


def test_what_is_an_agent():
    assert agent_name("agent", "chain", "writer") == "writer"
    assert agent_name("span", "invoke_agent", "planner") == "planner"
    assert agent_name("span", "execute_tool", "search") == ""
    assert agent_name("call", "invoke_agent", "bedrock") == ""
    assert agent_name("agent", "ai.generateText", "") == "ai.generateText"


def test_the_depth_of_a_tree_is_its_longest_path():
    chain = [node(f"{n}", f"{n - 1}" if n else "") for n in range(50_000)]
    assert Tree(chain[::-1]).depth() == 50_000
    assert Tree([node("egg", "hen"), node("hen", "egg"), node("c", "egg")]).depth() == 3
    assert Tree([node("", ""), node("", "")]).depth() == 2
    assert Tree([node("r"), node("c", "r"), node("x", "gone")]).depth() == 2


@pytest.mark.parametrize("seed", range(200))
def test_the_depth_is_that_of_every_path_walked(seed):
    chance = random.Random(seed)
    spans = [f"s{n}" for n in range(chance.randrange(1, 12))]
    nodes = [
        node(
            chance.choice([span, span, span, "", chance.choice(spans)]),
            chance.choice([before, before, "", "gone", chance.choice(spans)]),
            at=chance.randrange(3),
        )
        for before, span in zip(["", *spans], spans, strict=False)
    ]
    tree = Tree(nodes)
    assert tree.depth() == max(len(tree.path(one, len(nodes))) for one in nodes)
