import json
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallybook.cli import demo as command
from tallybook.cli.main import cli


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "live", partial(command.live, scale=300))


def test_the_demo_tells_what_to_look_at_and_how_it_ties(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = CliRunner().invoke(cli, ["demo", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "SIMULATED" in result.stdout
    assert "SIMULATED" in result.stderr
    assert "2026-08 closed" in result.stderr
    assert str(out / "index.html") in result.stdout
    assert "2026-10" in result.stdout
    assert f"tallybook --home {out / 'books'} explain L-2026-09-" in result.stdout


def test_the_machine_form_ties(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["demo", "--out", str(tmp_path / "demo"), "--json"])
    value = json.loads(result.stdout)
    assert value["simulated"] is True
    for month in value["months"].values():
        cents = {
            k: int(month[k].replace(".", "")) for k in ("charged_total", "central", "ledger_cost")
        }
        assert cents["charged_total"] + cents["central"] == cents["ledger_cost"]
    assert Path(value["entry"]).is_file()


def test_the_books_go_where_home_says_before_or_after_the_verb(tmp_path: Path) -> None:
    for number, args in enumerate((["--home", "HOME", "demo"], ["demo", "--home", "HOME"])):
        home = tmp_path / f"home{number}"
        given = [str(home) if arg == "HOME" else arg for arg in args]
        result = CliRunner().invoke(cli, [*given, "--out", str(tmp_path / "demo")])
        assert result.exit_code == 0, result.output
        assert (home / "books" / "policy.yaml").is_file()


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    result = CliRunner().invoke(cli, ["demo", "--out", str(tmp_path)])
    assert result.exit_code != 0
    assert (tmp_path / "mine.txt").read_text() == "keep"
