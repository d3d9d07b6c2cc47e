"""`compare` through the commands of a tiny company, to the cent."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from click.testing import CliRunner

from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.clock import FixedClock, parse_instant
from tallybook.money import parse_units

M = 10**6
MODELS = ["showback", "proportional", "real_cost", "use_case_budget"]

ORG = """
company: {name: Acme, currency: USD, fiscal_year_start: 2026-01, timezone: UTC, simulated: true}
business_units: [{id: all, name: All, legal_entity: acme}]
teams:
  - {id: support, name: Support, unit: all, cost_center: "1", headcount: 3}
  - {id: search, name: Search, unit: all, cost_center: "2", headcount: 3}
  - {id: idle, name: Idle, unit: all, cost_center: "4", headcount: 1}
  - {id: platform, name: Platform, unit: all, cost_center: "3", headcount: 3}
features:
  - {id: bot, team: support, name: Bot}
  - {id: find, team: search, name: Find}
unowned: {team: platform}
"""
POLICY = """
versions:
  - effective_from: 2026-01
    default: {model: real_cost, markup: "12.5%"}
    teams:
      search: {model: showback}
    pools:
      - {id: gateway, monthly: "30.00", driver: calls, recovered_by: markup}
"""
PRICES = """
currency: USD
contracts:
  - {contract: C1, provider: house, model: small,
     per_million_tokens: {input_uncached: "1.00", cache_read: "0.10", output: "4.00"}}
  - {contract: C2, provider: house, model: large,
     per_million_tokens: {input_uncached: "10.00", output: "40.00"}}
