"""A period reconciled on real books: scan, invoices, identity, owners, decisions."""

import pytest

from company import PRICES, org, policy, usage
from tallybook.clock import Period
from tallybook.errors import InvoiceError, MoneyError, PeriodError
from tallybook.reconcile.drill import calls_behind
from tallybook.reconcile.model import VarianceKind as V
from tallybook.reconcile.text import reconciliation_text, variance_text
from tallybook.reconcile.variances import Decision, Tolerance, decide
from tallybook.reconcile.views import csv_text, reconciliation_value, variance_value

# Provider X, model x-1: 10 per million in, 50 out; `usage()` is 50,000 in and 10,000 out: 1.00.
TOKENS = "model=x-1 token_class={} quantity={} day={}"


def bill(day, *amounts, key=""):
    named = f" key_id={key}" if key else ""
    (inside, n), (out, m) = amounts
    return [
        f"usage {inside} " + TOKENS.format("input_uncached", n, day) + named,
        f"usage {out} " + TOKENS.format("output", m, day) + named,
    ]


AGREED = (("0.50", 50_000), ("0.50", 10_000))


@pytest.fixture
def metered(books):
    books.company.apply(org=org(), policy=policy(), prices=PRICES)
    books.company.ingest(usage("1"), usage("2", started_at="2026-10-05T10:00:00Z", key_id="key-b"))
    return books


def sums(result):
    return {(str(v.kind), v.cause): v.amount_pico for v in result.variances}


def test_what_agrees_has_no_variance(metered):
    lines = [*bill("2026-10-03", *AGREED), *bill("2026-10-05", *AGREED)]
    metered.enter("x", "2026-10", *lines, total="2.00")
    result = metered.provider("X")
    assert (result.metered_pico, result.invoiced_pico) == (2 * 10**12, 2 * 10**12)
    assert (result.variances, result.lines, result.matched_lines) == ((), 4, 4)


def test_a_product_name_finds_its_model(books):
    books.company.ingest(usage("1", provider="openai", model="gpt-4o-2024-08-06"))
    told = "usage 0.225 model=gpt-4o day=2026-10-03 quantity=60000"
    books.enter("OpenAI", "2026-10", told, total="0.23")
    result = books.provider("openai")
    assert (result.lines, result.matched_lines, result.calls) == (2, 1, 1)
    assert sums(result) == {("rounding", "rounding of the total"): 5 * 10**9}


def test_before_any_invoice_the_whole_accrual_is_timing(metered):
    result = metered.provider("X")
    assert result.awaits_invoice
    assert sums(result) == {("timing", "not_invoiced"): -2 * 10**12}
    assert result.invoiced_pico == 0


def test_a_month_without_anything_is_refused(books):
    with pytest.raises(PeriodError, match="neither usage nor provider invoices"):
        books.reconcile()


def test_unmetered_usage_of_a_key_has_its_owner(metered):
    lines = [*bill("2026-10-05", *AGREED, key="key-b"), *bill("2026-10-03", *AGREED)]
    shadow = "usage 3.00 model=x-1 token_class=output quantity=60000 day=2026-10-03 key_id=key-z"
    books = metered
    books.company.apply(org=org().replace(
        "keys:\n", "keys:\n  - {id: key-z, team: b, purpose: production}\n"))  # fmt: skip
    books.enter("x", "2026-10", *lines, shadow, total="5.00")
    (one,) = books.provider("X").variances
    assert (str(one.kind), one.cause, one.key_id, one.owner) == (
        "volume",
        "unmetered_key",
        "key-z",
        "b",
    )
    assert (one.quantity, one.amount_pico, one.route) == (60_000, 3 * 10**12, "review")
    assert books.provider("X", tolerance=Tolerance.parse("5")).variances[0].route == "accept"


def test_a_tolerance_never_takes_suspense_and_is_an_amount(metered):
    metered.enter("x", "2026-10", "other 0.03", total="0.03")
    found = metered.provider("X", tolerance=Tolerance.parse("1000"))
    routes = {str(v.kind): v.route for v in found.variances}
    assert routes == {"suspense": "review", "volume": "accept"}
    with pytest.raises(MoneyError):
        Tolerance.parse("some")


def test_the_policy_states_a_tolerance(metered):
    metered.company.apply(
        policy=policy().replace("    pools:", '    tolerance: "3.00"\n    pools:')
    )
    assert metered.provider("X").variances[0].route == "accept"
    assert metered.reconcile().tolerance == "3.00"
    assert metered.reconcile(tolerance=Tolerance.parse("0.5")).tolerance == "0.50"


