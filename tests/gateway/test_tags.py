"""Whose call it is."""

from __future__ import annotations

import pytest

from gateway.running import key
from tallybook.gateway.model import Refusal, TagPolicy
from tallybook.gateway.tags import claimed, owned, trace_of

STRICT = TagPolicy()


def test_headers_and_baggage_say_whose_call_it_is_and_headers_win():
    baggage = b"chargeback.team=growth;p=1, chargeback.label.region=em%20ea,other=1, chargeback.cohort=free"
    tags = claimed(
        [(b"team", b"support"), (b"prompt-version", b"refund@14"), (b"label-tier", b"gold"),
         (b"evaluation-run", b"r1"), (b"colour", b"blue")],
        baggage,
    )  # fmt: skip
    assert tags == {
        "team": "support",
        "prompt_version": "refund@14",
        "evaluation_run": "r1",
        "cohort": "free",
        "labels.region": "em ea",
        "labels.tier": "gold",
        "labels.colour": "blue",
    }


@pytest.mark.parametrize(
    "told",
    [
        [(b"team", b"a"), (b"team", b"b")],
        [(b"team", b"")],
        [(b"team", b"x" * 257)],
        [(b"team", b"a\tb")],
        [(b"team", b"\xff")],
        [(b"purpose", b"fun")],
        [(b"label-%d" % n, b"x") for n in range(60)],
    ],
)
def test_tags_that_cannot_be_used_are_refused(told):
    refusal = claimed(told, b"")
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code) == (400, "tags_invalid")


def test_a_key_fills_in_and_bounds_what_is_claimed():
    bound = key(features=("refund-*", "faq"))
    assert owned({"feature": "refund-bot"}, bound, STRICT) == {
        "team": "support",
        "feature": "refund-bot",
        "purpose": "production",
    }
    for tags, code in (
        ({"team": "growth", "feature": "faq"}, "team_not_allowed"),
        ({"feature": "other"}, "feature_not_allowed"),
        ({"feature": "faq", "purpose": "training"}, "purpose_not_allowed"),
        ({}, "untagged"),
    ):
        refusal = owned(tags, bound, STRICT)
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code) == (403, code)
    free = key(teams=(), features=(), purposes=())
    assert owned({"team": "any", "feature": "thing"}, free, STRICT) == {
        "team": "any",
        "feature": "thing",
    }


def test_an_untagged_call_is_refused_or_admitted_as_its_key_says():
    free = key(teams=(), features=(), purposes=())
    assert isinstance(owned({}, free, STRICT), Refusal)
    assert owned({}, free, TagPolicy(untagged="admit")) == {"labels.untagged": "true"}
    lenient = key(teams=("a",), features=(), purposes=(), untagged="admit")
    assert owned({}, lenient, STRICT) == {"team": "a", "labels.untagged": "true"}
    strict = key(teams=(), features=(), purposes=(), untagged="refuse")
    assert isinstance(owned({}, strict, TagPolicy(untagged="admit")), Refusal)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        (b"00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
        (b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
        (b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", False),
        (b"00-4bf92f-00f067aa0ba902b7-01", False),
        (b"", False),
    ],
)
def test_a_trace_is_taken_only_as_it_is_specified(told, found):
    assert trace_of(told) == (
        {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "parent_span_id": "00f067aa0ba902b7"}
        if found
        else {}
    )
