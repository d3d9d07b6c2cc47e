"""The causes of a subsidy: each isolated, and their sum exact on random usage."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallybook.allocate.model import CostCell
from tallybook.allocate.models import proportional
from tallybook.allocate.subsidy import NO_CLASS, Causes, ClassUsage, base_model, subsidies

sys.path.insert(0, str(Path(__file__).parent))
import worked_example as law

PICO = 10**12


def use(team, model, token_class, tokens, unit_price, **more):
    """Usage at a price in whole units per token."""
    known = {"provider": "X", "tier": "standard", "region": "", "card": 0, **more}
    return ClassUsage(
        team=team,
        model=model,
        token_class=token_class,
        tokens=tokens,
        card_pico=unit_price * max(tokens, 1) * PICO,
        **known,
    )


def month_of(usage):
    tokens, picos = defaultdict(int), defaultdict(int)
    for each in usage:
        tokens[each.team] += each.tokens
        picos[each.team] += each.card_pico
    found = tuple(
        CostCell(
            "X", team, "", "production", "usage", "", team, False, 1, tokens[team], picos[team],
            (picos[team] + 500) // 1000, 0,
        )
        for team in sorted(tokens)
    )  # fmt: skip
    return replace(law.month("mixed"), cells=found, teams=("A", "B", "C", "platform"))


def causes(*usage):
    return subsidies(month_of(usage), usage)


def units(model_price=0, fine_tuning=0, mix=0, cache=0):
    return Causes(*(Fraction(x * law.UNIT) for x in (model_price, fine_tuning, mix, cache)))


def mirrored(one, other, expected):
    found = causes(one, other)
    assert found == {
        "A": expected,
        "B": Causes(
            -expected.model_price,
            -expected.fine_tuning,
            -expected.input_output_mix,
            -expected.cache,
        ),
    }


def test_a_dear_model_is_subsidised_by_a_cheap_one():
    mirrored(use("A", "large", "output", 100, 9), use("B", "small", "output", 100, 1), units(-400))


def test_a_fine_tuned_model_is_not_a_dearer_model():
    mirrored(
        use("A", "ft:small:acme::1", "output", 100, 9),
        use("B", "small", "output", 100, 1),
        units(fine_tuning=-400),
    )


def test_output_is_subsidised_by_input():
    mirrored(
        use("A", "small", "output", 100, 9),
        use("B", "small", "input_uncached", 100, 1),
        units(mix=-400),
    )


def test_whoever_caches_subsidises_whoever_does_not():
    mirrored(
        use("A", "small", "input_uncached", 100, 9),
        use("B", "small", "cache_read", 100, 1),
        units(cache=-400),
    )


def test_batch_prices_are_prices_and_not_a_cache_effect():
    mirrored(
        use("A", "small", "output", 100, 9),
        use("B", "small", "output", 100, 1, tier="batch"),
        units(-400),
    )
    mirrored(
        use("A", "small", "output", 100, 9, card=1),
        use("B", "small", "output", 100, 1),
        units(-400),
    )


def test_what_has_no_tokens_belongs_to_the_mix():
    found = causes(
        use("A", "small", NO_CLASS, 0, 800),
        use("A", "small", "output", 100, 1),
        use("B", "small", "output", 100, 1),
    )
    assert found == {"A": units(mix=-400), "B": units(mix=400)}
    in_two_parts = causes(
        use("A", "small", NO_CLASS, 0, 300),
        use("A", "small", NO_CLASS, 0, 500),
        use("A", "small", NO_CLASS, 0, 0),
        use("A", "small", "output", 100, 1),
        use("B", "small", "output", 100, 1),
    )
    assert in_two_parts == found


def test_without_tokens_there_is_nothing_to_split_by():
    assert causes(use("A", "small", NO_CLASS, 0, 800)) == {}


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "gpt-4o-mini-2024-07-18"),
        ("davinci:ft-acme-2023-01-02", "davinci"),
        ("draft:small", "draft:small"),
    ],
)
def test_base_model(model, base):
    assert base_model(model) == base


usages = st.lists(
    st.builds(
        ClassUsage,
        team=st.sampled_from("ABC"),
        provider=st.sampled_from("XY"),
        model=st.sampled_from(["large", "small", "ft:small:acme", "small:ft-acme"]),
        tier=st.sampled_from(["standard", "batch"]),
        region=st.just(""),
        card=st.integers(0, 1),
        token_class=st.sampled_from(
            ["input_uncached", "cache_read", "output", "audio_input", NO_CLASS]
        ),
        tokens=st.integers(0, 10**9),
        card_pico=st.integers(0, 10**18),
    ).map(lambda x: x if x.token_class else replace(x, tokens=0)),
    max_size=12,
)


@settings(deadline=None)
@given(usages)
def test_causes_add_up_to_the_subsidy_as_posted(usage):
    month = month_of(usage)
    found = subsidies(month, usage)
    alone = replace(month, policy=law.POLICIES["proportional"])
    posted = defaultdict(int)
    for line in proportional.charge(alone, ()):
        if line.account.startswith("Charge:"):
            posted[line.team] += line.amount_nano
    for cell in month.cells:
        posted[cell.team] -= cell.card_nano
    if any(each.tokens for each in usage):
        assert {team: each.total for team, each in found.items()} == dict(posted)
        assert sum(each.total for each in found.values()) == 0
        tuned = any(base_model(each.model) != each.model for each in usage)
        assert tuned or not any(each.fine_tuning for each in found.values())
    else:
        assert found == {}


def test_usage_that_is_not_the_month_s_is_refused():
    usage = (use("A", "small", "output", 100, 9), use("B", "small", "output", 100, 1))
    other = (use("A", "small", "output", 100, 9), use("B", "small", "output", 100, 2))
    with pytest.raises(AssertionError, match="not the month's usage"):
        subsidies(month_of(other), usage)


def test_a_token_of_a_split_may_stand_with_another_payer_by_class():
    """Found by the demo: whole tokens were apportioned by class here, all together in the month."""
    lines = (use("A", "small", "output", 100, 9), use("B", "small", "output", 100, 1))
    parts = (use("A", "small", "output", 101, 9), use("B", "small", "output", 99, 1))
    month = month_of(lines)
    found = subsidies(month, parts)
    assert {team: each.total for team, each in found.items()} == {
        team: each.total for team, each in subsidies(month, lines).items()
    }
    far = (use("A", "small", "output", 103, 9), use("B", "small", "output", 97, 1))
    with pytest.raises(AssertionError, match="not the month's tokens"):
        subsidies(month, far)
