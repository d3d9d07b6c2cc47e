"""Real traffic under the four models, against sums made here from the files and nothing else.

What is expected comes from `csv`, `json` and `fractions`; tallybook is only called as a command.
Prices and pools are written down a second time, on purpose.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "examples" / "azure_2023"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
DATA = PROJECT.parent / "shared" / "data"
BIN = Path(sys.executable).parent

MODELS = ("showback", "proportional", "real_cost", "use_case_budget")
TRAFFIC = {"developer-tools": "code", "assistant": "conv"}
IMPORTS = (
    ("csv", "code", "azure_llm_2023/AzureLLMInferenceTrace_code.csv"),
    ("csv", "conversation", "azure_llm_2023/AzureLLMInferenceTrace_conv.csv"),
    ("json", "gateway", "gateway_logs/*.json"),
)
# Dollars per million tokens: input, cache read, output.
AZURE = (54, 0, 108)
ANTHROPIC = (3, Fraction("0.30"), 15)
DEEPSEEK = (Fraction("0.27"), Fraction("0.07"), Fraction("1.10"))
# DeepSeek charged half from 16:30 to 00:30 UTC until 5 September 2025; the calls are of 19:44.
DEEPSEEK_OFF_PEAK = tuple(price / 2 for price in DEEPSEEK)

Tokens = tuple[int, int, int]
Line = tuple[str, str, str]  # team, kind, detail
CENTRAL: Line = ("", "", "")


@pytest.fixture(scope="module", autouse=True)
def _data() -> None:
    for _, _, pattern in IMPORTS:
        if not list(DATA.glob(pattern)):
            pytest.skip(f"the shared data is absent: {pattern}")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("azure") / "homes"


@pytest.fixture(scope="module")
def printed(homes: Path) -> str:
    script = EXAMPLE / "run.py"
    return call(sys.executable, script, "--data", DATA, "--home", homes)


def call(*arguments: object, code: int = 0) -> str:
    told = subprocess.run(
        [str(each) for each in arguments], capture_output=True, text=True, check=False
    )
    assert told.returncode == code, f"{arguments}\n{told.stdout}{told.stderr}"
    return told.stdout


def tallybook(home: Path, *arguments: object) -> str:
    return call(BIN / "tallybook", "--home", home, *arguments)


def issued(homes: Path, model: str, period: str) -> dict[str, Any]:
    path = homes / model / "out" / period / "json" / f"statements-{period}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def traffic() -> dict[str, list[Tokens]]:
    """Input, cached and output tokens of every request of a team."""
    held = {}
    for team, name in TRAFFIC.items():
        path = DATA / "azure_llm_2023" / f"AzureLLMInferenceTrace_{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        held[team] = [(int(r["ContextTokens"]), 0, int(r["GeneratedTokens"])) for r in rows]
    return held


def gateway() -> list[tuple[str, Tokens, Fraction]]:
    """Provider, tokens and the gateway's own cost of each call; floats exactly as written."""
    calls = []
    for path in sorted((DATA / "gateway_logs").glob("*.json")):
        log = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        usage = log["response"]["usage"]
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        assert not usage.get("cache_creation_input_tokens")
        # The total includes what was cached: DeepSeek says so itself, hit + miss = prompt.
        miss = usage.get("prompt_cache_miss_tokens", usage["prompt_tokens"])
        assert usage["prompt_tokens"] - cached == miss
        provider = "deepseek" if "deepseek" in log["response"]["model"] else "anthropic"
        tokens = (usage["prompt_tokens"] - cached, cached, usage["completion_tokens"])
        calls.append((provider, tokens, Fraction(log["cost"])))
    return calls


def dollars(tokens: Tokens, prices: Sequence[int | Fraction]) -> Fraction:
    return sum((Fraction(n) * p for n, p in zip(tokens, prices, strict=True)), Fraction(0)) / 10**6


def whole(exact: Fraction) -> int:
    """Cents, half to even."""
    return round(exact * 100)


def cents_of(lines: Mapping[Line, Fraction]) -> dict[Line, int]:
    """Largest remainder: cents of lines that add up to the cents of their sum."""
    cents = {line: math.floor(amount * 100) for line, amount in lines.items()}
    rest = whole(sum(lines.values(), Fraction(0))) - sum(cents.values())
    by_remainder = sorted(lines, key=lambda line: cents[line] - lines[line] * 100)
    for line in by_remainder[:rest]:
        cents[line] += 1
    return cents


