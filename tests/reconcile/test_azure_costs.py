"""Azure: units of 1K and 1M, the rate on the row."""

from report_files import read, table
from tallybook.reconcile.model import DAY_US, LineKind
from tallybook.reconcile.read import azure_costs

AZURE = {
    "invoiceId": "G1", "billingAccountId": "b", "date": "10/03/2026", "chargeType": "Usage",
    "meterName": "gpt-4o-0806-Inp-glbl Tokens", "meterCategory": "Foundry Models",
    "consumedService": "Microsoft.CognitiveServices", "quantity": "12.5", "unitOfMeasure": "1M",
    "costInBillingCurrency": "28.75", "billingCurrency": "EUR", "pricingCurrency": "USD",
    "costInPricingCurrency": "31.25", "exchangeRatePricingToBilling": "0.92",
    "exchangeRateDate": "2026-10-01",
}  # fmt: skip


def test_azure_mixes_thousands_and_millions_and_has_its_own_rate(tmp_path):
    thousand = {**AZURE, "unitOfMeasure": "1K", "meterName": "gpt-4o-0806-Outp-glbl Tokens",
                "quantity": "2000"}  # fmt: skip
    told = read(
        table(
            tmp_path / "azure.csv", AZURE, thousand, {**AZURE, "chargeType": "RoundingAdjustment"}
        )
    )
    assert [(x.quantity, x.token_class) for x in told.lines[:2]] == [
        (12_500_000, "input_uncached"), (2_000_000, "output"),
    ]  # fmt: skip
    first = told.lines[0]
    assert (first.own_pico, first.currency) == (28_750_000_000_000, "EUR")
    assert (first.priced_pico, first.priced_currency) == (31_250_000_000_000, "USD")
    assert (first.rate, first.rate_date, first.model) == ("0.92", "2026-10-01", "gpt-4o-0806")
    assert told.lines[2].kind is LineKind.ROUNDING
    assert first.end_us - first.start_us == DAY_US


def test_its_columns_say_what_it_is(samples):
    header = (samples / "azure_cost_details_mca_header.csv").read_text().strip().lower().split(",")
    assert azure_costs.is_export(dict.fromkeys(header, ""))
    assert not azure_costs.is_export({"cost": ""})
