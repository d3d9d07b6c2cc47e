"""Each form of report: units, currencies, kinds, days; and what cannot be read is refused whole."""

import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tallybook.errors import InvoiceError
from tallybook.reconcile.model import DAY_US, LineKind
from tallybook.reconcile.read.plain_map import load_map
from tallybook.reconcile.read.registry import read_files
from tallybook.reconcile.read.told import Ask, instant_of, quantity_of, unit_factor

OCTOBER = (1_790_812_800_000_000, 1_793_491_200_000_000)


def read(*paths, provider="x", window=None, mapping=None):
    return read_files(list(paths), Ask(provider, window), mapping)


def table(path, *rows, delimiter=","):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def brief(told):
    return [
        (str(x.kind), x.model, x.token_class, x.tier, x.quantity, x.own_pico, x.currency)
        for x in told.lines
    ]


CUR = {
    "bill_invoice_id": "I-1", "bill_payer_account_id": "111",
    "line_item_line_item_type": "Usage", "line_item_product_code": "AmazonBedrock",
    "line_item_usage_type": "USW2-Claude4.5Sonnet-input-tokens",
    "line_item_usage_start_date": "2026-10-03T00:00:00Z",
    "line_item_usage_end_date": "2026-10-03T01:00:00Z", "line_item_usage_amount": "29.481",
    "line_item_unblended_cost": "0.0972873", "line_item_currency_code": "USD",
    "line_item_line_item_description": "", "product_product_name": "Amazon Bedrock",
}  # fmt: skip


def test_cur_counts_thousands_and_names_every_kind(tmp_path):
    sold = {
        "line_item_product_code": "8n5w", "line_item_usage_type": "USE1-MP:USE1_OutputTokenCount-Units",
        "product_product_name": "Claude Sonnet 4.5 (Amazon Bedrock Edition)",
        "line_item_usage_amount": "2", "line_item_unblended_cost": "30",
        "line_item_line_item_description": "AWS Marketplace software usage|us-east-1|Million Output Tokens",
    }  # fmt: skip
    kinds = [
        "Credit",
        "Tax",
        "EdpDiscount",
        "SavingsPlanNegation",
        "SavingsPlanRecurringFee",
        "Refund",
    ]
    other = {**CUR, "line_item_product_code": "AmazonS3", "product_product_name": "S3",
             "line_item_unblended_cost": "12.5"}  # fmt: skip
    told = read(table(tmp_path / "cur.csv", CUR, {**CUR, **sold}, other,
                      *({**CUR, "line_item_line_item_type": kind} for kind in kinds)))  # fmt: skip
    assert brief(told)[:2] == [
        ("usage", "Claude4.5Sonnet", "input_uncached", "standard", 29_481, 97_287_300_000, "USD"),
        ("usage", "Claude Sonnet 4.5", "output", "standard", 2_000_000, 30 * 10**12, "USD"),
    ]
    assert [str(x.kind) for x in told.lines[2:]] == [
        "credit", "tax", "discount", "commitment", "commitment", "credit",
    ]  # fmt: skip
    assert (told.left_out, told.left_out_pico) == (1, {"USD": 12_500_000_000_000})
    assert (told.lines[0].number, told.lines[0].region) == ("I-1", "us-west-2")


def test_cur_as_parquet_with_maps_and_doubles(tmp_path):
    plain = {k: v for k, v in CUR.items() if k != "product_product_name"}
    columns = {name: [value] for name, value in plain.items()}
    columns |= {"line_item_usage_amount": [29.481], "line_item_unblended_cost": [0.0972873]}
    made = pa.table(columns).append_column(
        "product",
        pa.array([[("product_name", "Amazon Bedrock")]], pa.map_(pa.string(), pa.string())),
    )
    pq.write_table(made, tmp_path / "cur.parquet")
    (line,) = read(tmp_path / "cur.parquet").lines
    assert (line.quantity, line.own_pico) == (29_481, 97_287_300_000)


def test_gzip_and_semicolons(tmp_path):
    path = table(tmp_path / "cur.csv", CUR, delimiter=";")
    packed = tmp_path / "cur.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert brief(read(packed)) == brief(read(path))


def test_a_line_item_type_that_is_not_known_is_refused(tmp_path):
    path = table(tmp_path / "cur.csv", CUR, {**CUR, "line_item_line_item_type": "Surprise"})
    with pytest.raises(InvoiceError, match=r"1 line cannot be read.*\n.*cur.csv:3.*Surprise"):
        read(path)


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


