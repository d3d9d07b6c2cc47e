"""Paths by number: a step is decided once, whatever the chart says at whichever instant."""

from attribute.test_walk import ORG
from tallybook.attribute.owner import carried_fields
from tallybook.attribute.path import ROOT, Paths, counts_uses

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


def test_uses_are_counted_where_a_price_or_joint_cost_asks_for_them():
    assert counts_uses(ORG)
