"""docs/cli.md is what `python -m tallybook.cli.reference` writes."""

from __future__ import annotations

from pathlib import Path

from tallybook.cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "write it again: python -m tallybook.cli.reference > docs/cli.md"
    )
