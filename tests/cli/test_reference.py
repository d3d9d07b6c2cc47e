"""The reference names every command, and every option of each."""

from __future__ import annotations

import click
import pytest

from tallybook.cli.main import COMMANDS, cli
from tallybook.cli.reference import reference


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_stands_with_all_its_options(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    section = reference().partition(f"## tallybook {name}\n")[2].partition("\n## ")[0]
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert all(flag in section for option in options for flag in option.opts)
    assert (command.help or "").strip().splitlines()[0] in section


def test_examples_keep_their_lines() -> None:
    assert "```\ntallybook check\ntallybook check INV-10 INV-12 --json\n```" in reference()
