import pytest

from tallybook.report import figures


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, ""),
        (9_999, "9,999"),
        (10_000, "10.0 k"),
        (18_849, "18.8 k"),
        (999_949, "999.9 k"),
        (999_999, "1.0 M"),
        (91_200_000, "91.2 M"),
        (1_234_560_000, "1,234.6 M"),
    ],
)
def test_tokens_at_reading_length(number, text):
    assert figures.tokens(number) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (36, 1000, "3.6 %"),
        (-40, 1070, "-3.7 %"),
        (1, 0, ""),
        (50, -100, "-50.0 %"),
        (0, 5, "0.0 %"),
    ],
)
def test_percent_of_a_whole(part, whole, text):
    assert figures.percent(part, whole) == text


def test_days_movements_and_hashes():
    assert figures.day("2026-11-12") == "12 November 2026"
    assert figures.day("12 working days") == "12 working days"
    assert figures.month_before("2026-01") == "December 2025"
    assert (figures.signed_money(5), figures.signed_money(-5)) == ("+0.05", "-0.05")
    assert figures.signed_money(0) == "0.00"
    assert figures.short_hash("5c1e" + "0" * 60) == "5c1e0000.."
    assert figures.short_hash("short") == "short"
    assert figures.whole_percent(5, 0) == ""
