"""The first example does what its README says: the commands are run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
README = (EXAMPLES / "first_statement" / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1
    return found[0]


def shell(command: str, folder: Path) -> str:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    told = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, f"{command}\n{told.stdout}{told.stderr}"
    return told.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    shutil.copytree(EXAMPLES / "first_statement", folder / "examples" / "first_statement")
    return folder


@pytest.fixture(scope="module")
def answers(folder: Path) -> list[str]:
    return [shell(command, folder) for command in block("sh").splitlines()]


def test_five_commands_make_the_statement_of_the_readme(answers: list[str]) -> None:
    assert len(answers) == 5
    assert answers[2].startswith("10 accepted, 0 duplicate, 0 quarantined, 0 rejected")
    assert answers[4].startswith(block("text"))
    assert answers[4].removeprefix(block("text")).lstrip().startswith("events ")


def test_the_figures_are_those_of_the_calls(answers: list[str], folder: Path) -> None:
    """Micro-dollars by hand: tokens x dollars per million."""
    support = (
        (412_000 * 250 + 180_000 * 125 + 96_000 * 1000)
        + (388_000 * 250 + 512_000 * 125 + 104_500 * 1000)
        + (150_000 * 300 + 90_000 * 375 + 61_000 * 1500)
        + (95_000 * 250 + 22_000 * 1000)
        + (640_000 * 300 + 1_250_000 * 30 + 88_000 * 1500)
        + (505_000 * 300 + 990_000 * 30 + 71_250 * 1500)
    )
    search = (1_480_000 * 250 + 133_000 * 1000) + (1_325_000 * 250 + 760_000 * 125 + 120_400 * 1000)
    unowned = 40_000 * 250 + 4_000 * 1000
    body = json.loads(shell("tallybook --home my-books statement 2026-10 --json", folder))
    # Hundredths of a micro-dollar: 10^6 of them are a cent.
    assert cents(body["ledger_cost"]) == half_up(support + search + unowned) + 300
    totals = {each["team"]: cents(each["total"]) for each in body["statements"]}
    assert totals == {
        "search": half_up(search * 115 // 100),
        "support": half_up(support * 115 // 100),
    }
    assert body["unallocated"]["calls"] == 1
    assert body["unallocated"]["amount"] == "0.14"
    assert half_up(unowned) == 14
    assert cents(body["charged_total"]) + cents(body["central"]["total"]) == cents(
        body["ledger_cost"]
    )


def test_what_the_readme_says_about_the_rest(answers: list[str], folder: Path) -> None:
    again = shell(block("sh").splitlines()[2], folder)
    assert again.startswith("0 accepted, 10 duplicate, 0 quarantined, 0 rejected")
    assert "nothing new to post" in shell(block("sh").splitlines()[3], folder)
    calls = (folder / "examples/first_statement/calls.jsonl").read_text().splitlines()
    assert len(calls) == 10
    assert "team" not in json.loads(calls[8])
    assert json.loads(calls[9])["status"] == "error"
    assert "2026-10 is closed" in shell("tallybook --home my-books close 2026-10", folder)
    assert "October 2026, final" in shell("tallybook --home my-books statement 2026-10", folder)


def cents(text: str) -> int:
    return int(text.replace(".", ""))


def half_up(parts: int) -> int:
    """Nothing here lies half-way, so any rounding to the nearest is the right one."""
    assert parts % 1_000_000 != 500_000
    return (parts + 500_000) // 1_000_000
