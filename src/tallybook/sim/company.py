"""Northwind Robotics: its policy files, what is decided on the way, and what it pays for pools.

The files lie beside this module as they stand on the first day. A `Decision` edits them later, as
a person would, and is applied as a new version: books that begin are not books that end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

FILES: Final = ("org.yaml", "policy.yaml", "prices.yaml", "budgets.yaml")
CLOSED_MONTHS: Final = ("2026-08", "2026-09")
OPEN_MONTH: Final = "2026-10"
MONTHS: Final = (*CLOSED_MONTHS, OPEN_MONTH)
WRITTEN: Final = "2026-07-30T09:00:00Z"
"""when the first version of the files is applied"""

PLATFORM: Final = "platform-lead@northwind.example"
CONTROLLER: Final = "controller@northwind.example"
CFO: Final = "cfo@northwind.example"

POOL_ACTUALS: Final[Mapping[str, Mapping[str, str]]] = {
    "2026-08": {"gateway": "622.40", "observability": "391.35", "governance": "540.00"},
    "2026-09": {"gateway": "673.15", "observability": "388.90", "governance": "522.50"},
}
"""What each pool really cost in a month that is closed, in currency units."""

WAIVED_MONTH: Final = "2026-09"
WAIVED_ITEM: Final = "unallocated"
WAIVER_ESTIMATE: Final = "70.00"
WAIVER_REASON: Final = "robot voice pilot ran without tags; its key is named in November"


@dataclass(frozen=True, slots=True)
class Edit:
    """One place in one file: ``old`` stands there exactly once and becomes ``new``."""

    file: str
    old: str
    new: str

    def __call__(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files with the edit made.

        Raises:
            ValueError: ``old`` is not there, or more than once.
        """
        if files[self.file].count(self.old) != 1:
            raise ValueError(f"{self.file}: not exactly once: {self.old!r}")
        return {**files, self.file: files[self.file].replace(self.old, self.new)}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the company decides on a day in the middle of a month, and who records it."""

    at: str
    actor: str
    edits: tuple[Edit, ...]


_CAMPAIGN = "  - {id: campaign-writer, team: growth, name: Campaign writer}\n"
_CAMPAIGN_MOVED = """\
  # Reorganisation: calls until 15 September are Growth's, later ones are Sales'.
  - {id: campaign-writer, team: growth, name: Campaign writer, to: 2026-09-16}
  - {id: campaign-writer, team: sales, name: Campaign writer, from: 2026-09-16}
"""
_ANNEX = """\
    per_million_tokens: {input_uncached: "2.85", cache_read: "0.285", output: "14.25"}
    from: 2026-01-01
"""
_ANNEX_REPLACED = """\
    per_million_tokens: {input_uncached: "2.85", cache_read: "0.285", output: "14.25"}
    from: 2026-01-01
    to: 2026-09-17
  # A lower price in the middle of September: the rate card stays until the month is over, and the
  # difference is the rate-card variance.
  - contract: NW-ANT-2026 annex B
    provider: anthropic
    model: claude-sonnet-4-5
    per_million_tokens: {input_uncached: "2.40", cache_read: "0.24", output: "12.00"}
    from: 2026-09-17
"""

SEPTEMBER: Final = Decision(
    at="2026-09-14T08:30:00Z",
    actor=PLATFORM,
    edits=(
        Edit("org.yaml", _CAMPAIGN, _CAMPAIGN_MOVED),
        Edit("prices.yaml", _ANNEX, _ANNEX_REPLACED),
    ),
)


def first_files() -> dict[str, str]:
    """The policy files as they stand on the first day, text by name."""
    folder = resources.files(__package__) / "books"
    return {name: (folder / name).read_text(encoding="utf-8") for name in FILES}


def decided(files: Mapping[str, str], decision: Decision) -> dict[str, str]:
    """The policy files after a decision.

    Raises:
        ValueError: an edit does not fit the files.
    """
    edited = dict(files)
    for edit in decision.edits:
        edited = edit(edited)
    return edited
