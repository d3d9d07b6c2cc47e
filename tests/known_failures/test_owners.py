"""Documented failures of others in finding who answers for a call, by their exhibit numbers."""

from __future__ import annotations

from company import usage
from tallybook.post.sheet import latest_sheet

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: north, name: North}, {id: south, name: South}, {id: core, name: Core}]
teams:
  - {id: a, unit: north}
  - {id: b, unit: south}
  - {id: c, unit: south}
  - {id: platform, unit: core}
features:
  - {id: bot, team: a}
  - {id: find, team: b}
services:
  - {id: retrieval, team: c}
keys:
  - {id: key-a, team: a}
  - {id: key-bot, team: a, feature: bot}
  - {id: key-find, feature: find}
rules:
  - {when: {endpoint: "/find/*"}, team: b, feature: find}
  - {when: {endpoint: "/find/c"}, team: c}
unowned: {team: platform}
"""
# What a call carries, and the unit, team and feature that answer for it.
TABLE: list[tuple[dict[str, str], tuple[str, str, str]]] = [
    ({"team": "a", "feature": "bot"}, ("north", "a", "bot")),
    ({"feature": "bot"}, ("north", "a", "bot")),
    ({"team": "b", "feature": "bot"}, ("north", "a", "bot")),  # the feature's team answers
    ({"team": "a"}, ("north", "a", "")),
    ({"team": "a", "feature": "gone"}, ("north", "a", "")),
    ({"team": "a", "key_id": "key-bot"}, ("north", "a", "bot")),
    ({"team": "b", "key_id": "key-bot"}, ("south", "b", "")),  # another team's key says nothing
    ({"team": "gone", "key_id": "key-a"}, ("north", "a", "")),
    ({"feature": "find", "key_id": "key-bot"}, ("south", "b", "find")),
    ({"key_id": "key-bot"}, ("north", "a", "bot")),
    ({"key_id": "key-find"}, ("south", "b", "find")),
    ({"endpoint": "/find/x"}, ("south", "b", "find")),
    ({"endpoint": "/find/c"}, ("south", "b", "find")),  # the first rule that matches
    ({"endpoint": "/find/x", "key_id": "key-bot"}, ("south", "b", "find")),
    ({"endpoint": "/find/x", "team": "c"}, ("south", "c", "")),
    ({"service": "retrieval"}, ("south", "c", "")),
    ({"service": "retrieval", "key_id": "key-a"}, ("north", "a", "")),
    ({"service": "retrieval", "feature": "find"}, ("south", "b", "find")),
    ({"key_id": "gone"}, ("core", "platform", "")),
    ({}, ("core", "platform", "")),
]


def test_a14_one_rule_says_who_answers_on_every_level(found_company):
    """LiteLLM #11962, #27394, #17054, #35076: which level counted depended on the kind of the key.

    Every mix of tag, rule, key and service. Ours: one order, on every path; each call stands under
    exactly one feature, team and unit, and each level adds up to the one above.
    """
    company = found_company(org=ORG)
    blank = {"team": None, "feature": None}
    company.ingest(
        *(
            usage(f"e-{n}", tokens={"output": 2**n}, **{**blank, **carried})
            for n, (carried, _) in enumerate(TABLE)
        )
    )
    company.run()
    with company.store.read() as tx:
        lines = latest_sheet(tx, "2026-10").lines
    units = {"a": "north", "b": "south", "c": "south", "platform": "core"}
    found = {}
    for line in lines:
        place = (units[line.owner.team], line.owner.team, line.owner.feature)
        for n in range(len(TABLE)):
            if line.tokens & 2**n:
                assert n not in found
                found[n] = place
    for n, (carried, expected) in enumerate(TABLE):
        assert found[n] == expected, carried
    assert sum(line.tokens for line in lines) == 2 ** len(TABLE) - 1

    issue = company.statements()
    assert {each.team: each.unit for each in issue.statements} == {
        team: unit for team, unit in units.items() if team != "platform"
    }
    for each in issue.statements:
        mine = [line for line in lines if line.owner.team == each.team]
        assert sum(line.quantity.calls for line in each.lines) == sum(x.calls for x in mine)
    assert issue.unallocated.calls == 2