def expected(
    model: str, usage: Mapping[str, Sequence[Tokens]], cost: Mapping[str, Fraction], pools: Fraction
) -> dict[Line, Fraction]:
    """What each team is charged or shown, and what stays central: together the ledger cost.

    Governance is 120 of the pools in November 2023, 0.50 in September 2025; the rest is gateway.
    """
    governance = Fraction(120) if pools == 420 else Fraction(1, 2)
    all_cost, all_calls = sum(cost.values()), sum(map(len, usage.values()))
    all_tokens = sum(sum(tokens) for calls in usage.values() for tokens in calls)
    lines: dict[Line, Fraction] = {}
    for team, calls in usage.items():
        lines[team, "usage", ""] = cost[team]
        lines[team, "pool", "governance"] = governance * cost[team] / all_cost
        if model == "real_cost":
            lines[team, "markup", ""] = cost[team] * Fraction(15, 100)
        else:
            lines[team, "pool", "gateway"] = (pools - governance) * len(calls) / all_calls
        if model == "proportional":
            lines[team, "usage", ""] = all_cost * Fraction(sum(map(sum, calls)), all_tokens)
        if model == "use_case_budget" and team == "assistant":
            lines[team, "usage", "unused commitment"] = 1800 - cost[team]
    central = all_cost + pools - sum(lines.values())
    return {**lines, CENTRAL: central} if central else lines


def months() -> dict[str, tuple[dict[str, list[Tokens]], dict[str, Fraction], Fraction]]:
    """Calls and cost of each team, and what the pools cost."""
    azure, agents = traffic(), gateway()
    azure_cost = {
        team: sum((dollars(tokens, AZURE) for tokens in calls), Fraction(0))
        for team, calls in azure.items()
    }
    agents_cost = sum(
        (dollars(tokens, DEEPSEEK if p == "deepseek" else ANTHROPIC) for p, tokens, _ in agents),
        Fraction(0),
    )
    return {
        "2023-11": (azure, azure_cost, Fraction(420)),
        "2025-09": (
            {"agents": [tokens for _, tokens, _ in agents]},
            {"agents": agents_cost},
            Fraction(3, 2),
        ),
    }


def test_the_files_hold_what_the_readme_says() -> None:
    calls = traffic()
    assert {team: len(held) for team, held in calls.items()} == {
        "developer-tools": 8819,
        "assistant": 19366,
    }
    cost = months()["2023-11"][1]
    assert cost == {
        "developer-tools": Fraction("1001.795364"),
        "assistant": Fraction("1649.1168"),
    }


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("period", ["2023-11", "2025-09"])
def test_statements_to_the_cent(printed: str, homes: Path, model: str, period: str) -> None:
    usage, cost, pools = months()[period]
    issue = issued(homes, model, period)
    found = {
        (each["team"], line["kind"], line["detail"]): cents(line["amount"])
        for each in issue["statements"]
        for line in each["lines"]
    }
    wanted = cents_of(expected(model, usage, cost, pools))
    central = wanted.pop(CENTRAL, 0)
    assert found == wanted
    for each in issue["statements"]:
        of_team = sum(amount for (team, _, _), amount in found.items() if team == each["team"])
        assert cents(each["total"]) == of_team
        assert each["charged"] is (model != "showback")
    charged, shown = cents(issue["charged_total"]), cents(issue["shown_total"])
    assert (charged, shown) == ((0, sum(found.values()))[:: 1 if model == "showback" else -1])
    assert cents(issue["ledger_cost"]) == whole(sum(cost.values(), Fraction(0)) + pools)
    assert cents(issue["central"]["total"]) == central + (shown if model == "showback" else 0)
    assert charged + cents(issue["central"]["total"]) == cents(issue["ledger_cost"])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("period", ["2023-11", "2025-09"])
def test_calls_and_tokens(printed: str, homes: Path, model: str, period: str) -> None:
    usage = months()[period][0]
    found = {
        each["team"]: (line["quantity"]["calls"], line["quantity"]["tokens"])
        for each in issued(homes, model, period)["statements"]
        for line in each["lines"]
        if line["kind"] == "usage" and not line["detail"]
    }
    assert found == {team: (len(held), sum(map(sum, held))) for team, held in usage.items()}


def test_the_cost_of_each_team_to_the_pico(printed: str, homes: Path) -> None:
    for period, (usage, cost, _) in months().items():
        for each in issued(homes, "real_cost", period)["statements"]:
            for line in each["lines"]:
                if line["kind"] != "usage":
                    continue
                told = json.loads(tallybook(homes / "real_cost", "explain", line["id"], "--json"))
                assert told["rated"]["count"] == len(usage[each["team"]])
                assert Fraction(told["rated"]["sum"]) == cost[each["team"]]


