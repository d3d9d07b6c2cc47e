"""Amazon: thousands and millions, Marketplace, every kind of line, doubles in Parquet."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from report_files import CUR, OCTOBER, brief, read, table
from tallybook.errors import InvoiceError
from tallybook.reconcile.read import aws_cur


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


def test_a_line_item_type_that_is_not_known_is_refused(tmp_path):
    path = table(tmp_path / "cur.csv", CUR, {**CUR, "line_item_line_item_type": "Surprise"})
    with pytest.raises(InvoiceError, match=r"1 line cannot be read.*\n.*cur.csv:3.*Surprise"):
        read(path)


def test_a_row_without_a_date_asks_for_the_period(tmp_path):
    dateless = {**CUR, "line_item_usage_start_date": ""}
    with pytest.raises(InvoiceError, match="no date"):
        read(table(tmp_path / "cur.csv", dateless))
    (line,) = read(table(tmp_path / "cur.csv", dateless), window=OCTOBER).lines
    assert (line.start_us, line.end_us) == OCTOBER


def test_its_columns_say_what_it_is():
    assert aws_cur.is_export({"lineitemusagetype": "", "lineitemunblendedcost": ""})
    assert not aws_cur.is_export({"billedcost": "", "chargecategory": ""})
