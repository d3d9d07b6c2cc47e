"""``python -m tallybook.sim.world.soak --minutes 60``: world after world until the time is up.

In one world of each batch every death is a real process killed with -9, and many operations die;
the same world is lived once more by a child that is killed from outside at any instant, and once
on a disk that is full again and again; then two processes live a month on the same books.
"""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import click

from tallybook.clock import Clock, SystemClock, format_instant
from tallybook.sim.invoices.year import Year, live_year
from tallybook.sim.world.die import BY_KILL, IN_PROCESS
from tallybook.sim.world.full import filled, may_mount
from tallybook.sim.world.hands import make_template
from tallybook.sim.world.kill import killed
from tallybook.sim.world.live import live, memory_folder
from tallybook.sim.world.model import BrokenError, Lived, Params
from tallybook.sim.world.pair import paired
from tallybook.sim.world.replay import last_told, write_replay

MINUTE_US: Final = 60_000_000
DEATHS_IN_100: Final = 60
"""of the operations of a world whose deaths are real"""
SHOWN: Final = {
    "seeds": "seeds",
    "steps": "steps",
    "events": "events",
    "runs": "runs",
    "closes": "closes",
    "reopens": "reopens",
    "applys": "edits of the files",
    "refused": "refusals, proven to change nothing",
    "proofs": "proofs of everything",
    "crashes": "crashes inside a command, in process",
    "kills": "processes killed with -9 at a statement, a named point or the end of a command",
    "kills, before": "of these: the books as before the command",
    "kills, done": "of these: the command wholly in",
    "kills, between batches": "of these: a delivery between two of its batches, each whole",
    "instant": "processes killed with -9 from outside, at any instant",
    "all kills": "**all processes killed with -9**",
    "billed months": "months that seven providers bill, with differences of every kind put in",
    "variances found": "of these: variances found again, by name and to the last digit",
    "oracle months": "of these: times that every account of a month was the oracle's",
    "lost": "commands lost, half done or doubled after a death",
    "full": "commands refused because the disk was full, proven to change nothing",
    "pairs": "months lived by two processes on the same books at the same time",
}
YEAR_MONTHS, YEAR_EVERY = 12, 20
"""One seed of twenty whose deaths are real lives a whole year of invoices."""
HEAD: Final = """# Seeds

`make soak` lives worlds drawn from seeds until the time is up and writes its tally here; what a
world is and what is proven after every step stands in `src/tallybook/sim/world/README.md`. After
every death the books are compared with a twin that carried out the same command in peace: they are
as before or as the twin's, and when the command is given again they are as the twin's.

"""


@dataclass(slots=True)
class Soak:
    """What was lived so far, and which seeds broke."""

    tally: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many real processes died by SIGKILL."""
        return self.tally["kills"] + self.tally["instant"]

    def table(self) -> str:
        """The tally as Markdown."""
        shown = {**self.tally, "all kills": self.kills}
        rows = [f"| {title} | {shown.get(name, 0):,} |" for name, title in SHOWN.items()]
        broken = "".join(f"\n* {line}" for line in self.broken) or " none"
        return "\n".join(("| what | times |\n| --- | ---: |", *rows)) + f"\n\nBroken:{broken}\n"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a soak goes on: so many minutes at least, and until so many processes were killed.

    Attributes:
        minutes: the world under way is lived to its end.
        kills: 0 for no matter how many.
        first: the first seed.
        batch: in one world of so many the deaths are real.
    """

    minutes: int
    kills: int
    first: int
    batch: int


def soak(
    plan: Plan, out: Path, clock: Clock, on_world: Callable[[Soak], None] | None = None
) -> Soak:
    """Live worlds of growing seeds as planned.

    Args:
        plan: how long.
        out: where replay files of broken worlds go.
        clock: the time.
        on_world: told after each world what was lived so far, so that an end without warning loses
            one world and not the tally.
    """
    done, end_us, seed = Soak(), clock.now_us() + plan.minutes * MINUTE_US, plan.first
    with TemporaryDirectory(prefix="tallybook-soak-", dir=memory_folder()) as folder:
        template = make_template(Path(folder) / "empty")
        while clock.now_us() < end_us or done.kills < plan.kills:
            _live_one(seed, done, out, template, is_killing=seed % plan.batch == 0)
            seed += 1
            if on_world:
                on_world(done)
    return done


