"""``python -m tallybook.sim.world.soak --minutes 60``: world after world until the time is up.

One world in each batch of seeds is lived once more by a child process that dies by SIGKILL.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import click

from tallybook.clock import Clock, SystemClock
from tallybook.sim.world.hands import make_template
from tallybook.sim.world.kill import killed
from tallybook.sim.world.live import live, memory_folder
from tallybook.sim.world.model import BrokenError, Lived, Params
from tallybook.sim.world.replay import last_told, write_replay

MINUTE_US: Final = 60_000_000
SHOWN: Final = (
    *("seeds", "steps", "events", "runs", "closes", "reopens", "applys", "refused", "crashes"),
    *("kills", "proofs"),
)


@dataclass(slots=True)
class Soak:
    """What was lived so far, and which seeds broke."""

    tally: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def table(self, minutes: int) -> str:
        """The tally as Markdown."""
        names = {"applys": "edits of the files", "refused": "refusals, proven to change nothing",
                 "crashes": "crashes inside a command", "kills": "child processes killed with -9",
                 "proofs": "proofs of everything"}  # fmt: skip
        rows = [f"| {names.get(name, name)} | {self.tally[name]:,} |" for name in SHOWN]
        head = f"| seeds lived in {minutes} minutes | |\n| --- | ---: |"
        broken = "".join(f"\n* {line}" for line in self.broken) or " none"
        return "\n".join((head, *rows)) + f"\n\nBroken:{broken}\n"


def soak(minutes: int, first: int, batch: int, out: Path, clock: Clock) -> Soak:
    """Live worlds of growing seeds until the time is up.

    Args:
        minutes: how long; the world under way is lived to its end.
        first: the first seed.
        batch: one world in so many is killed with SIGKILL as well.
        out: where replay files of broken worlds go.
        clock: the time.
    """
    done, end_us, seed = Soak(), clock.now_us() + minutes * MINUTE_US, first
    with TemporaryDirectory(prefix="tallybook-soak-", dir=memory_folder()) as folder:
        template = make_template(Path(folder) / "empty")
        while clock.now_us() < end_us:
            luck = Random(f"soak {seed}")  # noqa: S311 - a simulation
            params = Params(seed, luck.choice([1, 2, 2, 3]), luck.choice([20, 40, 80]))
            lived = live(params, template=template)
            done.tally.update(lived.tally, seeds=1)
            problem = _broken(lived) or ""
            if not problem and seed % batch == 0:
                problem = _killed(lived, luck, template)
                done.tally["kills"] += 1
            if problem:
                path = write_replay(out / f"seed-{seed}.jsonl", lived)
                done.broken.append(f"seed {seed}: {problem}; replay file {path.name}")
                click.echo(f"{done.broken[-1]}\n{last_told(lived.operations)}", err=True)
            seed += 1
    return done


def _broken(lived: Lived) -> str:
    failure = lived.failure
    return f"step {failure.step}, {failure.proof}: {failure.detail}" if failure else ""


def _killed(lived: Lived, luck: Random, template: Path) -> str:
    try:
        killed(lived, luck, template)
    except BrokenError as broken:
        return str(broken)
    return ""


@click.command()
@click.option("--minutes", default=60, show_default=True)
@click.option("--seed", default=1, show_default=True, help="The first one.")
@click.option("--batch", default=5, show_default=True, help="One world in so many is killed.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out") / "sim")
@click.option("--write", type=click.Path(path_type=Path), help="A file for the tally.")
def main(minutes: int, seed: int, batch: int, out: Path, write: Path | None) -> None:
    """Live worlds until the time is up; exit 1 if one broke."""
    done = soak(minutes, seed, batch, out, SystemClock())
    table = done.table(minutes)
    click.echo(table)
    if write:
        write.write_text(f"# Seeds\n\n{table}", encoding="utf-8")
    sys.exit(1 if done.broken else 0)


if __name__ == "__main__":
    main()
