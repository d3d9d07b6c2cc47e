"""Statements made again from events and versions; a difference is named by its place."""

import json

import pytest
from click.testing import CliRunner

from company import usage
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.clock import Period
from tallybook.errors import PeriodError
from tallybook.report.rebuild import first_difference, rebuild
from tampering import forge


@pytest.mark.parametrize(
    ("issued", "made", "told"),
    [
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, ""),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, "a[1].b: issued 'x', rebuilt 'y'"),
        ({"a": [1]}, {"a": [1, 2]}, "a[1]: issued None, rebuilt 2"),
        ({"a": 1}, {}, "a: issued 1, rebuilt None"),
    ],
)
def test_the_first_difference_is_named_by_its_place(issued, made, told):
    assert first_difference(issued, made) == told


def test_every_version_is_rebuilt(company):
    company.ingest(usage())
    company.close()
    company.reopen()
    company.ingest(usage("2"))
    company.close()
    assert company.rebuilt() == {("2026-10", 1): "", ("2026-10", 2): ""}
    assert company.rebuilt("2026-10") == company.rebuilt()
    with pytest.raises(PeriodError, match="2026-09 has no issued statement"):
        rebuild(company.store, Period.parse("2026-09"))


def test_the_command_compares_and_says_where(company):
    def command(*words):
        return CliRunner().invoke(cli, ["rebuild", *words], obj=App(company.home, "reader"))

    assert "no statement was issued" in command("--compare").stdout
    company.ingest(usage())
    company.close()
    same = command("2026-10", "--compare", "--json")
    assert same.exit_code == 0
    assert json.loads(same.stdout)[0]["same"] is True
    assert company.statements().body_sha256 in command().stdout
    company.store.close()
    forge(company.home, "UPDATE statement SET body = replace(body, '\"1.00\"', '\"1.01\"')")
    differs = command("--compare")
    assert differs.exit_code == 1
    assert "issued '1.01', rebuilt '1.00'" in differs.stdout
