"""Model 4 closes the loop: a month of asking, deciding, refusing, as its statement tells it.

The company is that of `people`: team A has the use case ``bot`` with 2.00 a month, committed. What the
statement must say stands in `budget/*.txt`, word for word.
"""

import csv
import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from company import usage
from people import approved, asked, at, company, denied
from tallybook.budget.model import Notice
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.clock import Period
from tallybook.report.body import from_body, json_text
from tallybook.report.csv_rows import csv_text
from tallybook.report.html import statement_html
from tallybook.report.text import statement_text
from tallybook.store.notices import put_notices

NOVEMBER = Period(2026, 11)
HERE = Path(__file__).parent / "budget"
CHARGES = ("committed", "actual")
POLICY = """
versions:
  - effective_from: 2026-01
    default: {{model: use_case_budget, charge: {charge}}}
    limits: {{unallocated: "100%"}}
"""
EVENTS = [
    *(usage(f"a-{n}", started_at=f"2026-10-{n + 1:02}T10:00:00Z") for n in range(3)),
    usage("b-1", team="b", feature="find"),
]


def notice(name, act, **more):
    return Notice(
        notice_id=name, at_us=1, period="2026-10", budget="feature:bot", act=act, team="a",
        feature="bot", **more,
    )  # fmt: skip


def month_of(home, charge):
    """October: 1.00 more was approved of 1.50, 9.00 denied, some was temporary, some was refused."""
    made = company(home, policy=POLICY.format(charge=charge), events=EVENTS)
    first = asked(made, amount="1.50", reason="launch in Spain")
    approved(made, first.id, amount="0.50", reason="half of it")
    denied(made, asked(made, amount="9.00", reason="everything").id, reason="use the batch tier")
    approved(made, asked(made, amount="5.00", reason="load test", expires="2026-10-22").id)
    with made.store.write() as tx:
        put_notices(
            tx,
            [
                notice("1", "approval", calls=12, estimate_nano=3_200_000_000),
                notice("2", "warn", level="80%"),
                notice("3", "throttle", calls=40),
                notice("4", "downgrade", calls=1, estimate_nano=20_000_000),
            ],
        )
    made.run()
    return made


@pytest.fixture(scope="module", params=CHARGES)
def month(request, tmp_path_factory):
    made = month_of(tmp_path_factory.mktemp(request.param), request.param)
    yield request.param, made
    made.store.close()


def part(text):
    """From the lines' head to what stands below the budgets: no versions, no digests."""
    return text[text.index("\n\n") + 2 : text.rindex("\n\nevents")] + "\n"


def test_the_statement_says_who_approved_what_and_what_was_refused(month):
    charge, books = month
    found = part(statement_text(books.statements(), "a"))
    assert found == (HERE / f"{charge}.txt").read_text(encoding="utf-8")


def test_the_page_says_the_same(month):
    _, books = month
    page = statement_html(books.statements(), "a")
    for words in (
        "Budgets at month end",
        "0.50 approved by boss@acme on 20 October 2026, asked by dana@acme: launch in Spain",
        "9.00 denied by boss@acme on 20 October 2026, asked by dana@acme: use the batch tier",
        "12 calls refused until more is approved (at most 3.20)",
        "40 calls throttled",
        "1 call answered by a cheaper model (at most 0.02)",
    ):
        assert words in page


def test_the_body_has_it_and_reads_back(month):
    charge, books = month
    issue = books.statements()
    stored = json.loads(json_text(issue))
    (team,) = [one for one in stored["statements"] if one["team"] == "a"]
    bot, whole = team["notes"]["budget"]["rows"]
    assert (bot["charge"], bot["monthly"], bot["in_force"]) == (charge, "2.00", "2.50")
    assert (bot["used"], bot["remaining"]) == ("3.00", "-0.50")
    assert [one["verdict"] for one in bot["decisions"]] == ["approved", "denied", "approved"]
    assert bot["decisions"][2]["expires"] == "2026-10-22"
    assert {one["act"]: one["calls"] for one in bot["acts"]} == {
        "approval": 12, "throttle": 40, "downgrade": 1,
    }  # fmt: skip
    assert (whole["budget"], whole["in_force"], whole["charge"]) == ("team:a", "9.00", "")
    assert from_body(stored) == issue


def test_a_table_of_lines_still_adds_up_to_ledger_cost(month):
    """Budget rows stand in a part of their own, so the sums of the other parts are what they were."""
    _, books = month
    issue = books.statements()
    rows = list(csv.DictReader(csv_text(issue).splitlines()))
    added = sum(
        Decimal(row["amount"])
        for row in rows
        if row["part"] == "central" or (row["part"] == "statement" and row["charged"] == "yes")
    )
    assert added * 100 == issue.ledger_cost_cents
    told = [
        (row["kind"], row["amount"], row["detail"])
        for row in rows
        if row["part"] == "budget" and row["team"] == "a" and row["feature"] == "bot"
    ]
    assert told[:4] == [
        ("in_force", "2.50", ""),
        ("used", "3.00", ""),
        ("remaining", "-0.50", ""),
        ("approved", "0.50", "boss@acme"),
    ]


def test_what_was_issued_is_made_again_to_the_byte_whatever_comes_after(tmp_path):
    books = month_of(tmp_path / "acme", "committed")
    at(books, "2026-11-05T09:00:00Z")
    books.close()
    with books.store.write() as tx:
        put_notices(tx, [notice("9", "stop", calls=99)])
    approved(books, asked(books, period=NOVEMBER).id)
    assert books.rebuilt() == {("2026-10", 1): ""}
    assert books.failing() == {}
    text = statement_text(books.statements(), "a")
    assert "99 calls" not in text
    assert "12 calls refused until more is approved" in text
    books.store.close()


def test_compare_charges_what_the_statements_do(month):
    _, books = month
    done = CliRunner().invoke(
        cli, ["compare", "2026-10", "--json"], obj=App(books.home, "tester", clock=books.clock)
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["models"]["use_case_budget"]
    totals = {one.team: one.total_cents for one in books.statements().statements}
    assert {team: Decimal(amount) * 100 for team, amount in found["teams"].items()} == totals
    assert totals["a"] == 300
