"""Which form a file has, and the documented samples of all of them."""

import pytest

from report_files import CUR, FOCUS, OCTOBER, read, table
from tallybook.errors import InvoiceError


def test_the_documented_samples_read_in_the_right_unit(samples):
    (line,) = read(samples / "anthropic_cost_report.json").lines
    assert (line.own_pico, line.places) == (1_237_891_200_000, 7)
    assert (line.model, line.token_class, line.tier) == (
        "claude-opus-5",
        "input_uncached",
        "standard",
    )
    (cost,) = read(samples / "openai_costs.json").lines
    assert cost.own_pico == 60_000_000_000
    rows = read(samples / "aws_cur2_bedrock_rows.csv", window=OCTOBER).lines
    exact = [4_125_000, 330_000, 3_300_000, 16_500_000]  # pico per token
    assert [line.own_pico for line in rows[:4]] == [
        line.quantity * price for line, price in zip(rows, exact, strict=False)
    ]
    header = (samples / "azure_cost_details_mca_header.csv").read_text().strip().split(",")
    assert {"costInBillingCurrency", "meterName", "exchangeRatePricingToBilling"} <= set(header)


def test_what_no_form_knows_asks_for_a_mapping(tmp_path):
    with pytest.raises(InvoiceError, match="no form of cost report") as refused:
        read(table(tmp_path / "x.csv", {"a": "1", "b": "2"}))
    assert "--map" in refused.value.next_step


def test_two_forms_at_once_are_refused(tmp_path):
    with pytest.raises(InvoiceError, match="several forms"):
        read(table(tmp_path / "a.csv", CUR), table(tmp_path / "b.csv", FOCUS))
