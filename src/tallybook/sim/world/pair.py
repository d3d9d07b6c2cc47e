"""Two real processes at work on the same books at the same time.

Both bring in usage, some of it the same, seal it, run the month, and at last close it. Nothing may
be lost or doubled: what the two were told adds up, one of them closes, and the books end where
those of one process end that did everything alone.

``python -m tallybook.sim.world.pair HOME REPLAY`` is one of the processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from tallybook.errors import StoreError
from tallybook.sim.oracle.usage import take_in
from tallybook.sim.world import draw
from tallybook.sim.world.hands import Done, Hands, open_books
from tallybook.sim.world.known import Known
from tallybook.sim.world.live import memory_folder
from tallybook.sim.world.model import Lived, Operation, Params
from tallybook.sim.world.prints import final_digest
from tallybook.sim.world.prove import prove_invariants, prove_month, require
from tallybook.sim.world.replay import read_replay, write_replay
from tallybook.store import Store

PATIENCE: Final = 200
"""how often a process asks again while another one writes"""
SECONDS_MAX: Final = 1_800
_PROOF: Final = "two processes"
_SAME_OF_100: Final = 40
"""deliveries that both bring"""


def paired(seed: int, deliveries: int = 6, template: Path | None = None) -> Counter[str]:
    """Let two processes live a month on the same books.

    Args:
        seed: what they do is drawn from.
        deliveries: how many there are, besides runs, seals and closes.
        template: a file of empty books, or None.

    Returns:
        what the two were told, summed: accepted, duplicate and closed.

    Raises:
        BrokenError: something was lost or doubled.
    """
    luck = Random(f"pair {seed}")  # noqa: S311 - a simulation
    files, offered, ending = drawn(seed, deliveries)
    known = Known()
    known.keep(files, Done())
    known.offer([event for one in offered for event in one["events"]])
    with TemporaryDirectory(prefix="tallybook-pair-", dir=memory_folder()) as folder:
        home = Path(folder) / "books"
        store = open_books(home, template)
        Hands(store).do(files)
        work = [[], []]  # type: list[list[Operation]]
        for one in offered:
            both = luck.randrange(100) < _SAME_OF_100
            for own in work if both else [luck.choice(work)]:
                own += [one, *_between(luck, one)]
        told = _at_once(home, work) + _at_once(home, [ending, ending])
        wanted = len(known.intake.kept)
        brought = sum(len(one["events"]) for own in work for one in own if one["do"] == "ingest")
        _require_sums(told, wanted, brought)
        prove_invariants(store)
        known.published.add(str(draw.FIRST_MONTH))
        prove_month(store, known, str(draw.FIRST_MONTH), seed)
        found = final_digest(store)
        store.close()
        alone = _alone(Path(folder) / "alone", [files, *offered, *ending], template)
    require(
        _PROOF, ok=found == alone, detail="the books came out elsewhere than those of one alone"
    )
    return told


def drawn(seed: int, deliveries: int) -> tuple[Operation, list[Operation], list[Operation]]:
    """The files, deliveries of which any order keeps the same events, and how the month ends."""
    stream, memory = draw.Draw(Params(seed, 1, 0)), Known()
    files = stream.files_alone()
    memory.keep(files, Done())
    offered = [one for _ in range(deliveries) for one in stream.deliveries(memory)]
    kept = take_in([event for one in offered for event in one["events"]]).kept
    fresh = list(kept.values())
    for one in offered:
        own, one["events"] = one["events"], []
        for event in own:
            if event in fresh:
                fresh.remove(event)
                one["events"].append(event)
    at_us = max(one["at_us"] for one in offered)
    ending = [{**one, "at_us": max(at_us, one.get("at_us", 0))} for one in stream.closing(memory)]
    return files, offered, [{"n": 9000 + n, "pick": 0, **one} for n, one in enumerate(ending)]


def _between(luck: Random, one: Operation) -> list[Operation]:
    """What a process does after a delivery."""
    plain = {"n": one["n"] + 5000, "at_us": one["at_us"], "pick": 0}
    run = {**plain, "do": "run", "period": str(draw.FIRST_MONTH)}
    return luck.choice([[], [{**plain, "do": "seal"}], [run], [run]])


def _at_once(home: Path, work: Sequence[Sequence[Operation]]) -> Counter[str]:
    """Both do their work at the same time; returns what they were told."""
    told: Counter[str] = Counter()
    processes = []
    for number, own in enumerate(work):
        desk = home.parent / f"desk-{number}"
        desk.mkdir(exist_ok=True)
        file = write_replay(desk / "work.jsonl", Lived(Params(0), tuple(own), None, ""))
        command = (sys.executable, "-m", __name__, str(home), str(file))
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))  # noqa: S603
    for process in processes:
        out = process.communicate(timeout=SECONDS_MAX)[0]
        require(_PROOF, ok=process.returncode == 0, detail=f"one ended with {process.returncode}")
        told.update(json.loads(out))
    return told


def _require_sums(told: Counter[str], wanted: int, brought: int) -> None:
    require(
        _PROOF,
        ok=(told["accepted"], told["accepted"] + told["duplicate"]) == (wanted, brought),
        detail=f"{wanted} events in {brought} records; told {dict(told)}",
    )
    require(_PROOF, ok=told["closed"] == 1, detail=f"{told['closed']} of two closed the month")


def _alone(home: Path, operations: Sequence[Operation], template: Path | None) -> str:
    """The digest of books on which one process does everything."""
    hands = Hands(open_books(home, template))
    for operation in operations:
        hands.do(operation)
    digest = final_digest(hands.store)
    hands.store.close()
    return digest


def at_work(home: Path, operations: Sequence[Operation], desk: Path) -> Counter[str]:
    """One process: each operation again and again until no other one is in the way."""
    hands, told = Hands(Store.open(home), desk=desk), Counter[str]()
    for operation in operations:
        for _ in range(PATIENCE):
            done = hands.do(operation)
            if not done.refusal.startswith(StoreError.__name__):
                break
        told.update(_told(operation, done))
    hands.store.close()
    return told


def _told(operation: Operation, done: Done) -> dict[str, Any]:
    if operation["do"] == "ingest" and done.ok:
        return {name: done.value[name] for name in ("accepted", "duplicate", "quarantined")}
    return {"closed": operation["do"] == "close" and done.ok, "asked in vain": not done.ok}


def main(home: Path, replay: Path) -> None:
    """Do the work of a file and tell what came of it."""
    sys.stdout.write(json.dumps(at_work(home, read_replay(replay)[2], replay.parent)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
