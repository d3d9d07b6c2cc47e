"""`budget` on the command line: what people see, ask and decide."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from company import usage
from people import at, company
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.errors import TallybookError

DAYS = [
    usage(f"d-{day}-{hour}", started_at=f"2026-10-{day:02}T{hour:02}:30:00Z")
    for day in range(12, 20)
    for hour in (9, 15)
]
"""eight days of 2.00 each"""


@pytest.fixture
def events():
    return None


@pytest.fixture
def books(tmp_path, events):
    made = company(tmp_path / "acme", events=events)
    yield made
    made.store.close()


@pytest.fixture
def call(books):
    def run(*args, who="dana@acme"):
        app = App(books.home, who, clock=books.clock)
        done = CliRunner().invoke(cli, ["budget", *args], obj=app)
        if isinstance(done.exception, TallybookError):
            fault = done.exception
            return SimpleNamespace(code=fault.exit_code, out=done.stdout, err=str(fault))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        value = json.loads(done.stdout) if "--json" in args and done.stdout else None
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr, value=value)

    return run


def test_from_a_request_to_more(call):
    made = call("request", "feature:bot", "2026-10", "1.00", "--reason", "launch")
    assert made.code == 0
    assert made.out == "request 1: next, an approver runs: tallybook budget approve 1\n"
    assert "waits" in call("requests").out
    mine = call("approve", "1")
    assert mine.code == 1
    assert "it takes two people" in mine.err
    assert "next: let one of them decide: boss@acme, cfo@acme" in mine.err
    done = call("approve", "1", "--amount", "0.50", "--reason", "half", "--json", who="boss@acme")
    assert done.value["state"] == "approved"
    assert done.value["decision"]["amount"] == "0.500000000"
    assert call("requests").out == "no request waits\n"
    (row,) = call("requests", "2026-10", "--all", "--json").value
    assert (row["id"], row["state"], row["requested_by"]) == (1, "approved", "dana@acme")


def test_the_list_shows_what_is_in_force_and_used(call):
    call("request", "bot", "2026-10", "2.00", "--reason", "launch")
    call("approve", "1", who="boss@acme")
    found = call("list", "--json").value
    assert (found["period"], found["currency"]) == ("2026-10", "USD")
    bot, find, team = found["budgets"]
    assert (bot["budget"], bot["in_force"], bot["monthly"]) == (
        "feature:bot", "4.000000000", "2.000000000",
    )  # fmt: skip
    assert (bot["used"], bot["remaining"], bot["used_share"]) == (
        "1.000000000000", "3.000000000000", "25.0 %",
    )  # fmt: skip
    assert (find["used"], team["used"]) == ("0.000000000000", "1.000000000000")
    assert find["approvers"] == []
    text = call("list").out
    assert "feature:bot   a         4.00  1.00  25.0 %  [#####...............]  approval" in text


def test_one_budget_whole(call):
    call("request", "bot", "2026-10", "2.00", "--reason", "launch", "--expires", "2026-10-25")
    call("approve", "1", who="boss@acme")
    text = call("show", "bot").out
    assert "feature:bot  Bot, 2026-10, USD" in text
    assert "monthly                     2.00" in text
    assert (
        "increase                    2.00   approved by boss@acme at 2026-10-20T09:00:00.000Z until"
        " 2026-10-25T00:00:00.000Z, for dana@acme"
    ) in text
    assert "in force now                4.00" in text
    assert "at month end                2.00" in text
    assert "runs out:" in text
    value = call("show", "bot", "--json").value
    assert value["at_month_end"] == "2.000000000"
    assert value["requests"][0]["reason"] == "launch"
    assert value["burn"]["last_increase"]["amount"] == "2.000000000"


def test_what_is_not_there_is_told(call):
    found = call("show", "team:b")
    assert (found.code, found.err.split("\n")[0]) == (1, "team 'b' has no budget in 2026-10")
    assert call("approve", "9").err.startswith("there is no request 9")
    assert call("request", "mars:x", "2026-10", "1", "--reason", "r").code == 2
    assert call("deny", "1").code == 2


def test_a_denial_says_why(call):
    call("request", "bot", "2026-10", "1.00", "--reason", "launch")
    out = call("deny", "1", "--reason", "use the batch tier", who="boss@acme").out
    assert "denied by boss@acme: use the batch tier" in out


@pytest.mark.parametrize("events", [DAYS])
def test_burn_says_when_it_runs_out(call):
    call("request", "team:a", "2026-10", "20.00", "--reason", "launch")
    call("approve", "1", who="cfo@acme")
    found = {row["budget"]: row for row in call("burn", "--json").value}
    team = found["team:a"]
    assert team["used"] == "16.000000000000"
    assert team["forecast"]["days"] == 8
    assert team["forecast"]["per_day"] == "2.000000000000"
    assert team["forecast"]["runs_out"]["middle"][:10] == "2026-10-26"
    assert team["last_increase"]["without"]["runs_out"]["middle"] == "2026-10-20T09:00:00.000Z"
    text = call("burn").out
    assert "2026-10-26 (2026-10-26 .. 2026-10-26)" in text
    assert "moved the day it runs out from 2026-10-20 to 2026-10-26" in text
    assert "feature:find" in text
    assert "too early to tell" in text


def test_a_month_that_was_run_counts_what_its_run_booked(call, books):
    before = call("list", "2026-09", "--json").value
    assert before["budgets"] == []
    books.run()
    at(books, "2026-11-05T09:00:00Z")
    found = {row["budget"]: row for row in call("list", "2026-10", "--json").value["budgets"]}
    assert found["feature:bot"]["used"] == "1.000000000000"


def test_a_month_that_was_not_run_yet_is_not_nothing_used(call, books):
    at(books, "2026-11-05T09:00:00Z")
    found = call("list", "2026-10", "--json").value["budgets"]
    assert [row["used"] for row in found] == [None, None, None]
    assert "?" in call("list", "2026-10").out


OWNED = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC}
business_units: [{id: main, name: Main, legal_entity: acme-us}]
teams:
  - {id: a, name: Team A, unit: main, cost_center: "1", owners: {product: pm@acme, finance: fin@acme}}
features:
  - {id: bot, team: a, name: Bot}
  - {id: find, team: a, name: Find}
unowned: {team: a}
"""
PROPOSAL = (
    "propose", "triage", "--team", "a", "--provider", "X", "--model", "x-1", "--calls", "2000",
    "--tokens", "input_uncached=1000", "--tokens", "output=200", "--name", "Ticket triage",
)  # fmt: skip