"""
USES = [
    ("bot", "large", {"input_uncached": M, "output": M}),  # 50.00
    ("bot", "large", {"output": M}),  # 40.00
    ("find", "small", {"input_uncached": 5 * M, "cache_read": M}),  # 5.10
    ("", "small", {"output": M}),  # 4.00, nobody's
]


def tallybook(home, *arguments, code=0):
    app = App(home, "controller", clock=FixedClock(parse_instant("2026-11-02T09:00:00Z")))
    result = CliRunner().invoke(cli, [*map(str, arguments)], obj=app, catch_exceptions=False)
    assert result.exit_code == code, result.output
    app.store.close()
    return result.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("company") / "home"
    tallybook(home, "init", home)
    for name, text in (("org", ORG), ("policy", POLICY), ("prices", PRICES)):
        (home / "books" / f"{name}.yaml").write_text(text)
    (home / "books" / "budgets.yaml").unlink()
    tallybook(home, "apply", home / "books")
    events = home / "events.jsonl"
    events.write_text(
        "\n".join(
            json.dumps(
                {
                    "event_id": f"e{number}",
                    "source": "test",
                    "started_at": f"2026-10-{number + 1:02}T12:00:00Z",
                    "provider": "house",
                    "model": model,
                    "tokens": tokens,
                    "purpose": "production",
                    **({"feature": feature} if feature else {}),
                }
            )
            for number, (feature, model, tokens) in enumerate(USES)
        )
    )
    tallybook(home, "ingest", "jsonl", events)
    tallybook(home, "pool", "2026-10", "gateway", "33.33")
    tallybook(home, "run", "2026-10")
    return home


@pytest.fixture(scope="module")
def answer(home):
    return json.loads(tallybook(home, "compare", "2026-10", "--json"))


def cents(text):
    return parse_units(text, 2)


def test_the_machine_form(answer):
    assert list(answer) == [
        "period", "ledger_cost", "models", "current", "breakdown", "transfer_prices",
        "recommendation",
    ]  # fmt: skip
    assert (answer["period"], answer["ledger_cost"]) == ("2026-10", "132.43")
    assert list(answer["models"]) == MODELS
    for form in (*answer["models"].values(), answer["current"]):
        assert list(form) == ["teams", "shown", "central", "unfairness", "saving"]
        assert set(form["teams"]) == {"support", "search", "idle"}
        total = sum(map(cents, form["teams"].values())) + cents(form["central"])
        assert total == cents(answer["ledger_cost"])


def test_every_model_to_the_cent(answer):
    # Pool of 30.00 by calls 2 : 1. Central: 4.00 of nobody and 3.33 of pool variance.
    borne = {
        name: (form["teams"]["support"], form["teams"]["search"], form["central"])
        for name, form in (*answer["models"].items(), ("current", answer["current"]))
    }
    assert borne == {
        "showback": ("0.00", "0.00", "132.43"),
        "proportional": ("51.70", "73.40", "7.33"),  # 95.10 by tokens 3 : 6
        "real_cost": ("101.25", "5.74", "25.44"),
        "use_case_budget": ("110.00", "15.10", "7.33"),
        "current": ("101.25", "0.00", "31.18"),
    }
    assert answer["models"]["showback"]["shown"] == {
        "idle": "0.00",
        "search": "15.10",
        "support": "110.00",
    }
    assert answer["models"]["use_case_budget"]["unfairness"] == "0.0000"
    # 58.30 of 132.43 sit with search instead of support.
    assert answer["models"]["proportional"]["unfairness"] == "0.4402"


def test_what_saving_pays(answer):
    saving = {name: form["saving"] for name, form in answer["models"].items()}
    assert saving["showback"] == {"search": "0.0000", "support": "0.0000"}
    # A driver share of calls shrinks too, and stands behind the markup under real cost.
    assert saving["real_cost"] == {"search": "1.1250", "support": "1.1250"}
    calls = Fraction(2 * 89, 90)
    kept = 20 - 30 * calls * Fraction(1) / (calls + 1)
    assert abs(Fraction(saving["use_case_budget"]["support"]) - 1 - kept) < Fraction(1, 10_000)
    assert answer["current"]["saving"] == {"search": "0.0000", "support": "1.1250"}


def test_the_breakdown_adds_up(answer):
    assert list(answer["breakdown"]) == ["search", "support"]
    for row in answer["breakdown"].values():
        causes = {name: cents(text) for name, text in row.items()}
        assert causes.pop("total") == sum(causes.values())
        assert set(causes) == {"model_price", "input_output_mix", "cache", "fine_tuning"}
    # One large and one small model, each used by one team alone: it is the model's price only.
    assert answer["breakdown"]["support"]["model_price"] == "-58.30"
    assert answer["breakdown"]["search"]["model_price"] == "58.30"


def test_the_recommendation_says_its_figures(answer):
    assert answer["recommendation"]["fairest"] == "use_case_budget"
    reason = answer["recommendation"]["reason"]
    assert reason.startswith("Budget, actual is the fairest: 0.0 % of USD 132.43 sits with ")
    assert "Proportional 44.0 %, Showback 94.5 %; as applied 18.0 %." in reason


def test_the_recommendation_and_its_reasons(answer):
    found = answer["recommendation"]
    assert list(found) == ["model", "agree", "reasons", "moves", "fairest", "reason"]
    assert (found["model"], found["agree"]) == ("use_case_budget", False)
    assert [list(each) for each in found["reasons"]] == [
        ["name", "figure", "points_to", "says"]
    ] * 3
    size, budgeting, difference = found["reasons"]
    assert size["figure"] == "2 use cases with production calls, a bill of USD 132.43"
    assert size["points_to"] == ["showback"]
    assert (budgeting["figure"], budgeting["points_to"]) == ("Not stated", [])
    # 95.10 by tokens 3 : 6 instead of 90.00 and 5.10: 58.30 would sit with the other.
    assert difference["figure"].startswith("By tokens, 61.3 % of usage would sit with another")
    assert difference["points_to"] == ["real_cost", "use_case_budget"]


def test_what_changing_to_the_recommended_model_moves(answer):
    moves = answer["recommendation"]["moves"]
    now, then = answer["current"], answer["models"][answer["recommendation"]["model"]]
    assert moves == {"idle": "0.00", "search": "15.10", "support": "8.75", "central": "-23.85"}
    assert sum(map(cents, moves.values())) == 0
    for team in now["teams"]:
        assert cents(moves[team]) == cents(then["teams"][team]) - cents(now["teams"][team])


def test_the_text_form(home):
    text = tallybook(home, "compare", "2026-10")
    assert text.splitlines()[0] == "*** SIMULATED DATA: no company, no provider, no money ***"
    rows = {line.split("  ")[0]: line.split()[-5:] for line in text.splitlines() if "  " in line}
    assert rows["Borne by"][-2:] == ["As", "applied"]
    assert rows["Support"] != rows["Central"]
    assert rows["Ledger cost"] == ["132.43"] * 5
    assert "Real cost + 12.5 %" in text
    assert max(map(len, text.splitlines()[:-1])) <= 100


def test_pages_and_files(home, tmp_path):
    tallybook(home, "compare", "2026-10", "--format", "html", "--out", tmp_path / "out")
    page = (tmp_path / "out" / "compare-2026-10.html").read_text()
    assert "<h1>Who would bear USD 132.43</h1>" in page
    assert page.rstrip() == tallybook(home, "compare", "2026-10", "--format", "html").rstrip()
    tallybook(home, "compare", "2026-10", "--json", "--out", tmp_path / "out")
    assert json.loads((tmp_path / "out" / "compare-2026-10.json").read_text())["period"]


def test_comparing_posts_nothing(home):
    before = tallybook(home, "journal", "--json")
    tallybook(home, "compare", "2026-10")
    assert tallybook(home, "journal", "--json") == before


def answered(home, text="    budgeting: cloud_finops\n"):
    (home / "books" / "policy.yaml").write_text(POLICY + text)
    tallybook(home, "apply", home / "books")


def test_the_answer_about_budgeting_posts_nothing(home):
    before = tallybook(home, "journal", "--json")
    answered(home)
    tallybook(home, "run", "2026-10")
    told = json.loads(tallybook(home, "compare", "2026-10", "--json"))
    assert told["recommendation"]["reasons"][1]["figure"] == "cloud_finops"
    assert tallybook(home, "journal", "--json") == before
    answered(home, "")


def test_comparison_survives_the_close(home, answer):
    tallybook(home, "waive", "2026-10", "unallocated", "--estimate", "4.00", "--reason", "small")
    tallybook(home, "close", "2026-10")
    assert json.loads(tallybook(home, "compare", "2026-10", "--json")) == answer
    statement = json.loads(tallybook(home, "statement", "2026-10", "--json"))
    assert statement["ledger_cost"] == answer["ledger_cost"]
    charged = {each["team"]: each["total"] for each in statement["statements"] if each["charged"]}
    assert charged["support"] == answer["current"]["teams"]["support"]


def test_the_answer_of_a_closed_month_is_the_one_last_applied(home, answer):
    # Runs after the close: the answer is about the company, not about the month.
    answered(home)
    told = json.loads(tallybook(home, "compare", "2026-10", "--json"))
    assert told["recommendation"]["reasons"][1]["points_to"] == ["proportional", "real_cost"]
    assert told["recommendation"]["model"] == "real_cost"
    assert told["models"] == answer["models"]