@pytest.mark.parametrize("model", MODELS)
def test_the_books_balance(printed: str, homes: Path, model: str) -> None:
    told = json.loads(tallybook(homes / model, "trial-balance", "--json"))
    closing = [(row["account"], Fraction(row["closing"])) for row in told["accounts"]]
    assert Fraction(told["sum"]) == 0
    assert sum(amount for name, amount in closing if not name.startswith("Memo:")) == 0
    assert sum(amount for name, amount in closing if name.startswith("Memo:")) == 0
    accrued = sum(amount for name, amount in closing if name.startswith("Accrued:"))
    assert -accrued == sum(sum(cost.values()) for _, cost, _ in months().values())
    for period in months():
        journal = homes / model / "out" / period / "journal.beancount"
        assert "Charge" in journal.read_text() or model == "showback"
        call(BIN / "bean-check", journal)


@pytest.mark.parametrize("model", MODELS)
def test_the_invariants_hold(printed: str, homes: Path, model: str) -> None:
    checks = json.loads(tallybook(homes / model, "check", "--json"))["checks"]
    assert checks
    assert all(each["ok"] for each in checks)
    assert json.loads(tallybook(homes / model, "verify", "--json"))["ok"]


def test_replaying_every_file_accepts_nothing(printed: str, homes: Path) -> None:
    counts = [28_185 - 19_366, 19_366, 5]
    for (source, name, pattern), count in zip(IMPORTS, counts, strict=True):
        found = sorted(DATA.glob(pattern))
        mapping = EXAMPLE / f"{name}.map.yaml"
        home = homes / "real_cost"
        told = json.loads(tallybook(home, "ingest", source, *found, "--map", mapping, "--json"))
        assert told == {
            "accepted": 0,
            "duplicate": count,
            "quarantined": 0,
            "rejected": 0,
            "reject_file": "",
            "dropped": 0,
        }


def test_what_the_gateway_says_and_what_the_list_says(tmp_path: Path) -> None:
    """At list prices DeepSeek costs half of what the gateway reports: 0.00067748 to 0.00135496.

    Anthropic: 17,420 in at 3 + 379 out at 15 = 0.057945 in both. DeepSeek: the gateway takes 0.27,
    0.07 and 1.10 a million whatever the hour; the list has the half price of the night hours, in
    which 19:44 UTC lies. The floats of the logs are off by less than 10^-17 each.
    """
    calls = gateway()
    reported = {
        provider: sum((cost for each, _, cost in calls if each == provider), Fraction(0))
        for provider in ("anthropic", "deepseek")
    }
    own = {
        provider: sum((dollars(t, prices) for each, t, _ in calls if each == provider), Fraction(0))
        for provider, prices in (("anthropic", ANTHROPIC), ("deepseek", DEEPSEEK))
    }
    assert all(abs(reported[provider] - own[provider]) < Fraction(1, 10**16) for provider in own)

    home, books = tmp_path / "home", tmp_path / "books"
    shutil.copytree(EXAMPLE / "books", books)
    (books / "prices.yaml").unlink()
    call(BIN / "tallybook", "init", home)
    tallybook(home, "apply", books)
    logs = sorted((DATA / "gateway_logs").glob("*.json"))
    tallybook(home, "ingest", "json", *logs, "--map", EXAMPLE / "gateway.map.yaml")
    tallybook(home, "run", "2025-09")
    accounts = json.loads(tallybook(home, "trial-balance", "2025-09", "--json"))["accounts"]
    listed = {
        row["account"].removeprefix("Accrued:"): -Fraction(row["closing"])
        for row in accounts
        if row["account"].startswith("Accrued:")
    }
    off_peak = sum(
        (dollars(t, DEEPSEEK_OFF_PEAK) for each, t, _ in calls if each == "deepseek"), Fraction(0)
    )
    assert listed == {"anthropic": own["anthropic"], "deepseek": off_peak}
    assert listed == {"anthropic": Fraction("0.057945"), "deepseek": Fraction("0.00067748")}
    assert own["deepseek"] == 2 * off_peak


def test_the_readme_shows_what_is_printed(printed: str) -> None:
    found = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1
    assert printed.startswith(found[0])


def test_a_folder_without_the_data_is_refused(tmp_path: Path) -> None:
    script = EXAMPLE / "run.py"
    call(sys.executable, script, "--data", tmp_path, "--home", tmp_path / "home", code=1)
    assert not (tmp_path / "home").exists()


def cents(text: str) -> int:
    return int(text.replace(".", ""))
