"""How often a forecast's interval holds, on demand that was recorded elsewhere.

The recordings are of hours, not of months, so time is scaled: an hour of a tenant's day is taken
for a day of a month, a minute of the service's hour likewise. A forecast is made at five places of
each recording, and what then came is compared. Recordings of one day have no pattern that returns,
so they are the hard case: the past does not tell the evening. The same hours in a drawn order are
the other case, in which the past is like what comes.
"""

from __future__ import annotations

import ast
import csv
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from bench.figures import Figure
from tallybook.budget.forecast import DAY_US, HOUR_US, HOURS, Day, forecast

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
PLACES = (25, 33, 50, 66, 75)
"""percent of a recording that is past"""
_TENANTS, _SERVICES = "tenant_demand/deepseek-r1", "azure_llm_2023"
_SLOTS = 6
_MINUTE_S = 60
_SEED = 5


def is_there() -> bool:
    """Whether the recordings lie beside the project."""
    return (DATA / _TENANTS).is_dir() and (DATA / _SERVICES).is_dir()


def figures(paths: int = 400, most: int | None = None) -> Sequence[Figure]:
    """Shares of forecasts that held, in percent; 80 is what an interval promises."""
    tenants = list(islice(_tenants(), most))
    services = list(_services())
    draw = random.Random(_SEED)
    drawn = [draw.sample(days, len(days)) for days in tenants]
    rows = (("73 tenants, a day as it came", tenants), ("the same hours, in a drawn order", drawn),
            ("2 services, an hour as it came", services))  # fmt: skip
    found = []
    for name, months in rows:
        ends, outs, count = _held(months, paths)
        found.append(Figure(f"{name}: end within the interval", 100 * ends / count, "%"))
        found.append(Figure(f"{name}: day it ran out within it", 100 * outs / count, "%"))
        found.append(Figure(f"{name}: forecasts", count, ""))
    return found


def _held(months: Sequence[Sequence[Day]], paths: int) -> tuple[int, int, int]:
    ends = outs = count = 0
    for number, days in enumerate(months):
        for percent in PLACES:
            cut = len(days) * percent // 100
            past, came = days[:cut], days[cut:]
            rest = sum(day.total for day in came)
            if not sum(day.total for day in past) or not rest:
                continue
            at_us = cut * DAY_US
            told = forecast(
                past,
                [False] * len(came),
                at_us=at_us,
                end_us=len(days) * DAY_US,
                spent_pico=0,
                limit_pico=max(rest // 2, 1),
                salt=f"{number}",
                paths=paths,
            )
            if told is None:
                continue
            count += 1
            ends += told.month_end_pico.low <= rest <= told.month_end_pico.high
            out_us = at_us + _reached(came, max(rest // 2, 1))
            low, high = told.runs_out_us.low, told.runs_out_us.high
            outs += bool(low) and low <= out_us and (not high or out_us <= high)
    return ends, outs, max(count, 1)


def _reached(days: Sequence[Day], limit: int) -> int:
    spent = 0
    for number, day in enumerate(days):
        for hour, cost in enumerate(day.hours):
            spent += cost
            if spent >= limit:
                return number * DAY_US + (hour + 1) * HOUR_US
    return len(days) * DAY_US


def _tenants() -> Iterator[list[Day]]:
    for path in sorted((DATA / _TENANTS).glob("*-trace.csv")):
        shapes = json.loads(Path(str(path).replace("trace.csv", "dataset.json")).read_text())
        tokens = {int(at): _mean_tokens(shape) for at, shape in shapes.items()}
        slots = []
        with path.open(encoding="utf-8") as file:
            for row in csv.reader(file):
                at = max((one for one in tokens if one <= int(row[0])), default=min(tokens))
                slots.append(int(float(row[1]) * 600 * tokens[at]))
        parts = HOURS // _SLOTS
        yield [
            Day(tuple(cost // parts for cost in slots[n : n + _SLOTS] for _ in range(parts)), False)
            for n in range(0, len(slots) - _SLOTS + 1, _SLOTS)
        ]


def _mean_tokens(shape: dict[str, str]) -> float:
    """Tokens of a request, output weighted as much dearer as it usually is."""
    weights = {"input_tokens": 1, "output_tokens": 5}
    total = 0.0
    for name, weight in weights.items():
        held = ast.literal_eval(shape[name]) if shape.get(name) else {}
        share = sum(held.values())
        total += weight * sum(n * p for n, p in held.items()) / share if share else 0
    return total


def _services() -> Iterator[list[Day]]:
    for path in sorted((DATA / _SERVICES).glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        times = [datetime.fromisoformat(row["TIMESTAMP"][:26]) for row in rows]
        slots: Counter[int] = Counter()
        for at, row in zip(times, rows, strict=True):
            place = int((at - times[0]).total_seconds() * HOURS / _MINUTE_S)
            slots[place] += int(row["ContextTokens"]) + 5 * int(row["GeneratedTokens"])
        last = max(slots) + 1
        yield [
            Day(tuple(slots[place] for place in range(n, n + HOURS)), False)
            for n in range(0, last - HOURS + 1, HOURS)
        ]
