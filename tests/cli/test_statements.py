"""`statement` in the published machine form, and the other forms."""

from decimal import Decimal

import pytest

from company import policy, usage

SHOWN = policy().replace("    pools:", "    teams: {b: {model: showback}}\n    pools:")


@pytest.fixture
def month(company):
    company.apply(policy=SHOWN)
    company.ingest(
        usage("1", units={}),
        usage("2", provider="Y", model="y-1", team="b", feature="find"),
        usage("3", team=None, feature=None),
        usage("4", purpose="evaluation"),
    )
    company.run()
    return company


def total(rows, name="amount"):
    return sum((Decimal(row[name]) for row in rows), Decimal(0))


@pytest.mark.parametrize("closed", [False, True])
def test_the_machine_form_adds_up_exactly(month, call, closed):
    if closed:
        month.close()
    value = call("statement", "2026-10", "--json").value
    assert {
        "period", "version", "status", "currency", "charged_total", "shown_total", "central",
        "ledger_cost", "statements", "unallocated", "unpriced", "estimated", "unknown", "versions",
        "body_sha256", "seal",
    } <= value.keys()  # fmt: skip
    assert value["status"] == ("final" if closed else "draft")
    assert bool(value["seal"]) is bool(value["body_sha256"]) is closed
    assert set(value["versions"]) == {"events", "prices", "policy", "org", "code"}
    for each in value["statements"]:
        assert {"team", "unit", "cost_center", "model", "charged", "total", "lines"} <= each.keys()
        assert total(each["lines"]) == Decimal(each["total"])
        for line in each["lines"]:
            assert {"id", "feature", "purpose", "kind", "quantity", "amount"} <= line.keys()
            assert set(line["quantity"]) == {"calls", "tokens", "units"}
    charged = [each for each in value["statements"] if each["charged"]]
    shown = [each for each in value["statements"] if not each["charged"]]
    assert {each["team"] for each in shown} == {"b"}
    assert total(charged, "total") == Decimal(value["charged_total"])
    assert total(shown, "total") == Decimal(value["shown_total"])
    central = value["central"]
    assert total(central["lines"]) == Decimal(central["total"])
    assert Decimal(value["charged_total"]) + Decimal(central["total"]) == Decimal(
        value["ledger_cost"]
    )
    assert value["unallocated"]["calls"] == 1


def test_every_form_is_rendered_and_written(month, call, tmp_path):
    assert "CHARGEBACK STATEMENT" in call("statement", "2026-10", "--team", "a").out
    for form in ("text", "html", "csv", "json"):
        out = tmp_path / form
        assert call("statement", "2026-10", "--format", form, "--out", str(out)).out == ""
        assert list(out.iterdir())
    assert call("statement", "2026-10", "--format", "csv").out.count("\n") > 3


def test_what_is_not_there_is_refused(month, call):
    assert call("statement", "2026-10", "--team", "ghosts").code == 1
    assert call("statement", "2026-09").code == 1
    assert call("statement", "2026-10", "--version", "7").code == 1
    assert call("statement", "2026-10", "--format", "stone").code == 2
