"""docs/invariants.md names all fifteen, links tests that exist, and describes every check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallybook.check.check import CHECKS

PAGE = Path(__file__).parents[2] / "docs" / "invariants.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES = [f"INV-{number:02}" for number in range(1, 16)]


def sections(text: str) -> dict[str, str]:
    """The text below each heading that names an invariant."""
    parts = re.split(r"^### (INV-\d\d) .*$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def linked(text: str) -> list[str]:
    return re.findall(r"\]\(([^)#]+)", text)


def test_all_fifteen_are_there_in_order() -> None:
    assert list(sections(TEXT)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_its_links_lead_somewhere(name: str) -> None:
    gone = [link for link in linked(sections(TEXT)[name]) if not (PAGE.parent / link).is_file()]
    assert not gone


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_is_described_and_has_a_test(name: str) -> None:
    section = sections(TEXT)[name]
    assert f"*Check* `{name}`" in section
    assert any(Path(link).name.startswith("test_") for link in linked(section))


def test_every_one_is_checked_on_live_books() -> None:
    assert sorted(CHECKS) == NAMES
