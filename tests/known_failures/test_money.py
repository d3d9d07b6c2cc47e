"""Documented failures of others in rounding and splitting, by their exhibit numbers."""

from __future__ import annotations

from fractions import Fraction

from tallybook.money import (
    PICO_PER_NANO,
    apportion,
    cents_of_nano,
    cumulative_nano,
    format_units,
    parse_units,
)


def test_m01_odoo_analytic_split_of_182_25_over_98_and_2() -> None:
    """Rounded apart, the two parts became 182.26."""
    parts = apportion(parse_units("182.25", 2), [98, 2], ["plan-a", "plan-b"], "m1")
    assert [format_units(part, 2) for part in parts] in (["178.61", "3.64"], ["178.60", "3.65"])
    assert sum(parts) == parse_units("182.25", 2)


def test_m02_formance_zero_share() -> None:
    """The zero share got a unit of the remainder: 1/7/7."""
    parts = apportion(15, [Fraction(0), Fraction(1, 2), Fraction(1, 2)], ["a", "b", "c"], "m2")
    assert parts[0] == 0
    assert sorted(parts[1:]) == [7, 8]


def test_m03_formance_order_bias() -> None:
    """A fixed tie order gave the first of three 340,000 of a million; nobody may be favoured."""
    keys = ["first", "second", "third"]
    sums = [0, 0, 0]
    for pool in range(10_000):
        for place, part in enumerate(apportion(100, [1, 1, 1], keys, f"pool-{pool}")):
            sums[place] += part
    assert sum(sums) == 1_000_000
    assert all(abs(target - 333_333) < 250 for target in sums)


def test_m04_fava_daily_budget_of_100_in_january() -> None:
    """Thirty-one daily quotients gave 99.99999999999999999999999992."""
    days = [f"2026-01-{day:02}" for day in range(1, 32)]
    daily = apportion(parse_units("100.00", 9), [1] * 31, days, "budget 2026-01")
    assert format_units(sum(daily), 9) == "100.000000000"
    assert max(daily) - min(daily) == 1


def test_m09_erpnext_145_65_over_halves() -> None:
    """Both halves rounded the same way, so debit and credit differed."""
    parts = apportion(parse_units("145.65", 2), [50, 50], ["a", "b"], "m9")
    assert sorted(parts) == [72_82, 72_83]
    assert sum(parts) - parse_units("145.65", 2) == 0


def test_m12_rounding_per_call() -> None:
    """A thousand calls below a cent, rounded one by one: 437 cents instead of 452."""
    calls_nano = [6_000_000] * 437 + [3_371_226] * 563
    assert sum(cents_of_nano(nano) for nano in calls_nano) == 437
    posted = cumulative_nano([nano * PICO_PER_NANO for nano in calls_nano])
    assert cents_of_nano(sum(posted)) == 452


def test_alabama_paradox() -> None:
    """Largest remainder is not monotone: one unit more, and the smallest target gets one less.

    Only this is claimed: differences of either sign, posted per target, sum to the last split.
    """
    keys = ["a", "b", "c"]
    assert apportion(10, [6, 6, 2], keys, "alabama") == [4, 4, 2]
    assert apportion(11, [6, 6, 2], keys, "alabama") == [5, 5, 1]
    booked = [0, 0, 0]
    losses = 0
    for total in range(1, 300):
        target = apportion(total, [6, 6, 2], keys, "alabama")
        increments = [new - old for new, old in zip(target, booked, strict=True)]
        assert sum(increments) == 1
        losses += min(increments) < 0
        booked = [old + step for old, step in zip(booked, increments, strict=True)]
    assert booked == apportion(299, [6, 6, 2], keys, "alabama")
    assert losses > 0
