"""`tallybook sim`: a world from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallybook.cli import sim as command
from tallybook.cli.main import cli
from tallybook.sim.world.model import Failure, Lived, Params

SEAL = {"n": 1, "do": "seal", "at_us": 1}
BROKEN = Lived(Params(3, 1, 2), (SEAL, {**SEAL, "n": 2}), Failure("INV-99", "planted", 1), "d")


def test_a_world_that_holds(tmp_path: Path) -> None:
    args = ["sim", "--seed", "3", "--months", "1", "--steps", "2", "--json"]
    done = CliRunner().invoke(cli, [*args, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["seed"], found["failure"], found["replay"]) == (3, None, "")
    assert found["simulated"] is True
    assert found["tally"]["closes"] >= 1


def test_a_world_that_breaks_is_told_written_and_shrunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(
        params: Params, operations: list[dict[str, object]] | None = None, **_: object
    ) -> Lived:
        lived = tuple(operations) if operations is not None else BROKEN.operations
        return Lived(params, lived, Failure("INV-99", "planted", max(0, len(lived) - 1)), "d")

    monkeypatch.setattr(command, "live", broken)
    done = CliRunner().invoke(cli, ["sim", "--seed", "3", "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "seed 3 breaks at step 1 of 2: INV-99\n  planted" in done.stdout
    assert "   2 seal" in done.stdout
    args = ["sim", "--replay", str(tmp_path / "seed-3.jsonl"), "--shrink", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 1
    assert len((tmp_path / "seed-3-small.jsonl").read_text().splitlines()) == 1


def test_books_that_no_database_takes_are_refused_with_the_next_step() -> None:
    done = CliRunner().invoke(cli, ["sim", "--store", "postgresql://127.0.0.1:1/none"])
    assert done.exit_code != 0
    assert "the database refuses us" in str(done.exception)
