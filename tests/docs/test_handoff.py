"""docs/handoff.md says what the forms say, and its examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallybook.report.handoff.accounts_file import read_accounts
from tallybook.report.handoff.chart_file import read_chart
from tallybook.report.handoff.mapping import ERPS, load_mapping

PAGE = (Path(__file__).parents[2] / "docs" / "handoff.md").read_text(encoding="utf-8")


def block(kind: str) -> bytes:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1].encode()


@pytest.mark.parametrize("erp", ERPS)
def test_each_form_stands_there_with_its_rules_and_with_what_is_unverified(erp: str) -> None:
    mapping = load_mapping(erp)
    section = PAGE.partition(f"### {mapping.title}\n")[2].partition("\n##")[0]
    assert f"`--erp {erp}`" in section
    assert ("a template" in section) == (mapping.state == "template")
    for said in (*mapping.rules, *mapping.unverified):
        assert f"* {said[0].upper()}{said[1:]}." in section
    for field in mapping.asked:
        assert f"`{field}`" in section


def test_the_examples_are_read() -> None:
    accounts = read_accounts(block("yaml"), "accounts.yaml")
    assert accounts.class_of("internal") == "operating_expense"
    assert read_chart(block("csv"), "chart.csv").missing("account", "5100") == ""
