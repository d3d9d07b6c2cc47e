"""The books that the engine makes, through its public commands, against what the oracle expects."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sim.oracle.random_company import PERIOD, Company, company, jsonl, reorganised, under
from tallybook.cli.main import cli
from tallybook.sim.oracle import NANO, Expectation, TeamShare, agrees, expected

COUNTS = ("unallocated", "unpriced", "unknown", "estimated")
NO_PAPER: dict[str, Any] = {"charged": True, "total": "0", "lines": [], "notes": {"lines": []}}
CENTRAL = {
    "markup_absorption": "Absorption:markup",
    "unused_commitment": "Absorption:budget",
    "rate_card_variance": "Variance:rate_card",
    "pool_variance": "Variance:pool",
}


def command(home: Path, *args: str, may_fail: bool = False) -> dict[str, Any]:
    done = CliRunner().invoke(cli, [*args], env={"TALLYBOOK_HOME": str(home)})
    assert may_fail or done.exit_code == 0, f"{args}: {done.output} {done.exception}"
    return json.loads(done.stdout)


def booked(home: Path, made: Company) -> tuple[dict[str, int], dict[str, Any], dict[str, Any]]:
    """Live the company's month: intake counts, trial balance, statements."""
    command(home, "init", str(home), "--json")
    apply(home, made.first or made.books)
    intake: defaultdict[str, int] = defaultdict(int)
    for number, events in enumerate(made.files):
        path = home.parent / f"{number}.jsonl"
        path.write_text(jsonl(events))
        answer = command(home, "ingest", "jsonl", str(path), "--json", may_fail=True)
        for name in ("accepted", "duplicate", "quarantined", "rejected"):
            intake[name] += answer[name]
        if made.first and number == 0:
            command(home, "run", PERIOD, "--json")
            apply(home, made.books)
    for pool, amount in made.actuals.items():
        command(home, "pool", PERIOD, pool, amount, "--json")
    command(home, "run", PERIOD, "--json")
    balance = command(home, "trial-balance", PERIOD, "--json")
    return intake, balance, command(home, "statement", PERIOD, "--format", "json")


def apply(home: Path, texts: dict[str, str]) -> None:
    books = home.parent / "files"
    books.mkdir(exist_ok=True)
    for kind, text in texts.items():
        (books / f"{kind}.yaml").write_text(text)
    command(home, "apply", str(books), "--json")


def disagreements(home: Path, made: Company) -> list[str]:
    """Everything in which the books differ from the expectation, in words."""
    want = expected(made.books, {}, made.events, made.actuals, PERIOD)
    intake, balance, body = booked(home, made)
    return [
        *in_intake(want, intake),
        *in_balances(want, balance),
        *in_statements(want, body),
    ]


def in_intake(want: Expectation, intake: dict[str, int]) -> list[str]:
    events = want.intake
    wanted = {
        "accepted": events.accepted,
        "duplicate": events.duplicate,
        "quarantined": events.quarantined,
        "rejected": 0,
    }
    return [] if wanted == intake else [f"intake: expected {wanted}, found {dict(intake)}"]


def in_balances(want: Expectation, balance: dict[str, Any]) -> list[str]:
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for row in balance["accounts"]:
        found[row["account"]] += Fraction(row["closing"])
    faults = [
        f"{account}: expected {decimal(want.balances.get(account, Fraction(0)))}, "
        f"found {decimal(found[account])}"
        for account in sorted({*want.balances, *found})
        if not agrees(
            want.balances.get(account, Fraction(0)),
            int(found[account] * NANO),
            want.parts.get(account, 0),
        )
    ]
    assert all((amount * NANO).denominator == 1 for amount in found.values())
    return [*faults, *(["sum is not zero"] if balance["sum"] != "0" or sum(found.values()) else [])]


def decimal(amount: Fraction) -> str:
    return f"{float(amount):.12f}"


