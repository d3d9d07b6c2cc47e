"""Who stands opposite to a line, and in which words."""

import sys
from pathlib import Path

import pytest

from tallybook.report.lines import transfer_key
from tallybook.report.sides import price_text, rule_words, side_words, sides_of

sys.path.insert(0, str(Path(__file__).parent))
from moved import owed, sheet, used

NAMES = {"a": "Support", "b": "Search", "c": "Ranking"}.get


def told(*lines, uses=()):
    """(role, team, service, rule) and the words of every line."""
    found = sides_of(sheet(*lines, uses=uses), {})
    return [
        (
            (side.counterpart.role, side.counterpart.team, side.counterpart.service,
             side.counterpart.rule),
            side_words(key, side, NAMES),
        )
        for key, side in found.items()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "counterpart", "words"),
    [
        (
            used("a", "b", rule="caller_pays", service="fetch"),
            ("caused", "b", "fetch", "caller_pays"),
            "Caused by you, run by Search: fetch (caller pays)",
        ),
        (
            used("a", "b", service="fetch"),
            ("caused", "b", "fetch", "caller_pays"),
            "Caused by you, run by Search: fetch (caller pays)",
        ),
        (
            used("a", "b", rule="split", service="fetch"),
            ("caused", "b", "fetch", "split"),
            "Caused by you, run by Search: fetch (split)",
        ),
        (
            used("b", "b", origin="a", rule="split", service="fetch"),
            ("paid_for", "a", "fetch", "split"),
            "Caused by Support, paid by you: fetch (split)",
        ),
        (
            used("b", "c", origin="a", rule="callee_absorbs", service="fetch"),
            ("paid_for", "a", "fetch", "callee_absorbs"),
            "Caused by Support, paid by you, run by Ranking: fetch (callee absorbs)",
        ),
        (
            used("a", "b", origin="b", rule="joint", service="index"),
            ("joint", "b", "index", "joint"),
            "Joint cost of Search: index",
        ),
    ],
)
def test_each_rule_has_its_other_side(line, counterpart, words):
    assert told(line) == [(counterpart, words)]


def test_what_a_team_caused_and_ran_itself_has_no_other_side():
    assert told(used("a", "a")) == []
    assert transfer_key(used("a", "a")) is None


def test_a_service_that_changed_hands_names_both():
    before, after = (used("a", team, rule="caller_pays", service="fetch") for team in "bc")
    ((counterpart, words),) = told(after, before)
    assert counterpart == ("caused", "b, c", "fetch", "caller_pays")
    assert words == "Caused by you, run by Search, Ranking: fetch (caller pays)"


def test_both_sides_of_a_price_name_each_other_and_the_price():
    assert told(uses=[owed("a", "b")]) == [
        (("owed", "b", "retrieval", "transfer_price"),
         "Owed to Search: retrieval, transfer price 6.00 a call"),
        (("earned", "a", "retrieval", "transfer_price"),
         "Earned from Support: retrieval, transfer price 6.00 a call"),
    ]  # fmt: skip
    per_outcome = [words for _, words in told(uses=[owed("a", "b", per="outcome")])]
    assert per_outcome[0] == "Owed to Search: retrieval, transfer price 6.00 an outcome"


def test_of_two_prices_none_is_named():
    changed = [owed("a", "b", price=6), owed("a", "b", price=7)]
    assert [words for _, words in told(uses=changed)] == [
        "Owed to Search: retrieval, transfer price",
        "Earned from Support: retrieval, transfer price",
    ]


@pytest.mark.parametrize(
    ("nano", "text"), [(6 * 10**9, "6.00"), (2_500_000, "0.0025"), (1, "0.000000001"), (0, "0.00")]
)
def test_a_price_keeps_its_places(nano, text):
    assert price_text(nano) == text


def test_rules_are_read_as_words():
    assert rule_words("callee_absorbs") == "callee absorbs"
