"""Real and documented billing samples: what must come out of them, to the last digit."""

from tallybook.reconcile.model import VarianceKind as V

PICO = 10**12
DAY = {day: f"2025-10-{day:02}" for day in range(1, 32)}


def by_day(result):
    """Day, kind and cause of each item with its amount as decimal text."""
    from tallybook.reconcile.classify import day_text  # noqa: PLC0415
    from tallybook.reconcile.read.told import in_units  # noqa: PLC0415

    return sorted(
        (day_text(item.day_us), str(item.kind), item.cause, in_units(item.amount_pico))
        for variance in result.variances
        for item in variance.items
    )


def test_the_real_pair_of_the_openai_dashboard(books, samples):
    books.usage_export(samples / "openai_dashboard_usage_2025-10.tsv")
    (taken,) = books.take("openai", samples / "openai_dashboard_cost_2025-10.tsv")
    assert (taken.became, taken.period, taken.lines) == ("new", "2025-10", 6)
    result = books.provider("openai", "2025-10")
    # 7, 10 and 11 October agree to the last digit: nothing of them is in a variance.
    assert result.matched_lines == 3
    assert by_day(result) == [
        ("2025-10-05", "timing", "day", "0.2540715"),
        ("2025-10-05", "volume", "outside_gateway", "0.3945425"),
        ("2025-10-06", "timing", "day", "-0.2540715"),
        ("2025-10-08", "volume", "outside_gateway", "0.5455665"),
    ]
    assert result.invoiced_pico == 2_985_953_750_000
    assert result.metered_pico == result.invoiced_pico - 940_109_000_000
    assert result.of_kind(V.TIMING) == 0
    assert result.of_kind(V.VOLUME) == 940_109_000_000
