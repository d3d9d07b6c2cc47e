"""README.md shows what `make demo` prints, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallybook.cli.app import App
from tallybook.cli.main import cli

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *(PROJECT / "docs").glob("*.md")]


def command(home: Path, *words: str) -> str:
    done = CliRunner().invoke(cli, words, obj=App(home, "reader"))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_statement_is_the_one_of_the_demo(tmp_path: Path) -> None:
    command(tmp_path, "demo", "--out", str(tmp_path / "demo"))
    home = tmp_path / "demo" / "books"
    printed = command(home, "statement", "2026-09", "--team", "sales")
    shown = re.findall(r"^```\n(NORTHWIND.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(shown) == 1
    assert printed.startswith(shown[0])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    inside = [link.partition("#")[0] for link in links if "://" not in link]
    assert not [link for link in inside if link and not (page.parent / link).exists()]


def test_the_two_commands_are_in_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for name in re.findall(r"^make (\w+)$", README, re.MULTILINE):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE)
