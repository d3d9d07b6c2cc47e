"""The same job in other tools, as their users would write it: price by a join, group, sum.

Neither is needed to run or to test Tallybook; the benchmark says so when one is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tallybook.books.meters import TOKEN_CLASSES
from tallybook.rate.model import PriceRow

TOOLS = ("polars", "pandas")
_KEY = ("provider", "model", "tier", "region")
_TIMES = ("from_us", "to_us", "context_over", "context_upto")
_READ = ("team", "feature", "started_us", "context_tokens", *_KEY)
_PICO_PER_UNIT = 10**12
_DAY_US = 86_400_000_000
Job = Callable[[Sequence[Path], Sequence[PriceRow], Sequence[str]], dict[str, int]]


def is_installed(tool: str) -> bool:
    """Whether a tool can be imported here."""
    return find_spec(tool) is not None


def with_polars(
    paths: Sequence[Path], rows: Sequence[PriceRow], meters: Sequence[str]
) -> dict[str, int]:
    """Lazily, in whole pico, with the streaming engine."""
    pl: Any = __import__("polars")
    prices = pl.DataFrame(_prices(rows, meters, 1)).lazy()
    events = pl.scan_parquet([str(path) for path in paths])
    quantity = {
        meter: pl.col(meter) if meter in TOKEN_CLASSES else pl.col("units").map.get(meter)
        for meter in meters
    }
    pico = sum(of.fill_null(0) * pl.col(f"price_{meter}") for meter, of in quantity.items())
    priced = events.join(prices, on=list(_KEY)).filter(
        (pl.col("started_us") >= pl.col("from_us"))
        & (pl.col("started_us") < pl.col("to_us"))
        & (pl.col("context_tokens") > pl.col("context_over"))
        & (pl.col("context_tokens") <= pl.col("context_upto"))
    )
    day = (pl.col("started_us") // _DAY_US).alias("day")
    lines = (
        priced.group_by("team", "feature", "model", day)
        .agg(pico.sum().alias("pico"))
        .collect(engine="streaming")
    )
    return {"groups": lines.height, "pico": sum(lines["pico"].to_list())}


def with_pandas(
    paths: Sequence[Path], rows: Sequence[PriceRow], meters: Sequence[str]
) -> dict[str, int]:
    """File by file, prices per token as floats, as in a notebook."""
    pd: Any = __import__("pandas")
    prices = pd.DataFrame(_prices(rows, meters, _PICO_PER_UNIT))
    classes = [meter for meter in meters if meter in TOKEN_CLASSES]
    units = [meter for meter in meters if meter not in TOKEN_CLASSES]
    parts = []
    for path in paths:
        events = pd.read_parquet(path, columns=[*_READ, *classes, *(["units"] if units else [])])
        for unit in units:
            events[unit] = events["units"].map(
                lambda pairs, unit=unit: dict(pairs or ()).get(unit, 0)
            )
        found = events.merge(prices, on=list(_KEY))
        found = found[
            (found.started_us >= found.from_us)
            & (found.started_us < found.to_us)
            & (found.context_tokens > found.context_over)
            & (found.context_tokens <= found.context_upto)
        ]
        cost = sum(found[meter].fillna(0) * found[f"price_{meter}"] for meter in meters)
        found = found.assign(day=found.started_us // _DAY_US, cost=cost)
        parts.append(found.groupby(["team", "feature", "model", "day"], as_index=False).cost.sum())
    lines = pd.concat(parts).groupby(["team", "feature", "model", "day"]).cost.sum()
    return {"groups": len(lines), "pico": int(lines.sum() * _PICO_PER_UNIT)}


JOBS: dict[str, Job] = {"polars": with_polars, "pandas": with_pandas}


def _prices(rows: Sequence[PriceRow], meters: Sequence[str], unit: int) -> dict[str, list[Any]]:
    """The contract layer as columns: pico for a unit of 1, a float of the currency otherwise."""
    columns: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows] for name in (*_KEY, *_TIMES)
    }
    for meter in meters:
        pico = [(row.contract or {}).get(meter, 0) for row in rows]
        columns[f"price_{meter}"] = pico if unit == 1 else [price / unit for price in pico]
    return columns
