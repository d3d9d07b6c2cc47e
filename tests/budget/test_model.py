"""Limits and notices, as data."""

from __future__ import annotations

from fractions import Fraction

from tallybook.budget.model import ACTS, REFUSALS, Limit
from tallybook.clock import Period

OCTOBER = Period.parse("2026-10")


def test_a_limit_is_named_by_what_it_is_of() -> None:
    assert Limit(scope="team", subject="support", period=OCTOBER, limit_nano=5).budget == (
        "team:support"
    )


def test_the_ceiling_is_the_limit_or_as_far_beyond_as_the_owner_let_calls_go() -> None:
    plain = Limit(scope="feature", subject="a", period=OCTOBER, limit_nano=100)
    beyond = Limit(scope="feature", subject="a", period=OCTOBER, limit_nano=100, up_to_nano=110)
    assert (plain.ceiling_nano, beyond.ceiling_nano) == (100, 110)


def test_a_limit_that_only_shows_refuses_nothing() -> None:
    shown = Limit(
        scope="feature", subject="a", period=OCTOBER, limit_nano=1, warn=(Fraction(1, 2),)
    )
    assert not shown.is_enforced
    assert set(ACTS) > REFUSALS
