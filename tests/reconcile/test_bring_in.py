"""Invoices taken in: once, whole, restated with history; and everything that is refused."""

import json

import pytest

from company import policy
from tallybook.errors import InvoiceError
from tallybook.reconcile.invoices import (
    invoice_versions,
    latest,
    raw_lines,
    standing_lines,
    versions,
)
from tallybook.reconcile.read.plain_invoice import typed
from tallybook.reconcile.read.plain_map import InvoiceForm, MapForm
from tallybook.reconcile.read.told import Ask

DAY = 86_400


def page(path, *days, value=1.5, start=1_790_812_800, project=None):
    """A page of costs: an amount for each day of October 2026 that is named."""
    buckets = [
        {"start_time": start + (day - 1) * DAY, "end_time": start + day * DAY, "results": [
            {"amount": {"value": value, "currency": "usd"}, "line_item": "m, input", "project_id": project}
        ] if value is not None else []}
        for day in days
    ]  # fmt: skip
    path.write_text(json.dumps({"object": "page", "data": buckets}))
    return path


def standing(books, invoice="P-000001", version=0):
    with books.store.read() as tx:
        return [
            line.amount_pico // 10**9
            for line in standing_lines(tx, invoice=invoice, version=version)
        ]


def test_the_same_again_changes_nothing(books, tmp_path):
    (first,) = books.take("openai", page(tmp_path / "a.json", 1, 2))
    (again,) = books.take("openai", page(tmp_path / "b.json", 1, 2))
    (part,) = books.take("openai", page(tmp_path / "c.json", 2))
    assert [one.became for one in (first, again, part)] == ["new", "unchanged", "unchanged"]
    assert (part.id, part.version, part.total_pico) == (first.id, 1, 3 * 10**12)


def test_other_days_join_and_restated_days_supersede_with_history(books, tmp_path):
    books.take("openai", page(tmp_path / "a.json", 1, 2))
    (more,) = books.take("openai", page(tmp_path / "b.json", 3))
    (new,) = books.take("openai", page(tmp_path / "c.json", 2, value=2))
    assert [(one.became, one.version) for one in (more, new)] == [
        ("superseded", 2),
        ("superseded", 3),
    ]
    assert new.total_pico == 5 * 10**12
    assert sorted(standing(books)) == [1500, 1500, 2000]
    assert standing(books, version=1) == [1500, 1500]
    with books.store.read() as tx:
        every = invoice_versions(tx, "P-000001")
        assert [one.total_pico for one in every] == [3 * 10**12, 4500 * 10**9, 5 * 10**12]
        assert latest(versions(tx)) == every[-1:]
        (raw,) = raw_lines(tx, [("P-000001", 3, 1)])
    assert raw["raw"]["amountvalue"] == 2
    assert raw["place"].startswith("c.json")


def test_a_day_that_is_billed_at_nothing_after_all(books, tmp_path):
    books.take("openai", page(tmp_path / "a.json", 1, 2))
    both = page(tmp_path / "b.json", 1, 3)
    told = json.loads(both.read_text())
    told["data"].append(
        {"start_time": 1_790_812_800 + DAY, "end_time": 1_790_812_800 + 2 * DAY, "results": []}
    )
    both.write_text(json.dumps(told))
    books.take("openai", both)
    assert standing(books) == [1500, 1500]


def test_an_older_report_does_not_stand_again_by_itself(books, tmp_path):
    old = page(tmp_path / "a.json", 1)
    books.take("openai", old)
    books.take("openai", page(tmp_path / "b.json", 1, value=2))
    with pytest.raises(InvoiceError, match="version 1 of P-000001, which version 2 superseded"):
        books.take("openai", old)
    (back,) = books.take("openai", old, restate="the second was a draft")
    assert (back.version, standing(books)) == (3, [1500])