def in_statements(want: Expectation, body: dict[str, Any]) -> list[str]:
    """Counts exactly; amounts within the cent that each line may be off, teams by name."""
    faults = [
        f"{name}: expected {getattr(want, name)} calls, found {body[name]['calls']}"
        for name in COUNTS
        if getattr(want, name) != body[name]["calls"]
    ]
    papers = {paper["team"]: paper for paper in body["statements"]}
    lines = sum(len(paper["lines"]) for paper in body["statements"] if paper["charged"])
    faults += off("charged", want.charged, body["charged_total"], lines)
    faults += off("central", want.central, body["central"]["total"], len(body["central"]["lines"]))
    faults += off("ledger cost", want.ledger_cost, body["ledger_cost"], 1)
    for team, share in want.by_team.items():
        paper = papers.get(team, NO_PAPER)
        total = share.total if paper["charged"] else share.fair
        faults += off(f"statement of {team}", total, paper["total"], len(paper["lines"]))
        faults += in_lines(team, share, paper)
    for line in body["central"]["lines"]:
        if line["kind"] in CENTRAL:
            account = CENTRAL[line["kind"]]
            faults += off(account, want.balances.get(account, Fraction(0)), line["amount"], 1)
    return faults


def in_lines(team: str, share: TeamShare, paper: dict[str, Any]) -> list[str]:
    """Calls and tokens exactly, pooled evaluation among the notes; amounts by kind of charge."""
    noted = [line for line in paper["notes"]["lines"] if line["kind"] == "evaluation"]
    faults = [
        f"{quantity} of {team}: expected {wanted}, found {found}"
        for quantity, wanted in (("calls", share.calls), ("tokens", share.tokens))
        if wanted != (found := sum(x["quantity"][quantity] for x in [*paper["lines"], *noted]))
    ]
    features = Counter[str]()
    for line in [*paper["lines"], *noted]:
        features[line["feature"]] += line["quantity"]["calls"]
    if +features != share.features:
        faults.append(f"features of {team}: expected {share.features}, found {+features}")
    for kind in ("transfer", "markup", "pool", "evaluation") if paper["charged"] else ():
        amounts = [Fraction(line["amount"]) for line in paper["lines"] if line["kind"] == kind]
        wanted = share.charged.get(kind, Fraction(0))
        faults += off(f"{kind} of {team}", wanted, str(sum(amounts)), len(amounts))
    return faults


def off(what: str, want: Fraction, found: str, lines: int) -> list[str]:
    """Whether a printed amount is a cent a line, or more, from the exact one."""
    if abs(want - Fraction(found)) < Fraction(max(lines, 1), 100):
        return []
    return [f"{what}: expected {decimal(want)}, found {found}"]


@pytest.mark.parametrize("seed", range(24))
def test_the_engine_books_what_the_oracle_expects(seed: int, tmp_path: Path) -> None:
    assert disagreements(tmp_path / "home", company(seed)) == []


@pytest.mark.parametrize("seed", range(100, 110))
def test_what_was_posted_before_a_change_is_corrected_to_the_unit(
    seed: int, tmp_path: Path
) -> None:
    assert disagreements(tmp_path / "home", reorganised(seed)) == []


ALL_FOUR = {
    "showback": "model: showback",
    "proportional": "model: proportional",
    "real_cost": 'model: real_cost, markup: "15%"',
    "use_case_budget": "model: use_case_budget, charge: actual",
}


@pytest.mark.parametrize("seed", range(200, 204))
def test_compare_shows_what_each_model_would_make_each_team_bear(seed: int, tmp_path: Path) -> None:
    made, home = under(company(seed), ALL_FOUR["real_cost"]), tmp_path / "home"
    booked(home, made)
    found = command(home, "compare", PERIOD, "--json")["models"]
    faults = []
    for model, terms in ALL_FOUR.items():
        books = under(made, terms).books
        want = expected(books, {}, made.events, made.actuals, PERIOD)
        faults += off(f"{model}: central", want.central, found[model]["central"], 2)
        for team, share in want.by_team.items():
            shown = share.fair if model == "showback" else Fraction(0)
            faults += off(f"{model}: {team}", share.total, found[model]["teams"].get(team, "0"), 2)
            faults += off(f"{model}: {team}", shown, found[model]["shown"].get(team, "0"), 2)
        if abs(want.unfairness - Fraction(found[model]["unfairness"])) > Fraction(1, 10_000):
            faults.append(f"{model}: {decimal(want.unfairness)}, {found[model]['unfairness']}")
    assert not faults, "\n" + "\n".join(faults)
