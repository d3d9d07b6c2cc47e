"""`sim`: a world drawn from a seed, lived through the real code under proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from tallybook.cli.app import App, note
from tallybook.cli.options import json_option
from tallybook.sim.invoices.company import MONTHS
from tallybook.sim.invoices.year import Year, live_year
from tallybook.sim.places import Places
from tallybook.sim.world.die import IN_PROCESS, by_cut
from tallybook.sim.world.live import live
from tallybook.sim.world.model import Lived, Operation, Params
from tallybook.sim.world.replay import last_told, read_replay, write_replay
from tallybook.sim.world.shrink import shrink as shrink_world

OUT = Path("out") / "sim"


@click.command()
@click.option("--seed", default=1, show_default=True, help="The same seed, the same operations.")
@click.option("--months", default=2, show_default=True, type=click.IntRange(1, 24))
@click.option("--steps", default=40, show_default=True, type=click.IntRange(0))
@click.option("--shrink", is_flag=True, help="Make a world that breaks small.")
@click.option("--invoices", is_flag=True, help="A year of invoices with differences put in.")
@click.option("--store", default="", help="URL of a PostgreSQL database for the books.")
@click.option("--replay", type=click.Path(path_type=Path), help="Live a written world again.")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, help="For replay files.")
@json_option
@click.pass_context
def sim(
    ctx: click.Context,
    seed: int,
    months: int,
    steps: int,
    shrink: bool,  # noqa: FBT001 - click gives flags by position
    invoices: bool,  # noqa: FBT001
    store: str,
    replay: Path | None,
    out: Path,
) -> None:
    """Live a SIMULATED company's months, with crashes and late usage, proving every step.

    Needs no books. Exit 1 when a proof fails; a replay file is written then. With --invoices seven
    providers bill a year of four price cuts and one rise, with differences of every kind put in:
    the books must find each by its name, to the last digit, through crashes and restatements.
    Prepaid credits, commitments, capacity and contracts in euros go with it, and an oracle follows
    every account. With --store the books are in schemas of their own of that database, dropped
    afterwards, and commands die by their connection too.

    Examples:  tallybook sim --seed 7 --months 3 --steps 200
    tallybook sim --invoices --seed 7 --months 12
    tallybook sim --store postgresql://tally@127.0.0.1/scratch
    tallybook sim --replay out/sim/seed-7.jsonl --shrink
    """
    app: App = ctx.obj
    if invoices:
        _year(ctx, app, Year(seed, min(months, len(MONTHS)), store=store))
    params, operations = Params(seed, months, steps), None
    if replay:
        params, _, operations = read_replay(replay)
    with Places(store) as places:
        _world(ctx, places, (params, operations), out, shrink=shrink)


def _world(
    ctx: click.Context,
    places: Places,
    drawn: tuple[Params, Sequence[Operation] | None],
    out: Path,
    *,
    shrink: bool,
) -> None:
    """Live a world, tell of it, and end."""
    app: App = ctx.obj
    params, operations = drawn
    death = by_cut(places.cut) if places.url else IN_PROCESS
    living = partial(live, death=death, opened=places.open)
    lived = living(params, operations)
    file = ""
    if lived.failure:
        file = str(write_replay(out / f"seed-{params.seed}.jsonl", lived))
        if shrink:
            note("making it small ..")
            lived = shrink_world(lived, lambda fewer: living(params, fewer))
            file = str(write_replay(out / f"seed-{params.seed}-small.jsonl", lived))
    app.answer(_value(lived, file), _text(lived, file))
    ctx.exit(1 if lived.failure else 0)


def _year(ctx: click.Context, app: App, year: Year) -> None:
    """Live a year of invoices, tell of it, and end."""
    lived = live_year(year)
    tally = dict(sorted(lived.tally.items()))
    value = {"simulated": True, "seed": year.seed, "months": year.months, "tally": tally,
             "failure": lived.failure or None}  # fmt: skip
    counts = ", ".join(f"{count} {name}" for name, count in tally.items())
    ending = f"breaks: {lived.failure}" if lived.failure else "every difference was found"
    app.answer(value, f"SIMULATED invoices: seed {year.seed}: {ending}\n  {counts}")
    ctx.exit(1 if lived.failure else 0)


def _value(lived: Lived, file: str) -> dict[str, object]:
    return {
        "simulated": True,
        **asdict(lived.params),
        "tally": dict(sorted(lived.tally.items())),
        "digest": lived.digest,
        "failure": asdict(lived.failure) if lived.failure else None,
        "replay": file,
    }


def _text(lived: Lived, file: str) -> str:
    tally = ", ".join(f"{count} {name}" for name, count in sorted(lived.tally.items()))
    seed = f"SIMULATED: seed {lived.params.seed}"
    if lived.failure is None:
        return f"{seed}: every proof held\n  {tally}\n  digest {lived.digest}"
    return (
        f"{seed} breaks at step {lived.failure.step} of {len(lived.operations)}:"
        f" {lived.failure.proof}\n  {lived.failure.detail}\n\n"
        f"{last_told(lived.operations)}\n\n  replay file: {file}\n"
        f"  next: tallybook sim --replay {file} --shrink"
    )
