"""``make mutants``: change money, allocate, ledger and rate in every small way; say who notices.

First the tests of the room itself, then, for what survived, those of the rooms that use it. The
tree is copied before it is mutated, so that nothing here can reach the project.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from bench.mutants.hunt import ENDLESS, KILLED
from bench.mutants.make import ROOMS, copy_project, mutate_room
from bench.mutants.tally import changes, page, table

PROJECT = Path(__file__).parent.parent.parent
WIDER = ("tests/post", "tests/invariants", "tests/known_failures", "tests/scenarios")
UNTIMED = "not million and not hundred_thousand and not TestBooks"
"""Tests of time say nothing here, and a machine of thousands of steps is dear for each survivor."""


@click.command()
@click.option("--room", "rooms", multiple=True, type=click.Choice(ROOMS), default=ROOMS)
@click.option("--share", default=100, show_default=True, help="So many of a hundred, by lot.")
@click.option("--at-once", default=os.cpu_count() or 1, show_default=True)
@click.option("--wider/--own", default=True, help="Ask the tests of other rooms too.")
@click.option("--write", type=click.Path(path_type=Path), help="A page for the tally.")
def main(rooms: Sequence[str], share: int, at_once: int, wider: bool, write: Path | None) -> None:  # noqa: FBT001
    """Hunt the mutants of each room and tell which survive."""
    fates = {}
    for room in rooms:
        with TemporaryDirectory(prefix="tallybook-mutants-") as folder:
            copy = Path(folder) / "project"
            copy_project(PROJECT, copy)
            mutants = mutate_room(copy, room)
            Random(1).shuffle(mutants)
            mutants = mutants[: len(mutants) * share // 100]
            found = hunted(copy, mutants, [f"tests/{room}"], at_once)
            left = [mutant for mutant in mutants if found[mutant] not in {KILLED, ENDLESS}]
            if wider and left:
                found |= hunted(copy, left, WIDER, at_once)
            for mutant in (m for m in left if found[m] not in {KILLED, ENDLESS}):
                click.echo("\n  ".join((mutant, *changes(copy / "src", mutant))))
            fates[room] = found
    click.echo(table(fates))
    if write:
        told = _told(rooms, share)
        old = write.read_text(encoding="utf-8") if write.is_file() else "# Mutants"
        write.write_text(page(old, told, fates), encoding="utf-8")


def hunted(
    copy: Path, mutants: Sequence[str], tests: Sequence[str], at_once: int
) -> dict[str, str]:
    """The fate of each mutant under some tests.

    Raises:
        CalledProcessError: the tests fail without a mutant.
    """
    named, fates = copy / "mutants.json", copy / "fates.json"
    named.write_text(json.dumps(list(mutants)), encoding="utf-8")
    options = ("--mutants", str(named), "--fates", str(fates), "--at-once", str(at_once))
    plain = ("-q", "-p", "no:xdist", "-p", "bench.mutants.hunt", "-k", UNTIMED)
    profile = "--hypothesis-profile=mutants"
    subprocess.run(
        [sys.executable, "-m", "pytest", *plain, profile, *options, *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'src'}"},
        stdout=sys.stderr,
        check=True,
    )
    found: dict[str, str] = json.loads(fates.read_text(encoding="utf-8"))
    return found


def _told(rooms: Sequence[str], share: int) -> str:
    options = "".join(f" --room {room}" for room in rooms if tuple(rooms) != ROOMS)
    lot = f" --share {share}" if share < 100 else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.system()}"
        f" {platform.machine()}), Python {platform.python_version()}:"
        f" `python -m bench.mutants{options}{lot}`"
    )


if __name__ == "__main__":
    main()
