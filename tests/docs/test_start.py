"""docs/start.md is run: every ``sh`` block in order, and each ``text`` block against its output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tallybook.books.meters import TOKEN_CLASSES, TOKEN_CLASSES_INFORMATIVE
from tallybook.meter.mapping_file import read_mapping
from tallybook.meter.model import FIELDS

PAGE = Path(__file__).parents[2] / "docs" / "start.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    """(commands, what they print) for each ``sh`` block; '' where the page shows nothing."""
    found: list[tuple[str, str]] = []
    for kind, text in BLOCK.findall(page):
        if kind == "sh":
            found.append((text, ""))
        elif kind == "text":
            found[-1] = (found[-1][0], text)
    return found


def missing(shown: str, printed: str) -> str:
    """The first shown line that no printed line begins with, or has in it, in this order."""
    rest = iter(printed.splitlines())
    for line in shown.splitlines():
        if not any(line.strip() in candidate for candidate in rest):
            return line
    return ""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    home = tmp_path_factory.mktemp("start")
    marks = [f"--- block {number} ---" for number in range(len(blocks(PAGE.read_text())))]
    script = ["set -euo pipefail"]
    for mark, (commands, _) in zip(marks, blocks(PAGE.read_text()), strict=True):
        script += [f"echo '{mark}'", commands]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=home,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return re.split("|".join(f"{mark}\n" for mark in marks), done.stdout)[1:]


def test_every_block_prints_what_the_page_shows(printed: list[str]) -> None:
    for (commands, shown), output in zip(blocks(PAGE.read_text()), printed, strict=True):
        line = missing(shown, output)
        assert not line, f"{commands}\ndid not print {line!r} but\n{output}"


def test_the_page_knows_every_event_field_and_token_class() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    assert {*FIELDS, *TOKEN_CLASSES, *TOKEN_CLASSES_INFORMATIVE} <= named


def test_the_mapping_that_the_page_shows_is_one() -> None:
    shown = next(text for kind, text in BLOCK.findall(PAGE.read_text()) if kind == "yaml")
    mapping = read_mapping(shown.encode(), "start.md", "json")
    assert mapping.source == "proxy"
    assert set(mapping.tokens) == {"input_uncached", "cache_read", "output"}


def test_a_line_that_was_not_printed_is_missed() -> None:
    assert missing("a\nc", "xax\nb\nc") == ""
    assert missing("c\na", "a\nb\nc") == "a"
    assert blocks("```sh\nls\n```\n\n```text\na\n```\n```\nno\n```\n") == [("ls\n", "a\n")]
