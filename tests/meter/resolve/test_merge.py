"""One call out of several tellings: whole usage of one, tags of the first that states them."""

from __future__ import annotations

from itertools import permutations

from tallybook.meter.resolve.merge import merged
from told import observed


def test_usage_is_one_sources_word_whole():
    columns, taken = merged(
        [
            observed("otel", 1, cache_read=40, output=9),
            observed("gateway", 2, input_uncached=8, output=4, units={"web_search": 1}),
        ],
        {},
    )
    assert (columns["input_uncached"], columns["cache_read"], columns["output"]) == (8, None, 4)
    assert columns["units"] == [("web_search", 1)]
    assert taken["output"].source == "gateway"


def test_what_is_known_best_is_believed_first():
    columns, _ = merged(
        [observed("gateway", 1, state="estimated", output=9), observed("otel", 2, output=4)], {}
    )
    assert (columns["output"], columns["state"]) == (4, "reported")


def test_the_deeper_span_is_the_inner_one():
    outer, inner = observed("otel", 1, output=9), observed("otel", 2, output=4)
    columns, _ = merged([outer, inner], {outer.key: 0, inner.key: 2})
    assert columns["output"] == 4


def test_team_and_feature_come_together_other_tags_one_by_one():
    columns, _ = merged(
        [
            observed("gateway", 1, team="a", plan="pro"),
            observed("otel", 2, team="b", feature="bot", cohort="free", plan="basic"),
        ],
        {},
    )
    assert (columns["team"], columns["feature"]) == ("a", "")
    assert (columns["plan"], columns["cohort"]) == ("pro", "free")


def test_a_trace_is_told_best_by_the_tracer():
    columns, _ = merged(
        [
            observed("gateway", 1, trace_id="x", span_id="1"),
            observed("otel", 2, trace_id="t", span_id="2", parent_span_id="3"),
        ],
        {},
    )
    assert (columns["trace_id"], columns["span_id"], columns["parent_span_id"]) == ("t", "2", "3")


def test_labels_are_put_together_and_the_believed_one_wins():
    columns, _ = merged(
        [
            observed("gateway", 1, labels={"a": "1"}),
            observed("otel", 2, labels={"a": "2", "b": "3"}),
        ],
        {},
    )
    assert columns["labels"] == [("a", "1"), ("b", "3")]


def test_the_order_does_not_matter():
    three = [
        observed("otel", 1, output=1, team="x", started_us=5),
        observed("langfuse", 2, output=2, team="y", started_us=4),
        observed("sdk", 3, output=3, started_us=9),
    ]
    answers = [merged(order, {})[0] for order in permutations(three)]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["output"] == 3


def test_who_told_the_tags_is_kept_and_nobody_can_claim_to_have():
    forged = {"tags_from": "gateway"}
    gateway, spans = observed("gateway", 1), observed("otel", 2, team="b", labels=forged)
    assert merged([gateway, spans], {})[0]["labels"] == [("tags_from", "otel")]
    told = observed("gateway", 1, feature="bot")
    assert merged([told, spans], {})[0]["labels"] == [("tags_from", "gateway")]
    silent = observed("otel", 2, labels=forged)
    assert merged([gateway, silent], {})[0]["labels"] == []


def test_who_told_the_customer_is_kept_where_another_told_the_team():
    forged = {"tags_from.cohort": "gateway"}
    gateway = observed("gateway", 1, team="a", plan="pro")
    spans = observed("otel", 2, team="b", customer="c-1", labels=forged)
    told = [("tags_from", "gateway"), ("tags_from.customer", "otel")]
    assert merged([gateway, spans], {})[0]["labels"] == told
    silent = observed("gateway", 1, cohort="free")
    assert merged([silent, observed("otel", 2)], {})[0]["labels"] == [
        ("tags_from.cohort", "gateway")
    ]
