"""`why-different` and `reconcile --html`: forms, exit codes, errors."""

import io

import openpyxl
import pytest

from company import PRICES, usage


@pytest.fixture
def month(company):
    company.apply(prices=PRICES)
    company.ingest(usage("1"), usage("2", provider="Y", model="y-1", team="b", feature="find"))
    company.run()
    return company


def test_an_explained_figure_is_exit_0_and_adds_up(month, call, tmp_path):
    (tmp_path / "theirs.csv").write_text("provider,cost\nX,1.00\n")
    found = call("why-different", str(tmp_path / "theirs.csv"), "2026-10", "--json")
    value = found.value
    assert (found.code, value["unexplained"]) == (0, "0.00")
    assert {"period", "currency", "subject", "ours", "theirs", "difference", "steps"} <= set(value)
    assert [step["kind"] for step in value["steps"]] == ["usage_only", "scope"]
    text = call("why-different", str(tmp_path / "theirs.csv"), "2026-10").out
    assert "Ours: the ledger cost of the company" in text
    assert "providers that are not in their figure" in text


def test_what_is_not_explained_is_exit_1(month, call):
    found = call("why-different", "77.77", "2026-10", "--scope", "provider=X", "--every-part")
    assert found.code == 1
    assert "has no explanation" in found.out


def test_a_page_is_one_file_that_escapes(month, call, tmp_path):
    (tmp_path / "a<b>.csv").write_text("provider,cost\nX,1.00\n")
    args = ("why-different", str(tmp_path / "a<b>.csv"), "2026-10", "--format", "html")
    assert call(*args, "--out", str(tmp_path / "p")).code == 0
    page = (tmp_path / "p" / "why-2026-10.html").read_text()
    assert "a&lt;b&gt;.csv" in page
    assert "<script" not in page
    assert "http" not in page
    assert call(*args).out == page


def test_wrong_usage_is_exit_2(month, call):
    for args in (
        ("nothing.csv", "2026-10"),
        ("1.00", "October"),
        ("1.00",),
        ("1.00", "2026-10", "--scope", "team"),
        ("1.00", "2026-10", "--scope", "team=zebra"),
        ("1.00", "2026-10", "--by", "nobody"),
    ):
        assert call("why-different", *args).code == 2, args
    assert call("why-different", "1.00", "2026-12").code == 1


def test_a_reconciliation_is_a_page_and_a_workbook(month, call, tmp_path):
    lines = ("--line", "usage 1.10 model=x-1", "--line", "tax 0.20")
    args = ("--number", "1", "--period", "2026-10", "--total", "1.30", *lines)
    assert call("invoice", "enter", "X", *args).code == 0
    text = call("reconcile", "2026-10", "--json").value
    out = str(tmp_path / "p")
    assert call("reconcile", "2026-10", "--html", "--out", out).code == 0
    page = (tmp_path / "p" / "reconcile-2026-10.html").read_text()
    assert call("reconcile", "2026-10", "--html").out == page
    assert "<script" not in page
    for each in text["providers"]:
        assert f"<h2>{each['provider']}</h2>" in page
        for one in each["variances"]:
            assert one["id"] in page
    assert call("reconcile", "2026-10", "--xlsx").code == 2
    assert call("reconcile", "2026-10", "--xlsx", "--out", out).code == 0
    packed = (tmp_path / "p" / "reconcile-2026-10.xlsx").read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(packed))
    assert book.sheetnames == ["Identity", "Variances"]
    assert call("reconcile", "2026-10", "--xlsx", "--out", out).code == 0
    assert (tmp_path / "p" / "reconcile-2026-10.xlsx").read_bytes() == packed