def test_a_use_case_from_proposal_to_key(call, books):
    budgets = "budgets:\n  - {feature: bot, from: 2026-10, monthly: '2.00'}\n"
    books.apply(org=OWNED, budgets=budgets)
    text = call(*PROPOSAL).out
    assert "2,000 calls a month, each input_uncached 1,000, output 200" in text
    assert "on X/x-1: 40.00 a month" in text
    assert "monthly limit  50.00 (suggested 50.00)" in text
    assert "may decide     pm@acme, fin@acme" in text
    folder = str(books.home / "books")
    done = call("approve", "1", "--books", folder, "--json", who="pm@acme")
    assert (done.value["key"], done.value["state"]) == ("vk-triage-production", "approved")
    secret = done.value["secret"]
    kept = (books.home / "gateway" / "keys.json").read_text(encoding="utf-8")
    assert secret not in kept
    (key,) = json.loads(kept)["keys"]
    assert (key["teams"], key["features"], key["purposes"]) == (["a"], ["triage"], ["production"])
    found = {row["budget"]: row for row in call("list", "--json").value["budgets"]}
    assert found["feature:triage"]["in_force"] == "50.000000000"
    assert call("approve", "1", "--books", folder, who="pm@acme").code == 1


def test_wrong_counts_are_wrong_usage(call):
    assert call(*PROPOSAL, "--tokens", "output").code == 2
    assert call(*PROPOSAL, "--tokens", "output=-1").code == 2
    assert call("approve", "1", "--books", "/", "--expires", "2026-10-25").code == 2


def test_calibrate_tells_what_the_months_did(call, books):
    assert call("calibrate").out == "no budget stood in the last 3 months that were run\n"
    books.run()
    at(books, "2026-11-05T09:00:00Z")
    assert "too new" in call("calibrate").out
    (first, *_) = call("calibrate", "--json").value
    assert first["months"][0]["period"] == "2026-10"


@pytest.mark.parametrize("events", [DAYS])
def test_a_page_has_a_picture_and_the_same_figures(call, tmp_path):
    done = call("burn", "--out", str(tmp_path / "pages"))
    path = tmp_path / "pages" / "budgets-2026-10.html"
    assert done.err == f"wrote {path}\n"
    page = path.read_text(encoding="utf-8")
    assert page.count("<svg viewBox") == 3
    for words in ("Team A (team:a)", "16.00 of 9.00 used", 'class="fan"', "too early to tell"):
        assert words in page
    assert "<script" not in page
