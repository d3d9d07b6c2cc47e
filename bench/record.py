"""What was measured, kept beside the page that shows it.

The page is written from this record alone, so that a figure of a long step stays on it, with
machine and date, while others are measured again.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from bench.figures import Figure


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of one run of the benchmark, and under which conditions they came about."""

    conditions: str
    figures: tuple[Figure, ...]


def conditions(what: str, date: str) -> str:
    """Machine, versions, date and what else ran, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{what}; {os.cpu_count()} cores of {_processor()}, {memory / 2**30:.0f} GiB, Python"
        f" {platform.python_version()}, DuckDB {duckdb.__version__}; {date};"
        f" load {os.getloadavg()[0]:.1f}."
    )


def kept(page: Path) -> dict[str, Section]:
    """The sections behind a page; none if it was never written."""
    path = _path(page)
    if not path.is_file():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Section(section["conditions"], tuple(Figure(**one) for one in section["figures"]))
        for name, section in held.items()
    }


def keep(page: Path, name: str, told: str, figures: Sequence[Figure]) -> dict[str, Section]:
    """Put a section in place of what was measured before; returns all sections."""
    sections = {**kept(page), name: Section(told, tuple(figures))}
    _path(page).write_text(json.dumps(_plain(sections), indent=1) + "\n", encoding="utf-8")
    return sections


def _plain(sections: Mapping[str, Section]) -> dict[str, object]:
    return {name: asdict(section) for name, section in sorted(sections.items())}


def _path(page: Path) -> Path:
    return page.with_suffix(".json")


def _processor() -> str:
    """The processor's name where the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
