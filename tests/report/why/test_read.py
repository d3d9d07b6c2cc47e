"""Rival figures out of files: what columns are called, how amounts are written, what is refused."""

import io
from datetime import date

import pytest
import xlsxwriter

from tallybook.errors import WrongUsageError
from tallybook.report.why.read import one_figure, read_rival


@pytest.fixture
def read(tmp_path):
    def run(content, name="f.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rival(path)

    return run


def amounts(found):
    return [row.amount_pico for row in found.rows]


def test_columns_are_known_by_their_names(read):
    found = read(
        "Team Name;Use-Case;Vendor;Model ID;API Key ID;Date;Total Cost;Currency;Input Tokens\n"
        "a;bot;OpenAI;gpt-4o;k-1;2026-10-03;1.25;usd;1,000\n"
    )
    (row,) = found.rows
    assert row.values == {"team": "a", "feature": "bot", "provider": "openai", "model": "gpt-4o",
                          "key": "k-1", "day": "2026-10-03"}  # fmt: skip
    assert (row.amount_pico, row.places, row.counts) == (1_250_000_000_000, 2, {"input": 1000})
    assert (found.currency, found.in_utc) == ("USD", False)


def test_a_table_may_have_a_title_above_and_a_total_below(read):
    found = read("Spend of October\n\nteam,cost\na,1.00\nb,2.00\nTotal,3.00\n")
    assert amounts(found) == [10**12, 2 * 10**12]
    assert found.notes == ("f.csv:6 is a total and was left out",)
    found = read("team,cost\na,1.00\nGrand total,3.00\n")
    assert "do not add up to it" in found.notes[0]


@pytest.mark.parametrize(
    ("told", "pico"),
    [("$1,204.18", 1_204_180_000_000_000), ("(12.50)", -12_500_000_000_000),
     ("-3", -3 * 10**12), ("1.5 USD", 1_500_000_000_000), ("€ 2", 2 * 10**12),
     ("0.000000000001", 1)],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(read, told, pico):
    assert amounts(read(f'team,cost\na,"{told}"\n')) == [pico]
    assert one_figure(told).amount_pico == pico


def workbook(rows, formats=()):
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    page = book.add_worksheet("Spend")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                page.write_datetime(at, column, value, day)
            else:
                page.write(at, column, value)
    book.close()
    return packed.getvalue()


def test_a_workbook_is_read_at_the_digits_that_it_shows(read):
    rows = [["Our LLM spend"], [], ["Date", "Team", "Cost"],
            [date(2026, 10, 3), "a", 0.1 + 0.2], [date(2026, 10, 4), "b", 1204.18]]  # fmt: skip
    found = read(workbook(rows), "s.xlsx")
    assert amounts(found) == [300_000_000_000, 1_204_180_000_000_000]
    assert [row.values["day"] for row in found.rows] == ["2026-10-03", "2026-10-04"]
    assert found.rows[0].place == "s.xlsx:4"


def test_instants_make_days_of_utc(read):
    found = read("start_time\tamount_value\n1759622400\t0.8958740000000000\n", "c.tsv")
    assert found.rows[0].values["day"] == "2025-10-05"
    assert found.in_utc
    assert amounts(found) == [895_874_000_000]


def test_products_say_model_and_class(read):
    found = read('line_item,cost\n"gpt-4o-2024-08-06, cached input",1\nVAT,2\nCredit grant,-1\n')
    assert found.rows[0].values == {"class": "cache_read", "model": "gpt-4o-2024-08-06"}
    assert [row.kind for row in found.rows] == ["usage", "tax", "credit"]


def test_a_figure_as_json_says_its_scope(read):
    found = read('{"amount": "12.5", "scope": {"team": ["a"]}, "timezone": "UTC"}', "f.json")
    assert found.said["scopeteam"] == ["a"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("team,tokens\na,1\n", "no column of amounts"),
        ("team,cost\n", "no row has an amount"),
        ('team,cost\na,"1.204,18"\n', "may be read in two ways"),
        ("team,cost\na,lots\n", "it is a decimal number"),
        ("date,cost\nsoon,1\n", "the day is"),
        ("team,cost,currency\na,1,USD\nb,1,EUR\n", "EUR and USD"),
        (b"PK\x03\x04rubbish", "cannot be read as a workbook"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(read, content, words):
    with pytest.raises(WrongUsageError, match=words):
        read(content)
