"""Parts of splits and joint cost, and what prices come to: nothing is lost, nothing appears."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tallybook.attribute.adding import added_together
from tallybook.attribute.model import AttributedLine, Attribution, Invocation, Joint, Owner, Payer
from tallybook.attribute.transfer import transferred
from tallybook.post.sheet import body_of, sums_of

BASE = Owner("a", "bot", "production", "usage", "", "b", "tag:feature")
LINE = AttributedLine("X", BASE, "reported", False, 3, 10, 7, 7, 7, {"searches": 2})
JOINT = Joint("indexer", "b", ("batch",), "retrieval", "calls")
USE = Invocation("retrieval", "b", "a", "bot", "production", (), 0, "", 1, 1, 9)

payers = st.lists(
    st.builds(
        Payer,
        team=st.sampled_from("abc"),
        feature=st.sampled_from(("", "f")),
        service=st.sampled_from(("s", "t")),
        transfer=st.just("split"),
        weight=st.integers(1, 40),
    ),
    max_size=4,
    unique_by=lambda payer: (payer.team, payer.feature, payer.service),
)
lines = st.builds(
    replace,
    st.just(LINE),
    owner=st.builds(replace, st.just(BASE), team=st.sampled_from("ab")),
    calls=st.integers(1, 9),
    tokens=st.integers(0, 10**6),
    list_pico=st.integers(0, 10**13),
    contract_pico=st.integers(0, 10**13),
    card_pico=st.integers(0, 10**13),
    payers=payers.map(tuple),
    joint=st.sampled_from((None, None, JOINT)),
)
uses = st.builds(
    replace,
    st.just(USE),
    origin=st.sampled_from("abc"),
    calls=st.integers(1, 9),
    payers=payers.filter(bool).map(tuple),
    price_nano=st.integers(1, 10**10),
    per=st.sampled_from(("call", "outcome")),
)
months = st.builds(
    lambda held, invoked: added_together([(1, Attribution(tuple(held), tuple(invoked)))]),
    st.lists(lines, max_size=5),
    st.lists(uses, max_size=4),
)


def figures(held):
    names = ("calls", "tokens", "list_pico", "contract_pico", "card_pico")
    found = {name: sum(getattr(line, name) for line in held) for name in names}
    return found | {"searches": sum(line.units.get("searches", 0) for line in held)}


@given(months)
def test_the_parts_add_up_to_the_whole_in_every_figure(sums):
    made = transferred(sums)
    assert figures(made.lines) == figures(sums.lines)
    assert not any(line.payers or line.joint for line in made.lines)
    keys = [(line.provider, line.owner, line.state, line.unpriced) for line in made.lines]
    assert len(set(keys)) == len(keys)
    for by in ("executor",):
        whole, parts = ({}, {})
        for held, of in ((whole, sums.lines), (parts, made.lines)):
            for line in of:
                name = getattr(line.owner, by)
                held[name] = held.get(name, 0) + line.contract_pico
        assert whole == parts


@given(months)
def test_a_price_is_owed_by_everyone_but_the_services_own_team(sums):
    owed = sum(use.amount_nano for use in transferred(sums).uses)
    whole = sum(
        one.price_nano * (one.calls if one.per == "call" else one.outcomes)
        for one in sums.invocations
    )
    foreign = all(payer.team != "b" for one in sums.invocations for payer in one.payers)
    assert owed == whole if foreign else owed <= whole
    assert all(use.team != use.executor for use in transferred(sums).uses)


@given(months, months)
def test_months_add_up_and_take_off(one, other):
    both = added_together([(1, one), (1, other)])
    assert added_together([(1, both), (-1, other)]) == one
    assert sums_of(body_of(both)) == both


def joint(**changes):
    line = replace(LINE, owner=replace(BASE, team="b", feature="find"), joint=JOINT)
    return Attribution((line,), tuple(replace(USE, **change) for change in changes["uses"]))


def shares(sums):
    return {line.owner.team: line.contract_pico for line in transferred(sums).lines}


def test_joint_cost_is_spread_over_who_used_the_service():
    three = {"origin": "a", "calls": 3}, {"origin": "c", "calls": 1}
    assert shares(joint(uses=three)) == {"a": 5, "c": 2}
    (first, _) = transferred(joint(uses=three)).lines
    assert (first.owner.kind, first.owner.transfer, first.owner.service) == (
        "transfer", "joint", "indexer",
    )  # fmt: skip
    assert first.owner.started_by == ("b", "find")


def test_what_the_joint_calls_invoke_is_no_use_and_unused_cost_is_the_owners():
    own = {"origin": "b", "purpose": "batch"}
    assert shares(joint(uses=(own, {"origin": "a"}))) == {"a": 7}
    assert shares(joint(uses=(own,))) == {"b": 7}


def test_a_sheet_from_before_transfers_is_still_read():
    old = (
        '[["X","a","bot","production","usage","","a","tag:feature","reported",false,1,2,3,4,5,{}]]'
    )
    (line,) = sums_of(old).lines
    assert (line.owner.origin, line.owner.transfer, line.payers, line.joint) == ("", "", (), None)
    assert body_of(sums_of(old)) == old