def test_decisions_stay_and_the_last_one_counts(metered):
    metered.enter("x", "2026-10", "other 3.00", total="3.00")
    one = next(v for v in metered.provider("X").variances if v.kind is V.SUSPENSE)
    with metered.store.write() as tx:
        for status, at in (("disputed", 1), ("accepted", 2)):
            decide(tx, "2026-10", Decision(one.id, status, "b", "letter", "cfo", at))
    again = metered.reconcile().variance(one.id)
    assert (again.status, again.owner, again.reason, again.decided_by) == (
        "accepted",
        "b",
        "letter",
        "cfo",
    )
    with metered.store.write() as tx, pytest.raises(InvoiceError, match="no reason"):
        decide(tx, "2026-10", Decision(one.id, "accepted", "", " ", "cfo", 3))
    with metered.store.write() as tx, pytest.raises(InvoiceError, match="no status"):
        decide(tx, "2026-10", Decision(one.id, "gone", "", "r", "cfo", 3))


def test_a_month_of_another_zone_is_reconciled_over_its_edges(books):
    books.company.apply(org=org("America/New_York"), policy=policy(), prices=PRICES)
    books.company.ingest(
        usage("before", started_at="2026-10-01T03:00:00Z"),  # 30 September in New York
        usage("first", started_at="2026-10-01T05:00:00Z"),
        usage("last", started_at="2026-11-01T03:00:00Z"),  # 31 October there, November in UTC
    )
    lines = bill("2026-10-01", ("1.00", 100_000), ("1.00", 20_000))
    books.enter("x", "2026-10", *lines, total="2.00")
    result = books.provider("X")
    assert (result.metered_pico, result.invoiced_pico) == (2 * 10**12, 2 * 10**12)
    assert sorted((i.day_us, i.amount_pico) for v in result.variances for i in v.items) == [
        (1_790_812_800_000_000, 5 * 10**11), (1_790_812_800_000_000, 5 * 10**11),
        (1_793_491_200_000_000, -5 * 10**11), (1_793_491_200_000_000, -5 * 10**11),
    ]  # fmt: skip
    assert {v.cause for v in result.variances} == {"month_edge"}


def test_four_rows_of_a_real_report_check_exactly(books, samples):
    prices = """
currency: USD
contracts:
  - {contract: A, provider: aws, model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
     per_million_tokens: {input_uncached: "3.3", output: "16.5", cache_write_5m: "4.125"}}
  - {contract: A, provider: aws, model: "us.anthropic.claude-sonnet-4-6-v1:0",
     per_million_tokens: {cache_read: "0.33"}}
"""
    books.company.apply(prices=prices)
    four = {"input_uncached": 29_481, "output": 31_102, "cache_write_5m": 433_893}
    six = {"cache_read": 5_372_659}
    name = "us.anthropic.claude-sonnet-4-{}-v1:0"
    books.company.ingest(
        usage("a", provider="aws", model=name.format("5-20250929"), tokens=four),
        usage("b", provider="aws", model=name.format("6"), tokens=six),
    )
    books.take("aws", samples / "aws_cur2_bedrock_rows.csv", period="2026-10")
    result = books.provider("aws")
    assert result.matched_lines == 4
    (one,) = result.variances  # the fifth row: a model that was not metered here
    assert (str(one.kind), one.amount_pico) == ("volume", 11_202_900_000_000)


def test_papers_say_the_same_and_lead_to_calls(metered):
    lines = bill("2026-10-03", ("0.60", 60_000), ("0.55", 10_000))
    metered.enter("x", "2026-10", *lines, *bill("2026-10-05", *AGREED), "tax 0.20", total="2.35")
    found = metered.reconcile()
    value = reconciliation_value(found)
    (only,) = value["providers"]
    assert only["by_kind"] == {"price": "0.05", "volume": "0.10", "tax": "0.20"}
    assert (only["metered"], only["invoiced"]) == ("2.00", "2.35")
    text = reconciliation_text(found)
    assert "Metered, at contract" in text
    assert "Invoiced (P-000001)" in text
    rows = [row.split(",") for row in csv_text(found).splitlines()]
    amount = rows[0].index("amount")
    parts = {"invoiced": 0, "metered": 0, "variance": 0}
    for row in rows[1:]:
        parts[row[2]] += round(float(row[amount]) * 100)
    assert parts == {"invoiced": 235, "metered": 200, "variance": 35}
    volume = next(v for v in found.providers[0].variances if v.kind is V.VOLUME)
    calls = calls_behind(metered.store, Period.parse("2026-10"), volume)
    assert [(call.event_id, call.amount_pico) for call in calls] == [("1", 10**12)]
    assert "2026-10-03" in variance_text(volume, [calls[0].event_id])
    assert variance_value(volume)["items"][0]["quantity"] == 10_000


def test_a_closed_month_is_seen_as_it_was_closed(metered):
    metered.company.run()
    metered.company.close()
    metered.company.ingest(usage("late"), name="late")
    assert metered.provider("X").metered_pico == 2 * 10**12
