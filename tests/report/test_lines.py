"""Which line a posting and its usage stand on, and the ids that lines keep."""

import sys
from pathlib import Path

import pytest

from tallybook.books.model import TeamPolicy
from tallybook.ledger.model import Posting
from tallybook.report.lines import (
    LineKey,
    Terms,
    line_figures,
    line_id,
    line_key,
    price_keys,
    usage_key,
)

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "allocate"))
import worked_example as law
from moved import UNIT, owed, sheet, used


def posted(account, **fields):
    return Posting(account, UNIT, service_period="2026-10", **fields).key


def terms(model="real_cost", committed=()):
    return Terms(law.policy(TeamPolicy(model)), "platform", frozenset(committed))


def test_a_line_that_is_about_no_other_rule_keeps_the_id_that_it_had():
    key = LineKey("a", "bot", "production", "transfer", "fetch")
    assert line_id("2026-10", key) == "L-2026-10-89f107850c1c"
    assert line_id("2026-10", key._replace(about="split")) != line_id("2026-10", key)


@pytest.mark.parametrize(
    ("kind", "service", "detail", "place"),
    [
        ("usage", "", "", ("usage", "", "")),
        ("usage", "", "overrun", ("usage", "overrun", "")),
        ("transfer", "fetch", "", ("transfer", "fetch", "")),
        ("transfer", "fetch", "split", ("transfer", "fetch", "split")),
        ("transfer", "fetch", "owed to b", ("transfer", "fetch", "owed to b")),
        ("usage", "fetch", "paid for b: split", ("usage", "fetch", "paid for b: split")),
        ("usage", "fetch", "joint", ("usage", "fetch", "joint")),
        ("pool", "", "gateway", ("pool", "gateway", "")),
    ],
)
def test_a_posting_stands_on_the_line_of_its_words(kind, service, detail, place):
    key = posted(f"Charge:a:{kind}", team="a", kind=kind, service=service, detail=detail)
    assert line_key(key)[3:] == place


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (used("a", "a", service="own", feature="bot"), ("usage", "", "")),
        (used("a", "b", rule="caller_pays", service="fetch"), ("transfer", "fetch", "")),
        (used("b", "b", origin="a", rule="transfer_price", service="fetch"),
         ("usage", "fetch", "paid for a: transfer_price")),
    ],
)  # fmt: skip
def test_usage_stands_on_the_line_that_its_charge_posts_to(line, place):
    assert usage_key(line, terms())[3:] == place
    assert usage_key(line, terms("proportional"))[3:] == ("usage", "", "")


def test_only_what_burns_a_commitment_is_merged():
    line = used("a", "b", rule="caller_pays", service="fetch", feature="bot")
    assert usage_key(line, terms(committed=[("a", "bot")])).kind == "usage"
    assert usage_key(line, terms(committed=[("a", "other")])).kind == "transfer"


def test_a_price_has_a_line_on_both_sides_with_its_invocations():
    use = owed("a", "b")
    both = price_keys(use, {("retrieval", "b"): "find"})
    assert [(key.team, key.feature, key.about) for key in both] == [
        ("a", "", "owed to b"), ("b", "find", "earned from a"),
    ]  # fmt: skip
    found = line_figures({}, sheet(uses=[use]), terms(), {("retrieval", "b"): "find"})
    assert {key: figures.calls for key, figures in found.items()} == dict.fromkeys(both, 20)


def test_the_central_team_has_no_line_of_what_it_owes():
    found = line_figures({}, sheet(uses=[owed("platform", "b")]), terms(), {})
    assert [key.team for key in found] == ["b"]
