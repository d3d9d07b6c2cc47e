"""The tree of a trace: what lies in what, what contains what, what is left over."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallybook.meter.resolve.observation import Observation, sums
from tallybook.meter.resolve.tree import SKEW_US, contains, residual, tree_of

CLASSES = ("input_uncached", "cache_read", "cache_write", "output", "audio_output")
TOKENS = st.dictionaries(st.sampled_from(CLASSES), st.integers(1, 50))


def span(span_id: str, parent: str = "", role: Any = "call", **columns: Any) -> Observation:
    row = {
        "key": span_id.encode().ljust(16), "span_id": span_id, "parent_span_id": parent,
        "started_us": 0, "ended_us": None, "model": "gpt-4o", "source": "otel",
    } | columns  # fmt: skip
    return Observation(row, role, own=False)


def below(nodes, span_id: str) -> set[str]:
    (node,) = [node for node in nodes if node.told.row["span_id"] == span_id]
    return {x.told.row["span_id"] for x in node.below}


def test_the_nearest_with_usage_lie_below_through_steps_without():
    tree = tree_of(
        [span("a", role="agent"), span("s", "a", "span"), span("b", "s"), span("c", "b")]
    )
    assert (below(tree, "a"), below(tree, "b"), below(tree, "c")) == ({"b"}, {"c"}, set())
    assert [node.told.row["span_id"] for node in tree] == ["c", "b", "a"]


def test_a_missing_parent_makes_a_root_and_so_does_what_lies_in_itself():
    tree = tree_of([span("a", "gone"), span("z", "z")])
    assert below(tree, "a") == below(tree, "z") == set()
    assert {node.depth for node in tree} == {0}


def test_a_circle_is_cut_where_it_started_first():
    circle = [span("x", "z", started_us=2), span("y", "x", started_us=1), span("z", "y")]
    tree = tree_of([*circle, span("tail", "x")])
    assert [node.told.row["span_id"] for node in tree] == ["tail", "y", "x", "z"]
    assert [below(tree, each) for each in "zxy"] == [{"x"}, {"y", "tail"}, set()]


def test_of_equals_in_a_circle_the_smallest_id_is_the_root():
    tree = tree_of([span("y", "x"), span("x", "y")])
    assert (below(tree, "x"), below(tree, "y")) == ({"y"}, set())


def test_a_telling_that_says_that_a_span_lies_in_itself_makes_no_circle():
    second = span("a", "b", source="langfuse", key=b"z" * 16)
    tree = tree_of([span("a"), span("b", "a"), second])
    assert {(node.told.key, node.depth) for node in tree} == {
        (b"a".ljust(16), 0),
        (b"b".ljust(16), 1),
        (b"z" * 16, 0),
    }


def test_a_chain_of_thirty_thousand_takes_no_time():
    tree = tree_of(
        span(f"{at:06}", f"{at - 1:06}" if at else "", started_us=at) for at in range(30_000)
    )
    assert [node.depth for node in tree] == list(reversed(range(30_000)))
    assert {len(node.below) for node in tree} == {0, 1}


def test_a_call_without_a_span_of_its_own_lies_under_its_parent():
    tree = tree_of([span("a", role="agent"), span("", "a", source="gateway", key=b"g" * 16)])
    assert len(tree[-1].below) == 1


def test_containment_takes_one_model_and_one_stretch_of_time():
    outer = span("a", ended_us=10_000_000)
    assert contains(outer, span("b", started_us=1, ended_us=9_000_000))
    assert contains(outer, span("b", ended_us=10_000_000 + SKEW_US))
    assert not contains(outer, span("b", ended_us=10_000_001 + SKEW_US))
    assert not contains(outer, span("b", started_us=-SKEW_US - 1))
    assert not contains(outer, span("b", model="gpt-4o-mini"))
    assert contains(outer, span("b", model="none"))


def test_what_is_left_is_told_by_class_where_the_classes_fit():
    stated = {"input_uncached": 100, "cache_read": 50, "output": 30}
    part = {"input_uncached": 60, "cache_read": 50, "output": 30}
    assert residual(stated, [part]) == {"input_uncached": 40}
    assert residual(stated, [part, {"input_uncached": 40}]) == {}


def test_where_classes_do_not_fit_the_rest_is_plain():
    stated = {"input_uncached": 150}
    assert residual(stated, [{"cache_read": 100}]) == {"input_uncached": 50}


@given(stated=TOKENS, beneath=st.lists(TOKENS, max_size=3))
def test_the_rest_is_exactly_what_is_stated_above(stated, beneath):
    taken, given_ = sums(residual(stated, beneath))
    under = [sums(tokens) for tokens in beneath]
    assert taken == max(0, sums(stated)[0] - sum(x[0] for x in under))
    assert given_ == max(0, sums(stated)[1] - sum(x[1] for x in under))
