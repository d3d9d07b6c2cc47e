"""What a path carries: the first that is named, the rules of boundaries from the call upward."""

from fractions import Fraction

import pytest

from tallybook.attribute.chain import NOWHERE, Chain, Origin
from tallybook.books.model import ALWAYS, JointUse, Service


def service(name, team, transfer="caller_pays", callee=0, caller=0, **more):
    return Service(
        name, name, team, transfer, ALWAYS, callee_weight=callee, caller_weight=caller, **more
    )


HIGH = service("high", "c", "split", 2, 1)
LOW = service("low", "b", "split", 1, 3)
PLAIN = service("plain", "b")
ABSORBS = service("absorbs", "c", "callee_absorbs", feature="f")
PRICED = service("priced", "b", "transfer_price", price_nano=1, per="call")


def path(*services):
    chain = Chain()
    for one in services:
        chain = chain.then(one)
    return chain


def parts(chain, team="a"):
    payers = chain.paid_by(team, "bot")
    whole = sum(payer.weight for payer in payers)
    return {payer.team: Fraction(payer.weight, whole) for payer in payers}


@pytest.mark.parametrize(
    ("services", "found"),
    [
        ((), {"a": 1}),
        ((PLAIN,), {"a": 1}),
        ((HIGH, LOW), {"b": Fraction(1, 4), "c": Fraction(1, 2), "a": Fraction(1, 4)}),
        ((ABSORBS, PRICED), {"b": 1}),
        ((ABSORBS, PLAIN), {"c": 1}),
        ((ABSORBS, LOW), {"b": Fraction(1, 4), "c": Fraction(3, 4)}),
        ((PLAIN, ABSORBS), {"c": 1}),
        ((LOW, None, LOW), {"b": Fraction(1, 4), "a": Fraction(3, 4)}),
    ],
)
def test_each_boundary_asks_its_rule_and_the_rest_goes_on_above(services, found):
    assert parts(path(*services)) == found


def test_a_boundary_within_one_team_passes_on():
    assert parts(path(HIGH), team="c") == {"c": 1}
    assert parts(path(ABSORBS, service("own", "c", "callee_absorbs"))) == {"c": 1}


def test_a_payer_says_through_which_boundary_it_pays():
    (payer,) = path(PLAIN).paid_by("a", "bot")
    assert (payer.service, payer.transfer, payer.feature) == ("plain", "caller_pays", "bot")
    (payer,) = path(ABSORBS, PLAIN).paid_by("a", "bot")
    assert (payer.service, payer.transfer, payer.feature) == ("absorbs", "callee_absorbs", "f")


def test_consecutive_nodes_of_one_service_are_one_invocation():
    assert path(LOW, LOW) == path(LOW)
    assert not path(LOW, None).is_invoked(LOW)
    assert path(LOW, PLAIN).is_invoked(LOW)


def test_the_outermost_that_is_named_is_the_origin():
    first, second = Origin("tag:team", "a", "", "", "batch"), Origin("key:k", "b", "", "x", "x")
    assert NOWHERE.then(first).then(second).team == "a"
    assert NOWHERE.then(Origin(outer="batch")).then(second).purpose == "x"
    assert NOWHERE.then(Origin(outer="batch")).then(second).outer == "batch"
    assert not NOWHERE.then(Origin("tag:team", "a")).is_settled
    assert NOWHERE.then(first).is_settled


def test_joint_are_only_the_teams_own_calls_of_a_purpose():
    indexer = service("indexer", "b", joint=JointUse(("batch",), "plain", "calls"))
    assert path(indexer).joint("b", "batch").users_of == "plain"
    assert path(indexer).joint("b", "production") is None
    assert path(indexer).joint("a", "batch") is None
    assert path(indexer, PLAIN).joint("b", "batch") is None