def _live_one(seed: int, done: Soak, out: Path, template: Path, *, is_killing: bool) -> None:
    luck = Random(f"soak {seed}")  # noqa: S311 - a simulation
    params = Params(seed, luck.choice([1, 2, 2, 3]), luck.choice([20, 40, 80]))
    if is_killing:
        params = replace(params, deaths=DEATHS_IN_100)
    lived = live(params, template=template, death=BY_KILL if is_killing else IN_PROCESS)
    done.tally.update(lived.tally, seeds=1)
    problem = _broken(lived)
    if is_killing and not problem:
        problem = _killed(lived, luck, template, done)
    if is_killing and not problem:
        problem = _billed(seed, done)
    if problem:
        path = write_replay(out / f"seed-{seed}.jsonl", lived)
        done.broken.append(f"seed {seed}: {problem}; replay file {path.name}")
        done.tally["lost"] += "INV-08" in problem or "kill -9" in problem
        click.echo(f"{done.broken[-1]}\n{last_told(lived.operations)}", err=True)


def _broken(lived: Lived) -> str:
    failure = lived.failure
    return f"step {failure.step}, {failure.proof}: {failure.detail}" if failure else ""


def _killed(lived: Lived, luck: Random, template: Path, done: Soak) -> str:
    try:
        done.tally["instant"] += killed(lived, luck, template) is not None
        done.tally["full"] += filled(lived, luck) if may_mount() else 0
        paired(lived.params.seed, template=template)
        done.tally["pairs"] += 1
    except BrokenError as broken:
        return str(broken)
    return ""


def _billed(seed: int, done: Soak) -> str:
    """Provider invoices of two months, now and then of a year: every difference is found again."""
    months = YEAR_MONTHS if seed % YEAR_EVERY == 0 else 2
    lived = live_year(Year(seed, months))
    done.tally["billed months"] += months
    done.tally["variances found"] += lived.tally["variances found"]
    done.tally["oracle months"] += lived.tally["months proven by the oracle"]
    again = f"tallybook sim --invoices --seed {seed} --months {months}"
    return f"{lived.failure}; {again}" if lived.failure else ""


def _told(plan: Plan, done: Soak, start_us: int, end_us: int) -> str:
    """The whole page: when, where, by which command, and the tally."""
    command = f"python -m tallybook.sim.world.soak --minutes {plan.minutes} --kills {plan.kills}"
    took = (end_us - start_us) // MINUTE_US
    return (
        f"{HEAD}{format_instant(start_us)[:10]}, {os.cpu_count()} cores"
        f" ({platform.system()} {platform.machine()}), Python {platform.python_version()},"
        f" {took} minutes:\n`{command} --seed {plan.first} --batch {plan.batch}`\n\n{done.table()}"
    )


@click.command()
@click.option("--minutes", default=60, show_default=True, help="At least so long.")
@click.option("--kills", default=0, help="Go on until so many real processes were killed.")
@click.option("--seed", default=1, show_default=True, help="The first one.")
@click.option("--batch", default=5, show_default=True, help="Real deaths in one world of so many.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out") / "sim")
@click.option("--write", type=click.Path(path_type=Path), help="A file for the tally.")
def main(minutes: int, kills: int, seed: int, batch: int, out: Path, write: Path | None) -> None:
    """Live worlds until the time is up; exit 1 if one broke."""
    clock, plan = SystemClock(), Plan(minutes, kills, seed, batch)
    start_us = clock.now_us()

    def keep(done: Soak) -> None:
        if write:
            write.write_text(_told(plan, done, start_us, clock.now_us()), encoding="utf-8")

    done = soak(plan, out, clock, keep)
    click.echo(done.table())
    sys.exit(1 if done.broken else 0)


if __name__ == "__main__":
    main()
