"""A month in traces of up to 64 levels: the walk and the transfers beside the flat run."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure
from bench.measure import measure_in_turn

MEGABYTE = 1_000_000


def graph_figures(home: Path, rows: int, repeat: int) -> list[Figure]:
    """The run as if every call stood alone, the run over traces, and what lies between.

    Raises:
        AssertionError: the two runs do not bill the same calls.
    """
    took = measure_in_turn(("flat", "whole", "requested"), home, repeat)
    flat, mine = took["flat"], took["whole"]
    if flat.result["events"] != mine.result["events"]:
        raise AssertionError(f"flat billed {flat.result}, over traces {mine.result}")
    asked = took["requested"]
    if asked.result["calls"] != flat.result["events"]:
        raise AssertionError(f"flat billed {flat.result}, requests have {asked.result}")
    walk_s = mine.cpu_s - flat.cpu_s
    return [
        Figure(f"flat run: {flat.result['events']:,} calls of {rows:,} spans", flat.cpu_s, "CPU s"),
        Figure("run over the traces", mine.cpu_s, "CPU s"),
        Figure("  walk and transfers, as a multiple of flat", walk_s / flat.cpu_s, "x", most=2),
        Figure("  the whole, as a multiple of flat", mine.cpu_s / flat.cpu_s, "x"),
        Figure("  waiting", mine.wall_s, "s"),
        Figure("  peak memory", mine.peak_bytes / MEGABYTE, "MB", most=1100),
        Figure(f"requests of {asked.result['traces']:,} traces", asked.cpu_s, "CPU s"),
        Figure("  as a multiple of flat", asked.cpu_s / flat.cpu_s, "x", most=2),
        Figure("  as a multiple of the run over the traces", asked.cpu_s / mine.cpu_s, "x", most=1),
        Figure("  peak memory", asked.peak_bytes / MEGABYTE, "MB"),
    ]