def test_an_issued_invoice_with_other_figures_is_refused_unless_somebody_says_why(books):
    (first,) = books.enter("x", "2026-10", "usage 620.00", "tax 70.00", total="690.00")
    (again,) = books.enter("x", "2026-10", "tax 70.00", "usage 620.00", total="690.00")
    assert (again.became, again.id) == ("unchanged", first.id)
    before = books.company.dump()
    with pytest.raises(
        InvoiceError, match=r"is in with 690\.00 in 2 lines; this says 680\.00 in 2"
    ):
        books.enter("x", "2026-10", "usage 610.00", "tax 70.00", total="680.00")
    assert books.company.dump() == before
    (new,) = books.enter(
        "x", "2026-10", "usage 610.00", "tax 70.00", total="680.00", restate="typo"
    )
    assert (new.became, new.version) == ("superseded", 2)
    (note,) = books.enter("x", "2026-10", "credit -10.00", total="-10.00", number="CN-1")
    assert (note.became, note.id) == ("new", "P-000002")


def test_lines_that_do_not_add_up_are_refused_with_the_difference(books):
    with pytest.raises(
        InvoiceError, match=r"add up to 680\.00 USD, the invoice states 690\.00: 10\.00"
    ):
        books.enter("x", "2026-10", "usage 610.00", "tax 70.00", total="690.00")
    assert standing(books) == []


def test_less_than_a_cent_is_rounding_with_a_line_of_its_own(books):
    books.enter("x", "2026-10", "usage 1.2345", "usage 2.3456", total="3.58")
    with books.store.read() as tx:
        lines = standing_lines(tx)
    assert [(str(x.kind), x.amount_pico) for x in lines][-1] == ("rounding", -100_000_000)
    assert sum(x.amount_pico for x in lines) == 3_580_000_000_000


def test_another_currency_needs_a_rate(books):
    with pytest.raises(InvoiceError, match="is in EUR, the books are in USD") as refused:
        books.enter("x", "2026-10", "usage 100.00", total="100.00", currency="EUR")
    assert "--rate EUR=" in refused.value.next_step
    rates = {"EUR": ("1.0842", "2026-11-03")}
    books.enter("x", "2026-10", "usage 100.00", total="100.00", currency="EUR", rates=rates)
    with books.store.read() as tx:
        (line,) = standing_lines(tx)
    assert (line.amount_pico, line.own_pico, line.currency) == (108_420_000_000_000, 10**14, "EUR")
    assert (line.rate, line.rate_date) == ("1.0842", "2026-11-03")


def test_our_rate_against_the_providers_is_exchange(books):
    told = "usage 92.00 priced_amount=100.00 priced_currency=USD rate=0.92 rate_date=2026-10-01"
    books.enter("azure", "2026-10", told, currency="EUR", total="92.00")
    rates = {"EUR": ("1.10", "2026-11-03")}
    books.enter("azure", "2026-10", told, currency="EUR", total="92.00", number="2", rates=rates)
    with books.store.read() as tx:
        theirs, ours = standing_lines(tx)
    assert (theirs.amount_pico, theirs.fx_pico, theirs.rate) == (10**14, 0, "0.92")
    assert (ours.amount_pico, ours.fx_pico) == (101_200_000_000_000, 1_200_000_000_000)


def test_one_faulty_line_and_nothing_is_taken_in(books):
    before = books.company.dump()
    with pytest.raises(InvoiceError, match="2 lines cannot be read"):
        books.enter("x", "2026-10", "usage 1.00", "usage one", "gift 3.00", total="4.00")
    assert books.company.dump() == before


def test_a_file_of_other_services_is_told(books, tmp_path):
    (tmp_path / "cur.csv").write_text(
        "line_item_product_code,line_item_usage_type,line_item_unblended_cost\nAmazonS3,x,5\n"
    )
    with pytest.raises(InvoiceError, match="1 rows of other services"):
        books.take("aws", tmp_path / "cur.csv", period="2026-10")


def test_an_invoice_that_is_not_there(books):
    with books.store.read() as tx, pytest.raises(InvoiceError, match="no provider invoice 'P-9'"):
        invoice_versions(tx, "P-9")


@pytest.mark.parametrize("values", [[2e9], [6e8, 6e8]])
def test_what_no_posting_could_hold_is_refused(books, tmp_path, values):
    """One such invoice once stopped the true-up of its month for every provider."""
    path = page(tmp_path / "a.json", *range(1, len(values) + 1), value=values[0])
    with pytest.raises(InvoiceError, match="is too large: an invoice is at most 1,000,000,000"):
        books.take("openai", path)
    assert standing(books) == []


