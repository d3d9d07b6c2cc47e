"""A world in which usage is cut off, finance adjusts, and the month closes later."""

from __future__ import annotations

from pathlib import Path

from tallybook.sim.world.draw import Draw
from tallybook.sim.world.hands import ITEMS
from tallybook.sim.world.known import Known
from tallybook.sim.world.live import live
from tallybook.sim.world.model import Operation, Params

PARAMS = Params(5, 2, 0, deaths=0)
OCTOBER_4 = 1_791_072_000_000_000
MONTH = "2026-09"


def operations() -> list[Operation]:
    draw, known = Draw(PARAMS), Known()
    files = {**draw.files_alone(), "at_us": OCTOBER_4}
    known.files = files["files"]
    team = next(
        row["id"]
        for row in known.files["org"]["teams"]
        if row["id"] != known.files["org"]["unowned"]["team"]
    )
    policy = known.files["policy"]["versions"][0]
    policy["teams"] = {team: {"model": "real_cost", "markup": "10%"}}
    first, late = draw.deliveries(known)[:1], draw.deliveries(known)[:1]
    done: list[Operation] = [
        files,
        *first,
        *({"do": "waive", "period": MONTH, "item": item} for item in ITEMS),
        {"do": "soft", "period": MONTH},
        {"do": "soft", "period": MONTH},
        {"do": "run", "period": MONTH},
        {
            "do": "adjust",
            "period": MONTH,
            "sides": [[f"Charge:{team}", -5 * 10**9], ["Variance:goodwill", 5 * 10**9]],
            "crash": 3,
        },
        *late,
        {"do": "prove"},
        {"do": "close", "period": MONTH, "crash": 7},
        {"do": "adjust", "period": MONTH, "sides": [["Tax:x", 1], ["Accrued:x", -1]]},
        {"do": "prove"},
    ]
    return [
        {"pick": n, **each, "n": n, "at_us": OCTOBER_4 + n * 10**6}
        for n, each in enumerate(done, 1)
    ]


def test_it_is_as_the_oracle_says_also_when_it_dies_on_the_way(template: Path) -> None:
    lived = live(PARAMS, operations(), template)
    assert lived.failure is None
    told = {name: lived.tally[name] for name in ("softs", "adjusts", "closes", "proofs")}
    assert told == {"softs": 1, "adjusts": 1, "closes": 1, "proofs": 2}
    assert lived.tally["soft refused"] == 1
    assert lived.tally["run refused"] == 1
    assert lived.tally["adjust refused"] == 1
