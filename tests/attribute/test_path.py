"""Paths by number: a step is decided once, whatever the chart says at whichever instant."""

from dataclasses import replace

from attribute.test_walk import ORG
from tallybook.attribute.owner import carried_fields
from tallybook.attribute.path import ROOT, Paths, counts_uses
from tallybook.books.model import Feature, Span

BLANK = dict.fromkeys(carried_fields(ORG), "")


def test_the_same_step_has_the_same_number():
    paths = Paths(ORG, (0,))
    said, service = paths.node({**BLANK, "team": "a", "service": "plain"})
    assert paths.node({**BLANK, "team": "a", "service": "plain"}) == (said, service)
    assert paths.node(BLANK) == (ROOT, ROOT)
    assert paths.origin(ROOT, said) == paths.origin(paths.origin(ROOT, said), ROOT)
    assert paths.chain(ROOT, service) == paths.chain(paths.chain(ROOT, service), service)


def test_a_lone_call_owes_the_price_of_its_service():
    paths = Paths(ORG, (0,))
    said, service = paths.node({**BLANK, "team": "a", "service": "priced"})
    one = paths.invocation(paths.origin(ROOT, said), ROOT, service, 0)
    assert one is not None
    assert (one.origin, one.executor, one.per, one.price_nano) == ("a", "d", "outcome", 6 * 10**9)
    assert paths.counted_services() == [service]


def test_a_service_that_nobody_else_calls_owes_nothing():
    paths = Paths(ORG, (0,))
    said, service = paths.node({**BLANK, "service": "priced"})
    assert paths.invocation(paths.origin(ROOT, said), ROOT, service, 0) is None


def test_ends_that_mean_the_same_have_one_number():
    paths = Paths(ORG, (0, 1))
    said, _ = paths.node({**BLANK, "team": "a"})
    _, service = paths.node({**BLANK, "service": "priced"})
    origin, chain = paths.origin(ROOT, said), paths.chain(ROOT, service)
    lone = paths.end(origin, ROOT, 0)
    # Nothing changes from the first chart to the second.
    assert [paths.end(origin, ROOT, 1), paths.end(origin, chain, 1)] == [lone, lone + 1]
    assert paths.end(origin, chain, 0) == lone + 1
    assert paths.ends == [(origin, ROOT, 0), (origin, chain, 0)]
    assert paths.decisions == [paths.decision(*end) for end in paths.ends]


def test_ends_have_a_number_each_where_the_chart_changes_what_they_mean():
    moved = replace(
        ORG,
        features=(
            Feature("f", "a", "F", Span(-(10**18), 1)),
            Feature("f", "b", "F", Span(1, 10**18)),
        ),
    )
    paths = Paths(moved, (0, 1))
    said, _ = paths.node({**BLANK, "feature": "f"})
    ends = [paths.end(paths.origin(ROOT, said), ROOT, epoch) for epoch in (0, 1)]
    assert [paths.decisions[at].owner.team for at in ends] == ["a", "b"]


def test_uses_are_counted_where_a_price_or_joint_cost_asks_for_them():
    assert counts_uses(ORG)