def test_an_invoice_names_its_provider(books):
    """What nobody is named for could not be posted, nor any other invoice of the month."""
    with pytest.raises(InvoiceError, match="names no provider") as refused:
        books.enter("  ", "2026-10", "usage 1.00")
    assert "such as openai" in refused.value.next_step
    with books.store.read() as tx:
        assert versions(tx) == []


HEAD = (
    "bill/InvoiceId,bill/PayerAccountId,lineItem/LineItemType,lineItem/UsageStartDate,"
    "lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/UnblendedCost"
)


def cur(path, *rows):
    """A cost and usage report: a number and a day of October 2026 for each row of 1.00."""
    lines = [
        f"{number},acct,Usage,2026-10-{day:02}T00:00:00Z,2026-10-{day + 1:02}T00:00:00Z,"
        "AmazonBedrock,USW2-Nova-input-tokens,1.00"
        for number, day in rows
    ]
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


def test_a_draft_and_the_issued_invoice_do_not_stand_side_by_side(books, tmp_path):
    """A report's rows have no number until the invoice is issued: the month was billed twice."""
    draft = cur(tmp_path / "draft.csv", ("", 1), ("", 2))
    issued = cur(tmp_path / "issued.csv", ("77", 1), ("77", 2), ("77", 3))
    books.take("aws", draft)
    before = books.company.dump()
    told = r"P-000001 is in for 2026-10 without a number, with 2\.00; .* under the number 77"
    with pytest.raises(InvoiceError, match=told) as refused:
        books.take("aws", issued)
    assert "tallybook invoice withdraw P-000001" in refused.value.next_step
    assert books.company.dump() == before
    both = cur(tmp_path / "both.csv", ("", 2), ("77", 1))  # says itself what is of which
    assert [one.became for one in books.take("aws", both)] == ["superseded", "new"]
    assert books.provider("aws").invoiced_pico == 2 * 10**12


def test_a_draft_after_the_issued_invoice_is_refused_unless_both_are_owed(books, tmp_path):
    draft = cur(tmp_path / "draft.csv", ("", 1))
    books.take("aws", cur(tmp_path / "issued.csv", ("77", 1)))
    with pytest.raises(InvoiceError, match="under the number 77, with 1") as refused:
        books.take("aws", draft)
    assert "rows have the number 77" in refused.value.next_step
    books.take("aws", draft, restate="two contracts")
    assert books.provider("aws").invoiced_pico == 2 * 10**12
    (again,) = books.take("aws", draft)
    assert again.became == "unchanged"


def test_a_blank_is_no_reason_to_replace_an_invoice(books):
    books.enter("x", "2026-10", "usage 1.00", number="7")
    with pytest.raises(InvoiceError, match="--restate"):
        books.enter("x", "2026-10", "usage 2.00", number="7", restate=" ")


def test_the_date_of_an_invoice_is_one(books):
    ask, form = Ask("x", books.window("2026-10")), MapForm(invoice=InvoiceForm(
        number="1", currency="USD", issued_on="soon"))  # fmt: skip
    with pytest.raises(InvoiceError, match="the invoice's date"):
        books.bring("x", typed(["usage 1.00"], ask, form), {}, {})


def test_lines_of_before_the_books_are_refused_with_their_months(books, tmp_path):
    """No month takes them: they would wait for ever, and INV-13 could not be proven."""
    books.company.apply(policy=policy("2026-10"))
    with pytest.raises(InvoiceError) as refused:
        books.enter("x", "2026-10", "usage 1.00", "usage 2.00 day=2026-08-31", number="7")
    said = "1 of 2 lines bill months before 2026-10, in which the books begin, the earliest 2026-08"
    assert (refused.value.what, refused.value.where) == (said, "line 2")
    assert "effective_from: 2026-08 or earlier" in refused.value.next_step
    with books.store.read() as tx:
        assert versions(tx) == []
