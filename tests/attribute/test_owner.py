"""Who answers for a call: tags, rules, keys, services, the named unowned team, in this order."""

import pytest

from company import org
from tallybook.attribute.owner import carried_fields, epochs_us
from tallybook.attribute.path import Paths
from tallybook.clock import parse_instant

ORG = (
    org()
    + """
rules:
  - {when: {endpoint: /chat, labels.prompt: refund-*}, feature: bot, purpose: batch}
  - {when: {endpoint: /search}, team: b}
"""
)
MOVED = org().replace(
    "  - {id: bot, team: a, name: Bot}",
    "  - {id: bot, team: a, name: Bot, to: 2026-10-15}\n"
    "  - {id: bot, team: b, name: Bot, from: 2026-10-15}",
)  # fmt: skip


@pytest.fixture
def chart(found_company):
    def made(text):
        company = found_company(org=text)
        from tallybook.post.basis import latest_books  # noqa: PLC0415

        with company.store.read() as tx:
            return latest_books(tx)[0].org

    return made


def owner(chart, at="2026-10-03T00:00:00Z", **carried):
    blank = dict.fromkeys(carried_fields(chart), "")
    paths = Paths(chart, (parse_instant(at),))
    return paths.decision(*paths.alone({**blank, **carried}), 0).owner


@pytest.mark.parametrize(
    ("carried", "team", "feature", "purpose", "rule"),
    [
        ({"team": "a", "feature": "bot", "purpose": "production"}, "a", "bot", "production",
         "tag:feature"),
        ({"team": "b", "feature": "bot"}, "a", "bot", "untagged", "tag:feature"),
        ({"team": "a", "feature": "nonsense"}, "a", "", "untagged", "tag:team"),
        ({"endpoint": "/chat", "labels.prompt": "refund-7"}, "a", "bot", "batch", "rule:1"),
        ({"team": "a", "endpoint": "/chat", "labels.prompt": "refund-7"}, "a", "bot", "batch",
         "tag:team+rule:1"),
        ({"endpoint": "/search"}, "b", "", "untagged", "rule:2"),
        ({"key_id": "key-b"}, "b", "find", "production", "key:key-b"),
        ({"team": "b", "key_id": "key-b"}, "b", "find", "production", "tag:team+key:key-b"),
        ({"service": "retrieval"}, "b", "", "untagged", "service:retrieval"),
        ({"team": "strangers", "feature": "x", "key_id": "y"}, "platform", "", "untagged",
         "fallback"),
        ({}, "platform", "", "untagged", "fallback"),
        ({"team": "A"}, "platform", "", "untagged", "fallback"),
    ],
)  # fmt: skip
def test_the_first_that_names_a_team_decides(chart, carried, team, feature, purpose, rule):
    found = owner(chart(ORG), **carried)
    assert (found.team, found.feature, found.purpose, found.rule) == (team, feature, purpose, rule)
    assert found.is_fallback is (rule == "fallback")


def test_a_call_run_by_another_teams_service_is_a_transfer(chart):
    found = owner(chart(ORG), team="a", feature="bot", service="retrieval")
    assert (found.team, found.kind, found.service, found.executor) == (
        "a", "transfer", "retrieval", "b",
    )  # fmt: skip
    own = owner(chart(ORG), team="b", feature="find", service="retrieval")
    assert (own.team, own.kind, own.service) == ("b", "usage", "")


def test_a_moved_feature_belongs_to_whom_it_belonged_then(chart):
    moved = chart(MOVED)
    assert owner(moved, "2026-10-14T23:59:59Z", feature="bot").team == "a"
    assert owner(moved, "2026-10-15T00:00:00Z", feature="bot").team == "b"
    start, end = parse_instant("2026-10-01T00:00:00Z"), parse_instant("2026-11-01T00:00:00Z")
    assert epochs_us(moved, start, end) == (parse_instant("2026-10-15T00:00:00Z"),)
    assert epochs_us(moved, start, parse_instant("2026-10-15T00:00:00Z")) == ()
