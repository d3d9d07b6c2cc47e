"""The museum's own order: every exhibit has its test, and every test its row in the table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOM = Path(__file__).parent
ROW = re.compile(r"\| ([AMC])([0-9]+) \| `(\w+)` \| (.+) \|")
NAMED = re.compile(r"test_([amc][0-9]{2})_\w+")
METERING = range(1, 21)
EXHIBITS = (
    {f"m{number:02}" for number in range(1, 18)}
    | {f"a{number:02}" for number in METERING}
    | {f"c{number:02}" for number in range(1, 10)}
)


def rows() -> list[tuple[str, str, str]]:
    """Exhibit, test and what was changed, of each row of the table."""
    text = (ROOM / "README.md").read_text(encoding="utf-8")
    found = [ROW.fullmatch(line) for line in text.splitlines() if line.startswith("| ")]
    assert found[:2] == [None, None]  # the head of the table and its rule
    assert all(found[2:])
    return [(f"{r[1].lower()}{int(r[2]):02}", r[3], r[4]) for r in found if r]


def exhibited() -> dict[str, ast.FunctionDef]:
    """Every test of this folder that is named after an exhibit."""
    return {
        node.name: node
        for path in sorted(ROOM.glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and NAMED.fullmatch(node.name)
    }


def test_every_exhibit_of_the_table_has_a_test_of_its_name() -> None:
    here = exhibited()
    for exhibit, name, changed in rows():
        assert name in here, name
        assert name.startswith(f"test_{exhibit}_"), name
        assert changed.strip(), name
    assert {exhibit for exhibit, _, _ in rows()} == EXHIBITS


def test_every_test_of_an_exhibit_was_seen_to_fail() -> None:
    assert sorted(exhibited()) == sorted(name for _, name, _ in rows())


def test_every_exhibit_says_what_happened() -> None:
    assert [name for name, node in exhibited().items() if not ast.get_docstring(node)] == []