GOOGLE = {
    "billing_account_id": "01-A", "service": {"description": "Vertex AI"},
    "sku": {"description": "Gemini 2.5 Flash Text Input - Predictions"},
    "usage_start_time": "2026-09-30 23:00:00 UTC", "usage_end_time": "2026-10-01 00:00:00 UTC",
    "cost": 0.3, "currency": "USD", "currency_conversion_rate": 1.0, "cost_type": "regular",
    "usage": {"amount": 1000000.0, "unit": "count", "amount_in_pricing_units": 1.0,
              "pricing_unit": "1M count"},
    "invoice": {"month": "202610"}, "credits": [], "export_time": "2026-10-02 01:00:00 UTC",
}  # fmt: skip


def jsonl(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_google_late_rows_negative_rows_and_credits(tmp_path):
    given = [{"name": "spend based", "amount": -0.1, "type": "COMMITTED_USAGE_DISCOUNT"},
               {"name": "trial", "amount": -0.05, "type": "PROMOTION"},
               {"name": "free", "amount": -0.15, "type": "FREE_TIER"}]  # fmt: skip
    back = {**GOOGLE, "cost": -0.3, "usage": {**GOOGLE["usage"], "amount": -1000000.0}}
    tax = {**GOOGLE, "cost": 1.9, "cost_type": "tax"}
    told = read(jsonl(tmp_path / "g.jsonl", {**GOOGLE, "credits": given}, back, tax))
    assert [(str(x.kind), x.own_pico, x.quantity) for x in told.lines] == [
        ("usage", 300_000_000_000, 1_000_000), ("commitment", -100_000_000_000, None),
        ("credit", -50_000_000_000, None), ("free_quota", -150_000_000_000, None),
        ("usage", -300_000_000_000, -1_000_000), ("tax", 1_900_000_000_000, None),
    ]  # fmt: skip
    assert {(x.number, x.model) for x in told.lines[:1]} == {("202610", "Gemini 2.5 Flash")}


def test_google_in_another_currency_tells_its_dollars(tmp_path):
    euro = {**GOOGLE, "cost": 0.27, "currency": "EUR", "currency_conversion_rate": 0.9}
    (line,) = read(jsonl(tmp_path / "g.jsonl", euro)).lines
    assert (line.priced_pico, line.priced_currency) == (300_000_000_000, "USD")


FOCUS = {
    "BilledCost": "31.5", "BillingCurrency": "USD", "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-10-03T00:00:00Z", "ChargePeriodEnd": "2026-10-04T00:00:00Z",
    "ServiceCategory": "AI and Machine Learning", "ServiceName": "LLM", "InvoiceId": "F-1",
    "ConsumedQuantity": "10500000", "ConsumedUnit": "Tokens", "PricingQuantity": "10.5",
    "PricingUnit": "1000000 Tokens", "ChargeDescription": "m-1 input",
    "SkuPriceDetails": '{"x_ModelId":"m-1","x_TokenDirection":"Input","x_TokenCacheAction":"Read"}',
}  # fmt: skip


def test_focus_of_any_provider(tmp_path):
    covered = {**FOCUS, "BilledCost": "0", "EffectiveCost": "31.5"}
    millions = {
        **FOCUS,
        "ConsumedQuantity": "",
        "SkuPriceDetails": "",
        "ChargeDescription": "m-2 output",
    }
    bought = {**FOCUS, "ChargeCategory": "Purchase", "CommitmentDiscountId": "c-1"}
    taxed = {**FOCUS, "ChargeCategory": "Tax", "BilledCost": "5.985"}
    told = read(table(tmp_path / "f.csv", FOCUS, covered, millions, bought, taxed))
    assert brief(told) == [
        ("usage", "m-1", "cache_read", "", 10_500_000, 31_500_000_000_000, "USD"),
        ("usage", "m-1", "cache_read", "", 10_500_000, 0, "USD"),
        ("usage", "m-2", "output", "", 10_500_000, 31_500_000_000_000, "USD"),
        ("commitment", "", "", "", None, 31_500_000_000_000, "USD"),
        ("tax", "", "", "", None, 5_985_000_000_000, "USD"),
    ]
    assert [x.covered for x in told.lines[:2]] == [False, True]


def test_our_own_small_focus_files(tmp_path):
    from pathlib import Path  # noqa: PLC0415

    folder = Path(__file__).parents[3] / "shared" / "data" / "focus"
    if not folder.is_dir():
        pytest.skip("../shared/data/focus is not here")
    for name in ("focus_min.csv", "focus_min_1_4.csv"):
        assert read(folder / name).form == "focus"


def test_openai_pages_by_line_item(tmp_path):
    def result(item, value, **more):
        return {"object": "organization.costs.result", "line_item": item, "project_id": "p",
                "amount": {"value": value, "currency": "usd"}, **more}  # fmt: skip

    page = {"object": "page", "has_more": True, "data": [{"object": "bucket", "start_time": 1790812800,
            "end_time": 1790899200, "results": [
                result("gpt-4o-2024-08-06, cached input", 0.0072, quantity=5760, quantity_unit="tokens"),
                result("web search tool calls", 0.03, api_key_id="key_1")]},
            {"object": "bucket", "start_time": 1790899200, "end_time": 1790985600, "results": []}]}  # fmt: skip
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(page))
    told = read(path)
    assert brief(told) == [
        ("usage", "gpt-4o-2024-08-06", "cache_read", "", 5760, 7_200_000_000, "USD"),
        ("usage", "", "web_search", "", None, 30_000_000_000, "USD"),
    ]
    assert (len(told.windows), told.by_day, told.lines[1].key_id) == (2, True, "key_1")
    assert "there are more" in told.notes[0]


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


