"""Google: credits below rows, late and negative rows, another currency."""

from report_files import jsonl, read
from tallybook.reconcile.read import google_billing

GOOGLE = {
    "billing_account_id": "01-A", "service": {"description": "Vertex AI"},
    "sku": {"description": "Gemini 2.5 Flash Text Input - Predictions"},
    "usage_start_time": "2026-09-30 23:00:00 UTC", "usage_end_time": "2026-10-01 00:00:00 UTC",
    "cost": 0.3, "currency": "USD", "currency_conversion_rate": 1.0, "cost_type": "regular",
    "usage": {"amount": 1000000.0, "unit": "count", "amount_in_pricing_units": 1.0,
              "pricing_unit": "1M count"},
    "invoice": {"month": "202610"}, "credits": [], "export_time": "2026-10-02 01:00:00 UTC",
}  # fmt: skip


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


def test_a_service_that_sells_no_tokens_is_left_out(tmp_path):
    other = {**GOOGLE, "service": {"description": "Cloud Storage"}, "cost": 5}
    told = read(jsonl(tmp_path / "g.jsonl", GOOGLE, other))
    assert (told.form, len(told.lines), told.left_out_pico) == (
        google_billing.FORM, 1, {"USD": 5 * 10**12},
    )  # fmt: skip
