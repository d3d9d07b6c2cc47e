"""Joint cost goes to those who used what it serves, by equal parts, invocations or tokens."""

from __future__ import annotations

import pytest

from sim.oracle.test_payer import Event, call, charges, lived
from tallybook.sim.oracle.books import read_books
from tallybook.sim.oracle.joint import joint_terms
from tallybook.sim.oracle.owner import owner_of

JOINT = call("j", trace_id="j", service="index", feature="fb", purpose="batch")


def use(number: int, feature: str, tokens: int) -> Event:
    return call(f"u{number}", trace_id="", feature=feature, service="low",
                tokens={"output": tokens})  # fmt: skip


@pytest.mark.parametrize(("by", "paid"), [("equal", (6, 6)), ("calls", (8, 4)), ("tokens", (4, 8))])
def test_joint_cost_is_spread_over_those_who_used_it(by: str, paid: tuple[int, int]) -> None:
    uses = [use(1, "fa", 1), use(2, "fa", 2), use(3, "fc", 6)]
    found = charges(lived(JOINT, *uses, by=by))
    assert found == {"A:transfer": paid[0] + 3, "C:transfer": paid[1] + 6}


def test_what_the_joint_work_uses_itself_is_no_use() -> None:
    own = {**use(1, "fb", 5), "purpose": "batch"}
    assert charges(lived(JOINT, own, use(2, "fc", 6))) == {"B:usage": 5, "C:transfer": 18}


def test_what_nobody_used_its_owner_pays() -> None:
    assert charges(lived(JOINT)) == {"B:usage": 12}


def test_only_work_of_its_own_team_for_a_listed_purpose_is_joint() -> None:
    org = """
company: {timezone: UTC}
teams: [{id: A}, {id: B}]
services: [{id: index, team: B, joint: {purposes: [batch], by: equal}}]
unowned: {team: A}
"""
    texts = {"org": org, "policy": "versions: [{effective_from: 2026-01}]"}
    books = read_books(texts, "2026-10")
    told = {}
    for team, purpose in (("A", "batch"), ("B", "batch"), ("B", "production")):
        path = (call("1", service="index", team=team, purpose=purpose),)
        at = books.start
        told[team, purpose] = joint_terms(books, path, at, owner_of(books, path[0]))
    assert told == {
        ("A", "batch"): None,
        ("B", "batch"): {"purposes": ["batch"], "by": "equal", "users_of": "index",
                         "service": "index"},
        ("B", "production"): None,
    }  # fmt: skip