def test_anthropic_figures_must_be_text_of_cents(tmp_path):
    page = {"data": [{"starting_at": "2026-10-01T00:00:00Z", "ending_at": "2026-10-02T00:00:00Z",
                      "results": [{"amount": 123.5, "currency": "USD"}]}]}  # fmt: skip
    path = tmp_path / "a.json"
    path.write_text(json.dumps(page))
    with pytest.raises(InvoiceError, match="cents in decimal text"):
        read(path)


MAP = """
invoice: {number: "7", currency: USD, total: "690.00"}
columns: {amount: Amount, kind: Type, day: Date, model: Model, quantity: "Tokens (k)"}
values: {kind: {Sales tax: tax, "": usage}}
per: 1000
"""


def test_a_plain_table_by_a_mapping(tmp_path):
    (tmp_path / "map.yaml").write_text(MAP)
    form = load_map(tmp_path / "map.yaml")
    path = table(
        tmp_path / "bill.csv",
        {
            "Date": "2026-10-03",
            "Type": "",
            "Model": "x-1",
            "Tokens (k)": "12.5",
            "Amount": "620.00",
        },
        {"Date": "2026-10-31", "Type": "Sales tax", "Model": "", "Tokens (k)": "", "Amount": "70"},
    )
    told = read(path, mapping=form)
    assert brief(told) == [
        ("usage", "x-1", "", "", 12_500, 620 * 10**12, "USD"),
        ("tax", "", "", "", None, 70 * 10**12, "USD"),
    ]
    assert (told.total_pico, told.restates, told.lines[0].number) == (690 * 10**12, False, "7")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: {}", "name no amount"), ("columns: {amount: A, colour: B}", "no field 'colour'"),
        ("rows: 1", "no mapping"), ("columns: {amount: A}\namounts_in: dollars", "amounts_in is"),
        ("columns: [", "no mapping"),
    ],
)  # fmt: skip
def test_a_mapping_that_is_wrong_is_refused(tmp_path, text, words):
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(InvoiceError, match=words):
        load_map(tmp_path / "map.yaml")


def test_what_no_form_knows_asks_for_a_mapping(tmp_path):
    with pytest.raises(InvoiceError, match="no form of cost report") as refused:
        read(table(tmp_path / "x.csv", {"a": "1", "b": "2"}))
    assert "--map" in refused.value.next_step


def test_a_row_without_a_date_asks_for_the_period(tmp_path):
    dateless = {**CUR, "line_item_usage_start_date": ""}
    with pytest.raises(InvoiceError, match="no date"):
        read(table(tmp_path / "cur.csv", dateless))
    (line,) = read(table(tmp_path / "cur.csv", dateless), window=OCTOBER).lines
    assert (line.start_us, line.end_us) == OCTOBER


def test_two_forms_at_once_are_refused(tmp_path):
    with pytest.raises(InvoiceError, match="several forms"):
        read(table(tmp_path / "a.csv", CUR), table(tmp_path / "b.csv", FOCUS))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("1K", 1000), ("1M", 10**6), ("1000000 Tokens", 10**6), ("Tokens", 1), ("1K Tokens", 1000),
     ("1,000,000 Tokens", 10**6), ("", 1), ("1 Hour", 1), ("1M count", 10**6), ("million", 10**6)],
)  # fmt: skip
def test_units(unit, factor):
    assert unit_factor(unit) == factor


def test_a_quantity_that_is_not_whole_is_not_known():
    assert quantity_of("433.893", 1000, "q") == 433_893
    assert quantity_of("0.0005", 1000, "q") is None
    assert quantity_of("", 1000, "q") is None
    assert quantity_of("1.5E+3", 1, "q") == 1500


def test_dates_of_providers():
    assert len({instant_of(text, "t") for text in (
        "2026-10-03", "10/03/2026", "2026-10-03 00:00:00 UTC", "2026-10-03T00:00:00", 1790985600,
    )}) == 1  # fmt: skip
    with pytest.raises(InvoiceError, match="date or an instant"):
        instant_of("soon", "t")
