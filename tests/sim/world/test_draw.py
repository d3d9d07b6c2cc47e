"""What is drawn: data that JSON keeps, files that the books accept, everything that can happen."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tallybook.books.documents import read_folder
from tallybook.sim.world import calls, company, draw, known, prove
from tallybook.sim.world.hands import Done, open_books
from tallybook.sim.world.live import live
from tallybook.sim.world.model import BrokenError, Params
from tallybook.sim.world.prints import books_print, final_digest, intake_print

MONTHS = ["2026-09", "2026-10"]


@pytest.mark.parametrize("seed", range(30))
def test_random_files_are_accepted(seed: int, tmp_path: Path) -> None:
    luck = Random(seed)
    files = company.first_files(luck, MONTHS)
    files = company.with_policy(luck, files, "2026-10")
    files = company.with_policy(luck, files, "2026-08")  # before the team that begins later
    files = company.repriced(luck, files, "2026-10-05")
    files = company.with_lost_priced(luck, files)
    for kind, text in company.texts_of(files).items():
        (tmp_path / f"{kind}.yaml").write_text(text)
    assert set(read_folder(tmp_path)) == set(files)


def test_operations_are_data(template: Path) -> None:
    for operation in live(Params(9, 1, 5), template=template).operations:
        assert json.loads(json.dumps(operation)) == operation


def test_every_kind_of_operation_is_drawn() -> None:
    """Drawn as if everything went well; no books are needed for that."""
    kinds = Counter[str]()
    for seed in range(10):
        memory, stream = known.Known(), draw.Draw(Params(seed, 2, 60))
        while operation := stream.next(memory):
            kinds[operation["do"]] += 1
            if operation["do"] != "reopen" or operation["period"] in memory.closed:
                memory.keep(operation, Done())
            if operation["do"] == "ingest":
                memory.offer(operation["events"])
    assert set(kinds) == {*draw.WEIGHTS, "prove", "soft", "adjust"} - {
        "late",
        "traces",
        "forbidden",
        "hasty",
    }


def test_deliveries_repeat_contradict_and_correct() -> None:
    luck, heard = Random(1), []
    for n in range(30):
        heard += calls.batch(luck, n, heard, [(1_790_000_000_000_000, 1_792_000_000_000_000)])
    memory = known.Known()
    told = memory.offer(heard)
    assert min(told.values()) > 10
    assert sum(told.values()) == len(heard)
    assert any("supersedes" in event for event in heard)


def test_a_broken_proof_names_itself() -> None:
    with pytest.raises(BrokenError) as caught:
        prove.require("INV-99", ok=False, detail="planted")
    assert (caught.value.proof, caught.value.detail) == ("INV-99", "planted")


def test_prints_of_empty_books(tmp_path: Path, template: Path) -> None:
    one, other = (open_books(tmp_path / name, template) for name in ("one", "other"))
    assert books_print(one) == books_print(other) == (None, *[0] * 8)
    assert intake_print(one) == (0, 0, 0)
    assert final_digest(one) == final_digest(other)
