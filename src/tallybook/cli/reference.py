"""Every command's help as one Markdown page.

``python -m tallybook.cli.reference > docs/cli.md`` writes it; a test compares.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from tallybook.cli.main import COMMANDS, cli

NAME = "tallybook"
HEAD = """\
# The command line

Written by `python -m tallybook.cli.reference > docs/cli.md` from the commands' own help; a test
keeps it up to date.

`TALLYBOOK_HOME` or `--home` names the books; without them it is the current folder if it holds
books, else `~/.tallybook`. The answer is on standard output, notes and progress are on standard
error. Exit 0: done. Exit 1: a check failed, or the books refuse. Exit 2: the command line is wrong.
Exit 130: interrupted; what was not finished changed nothing.
An error says what is wrong, with its figures, and what to do next.
"""


def reference() -> str:
    """The page: the group, then each command in the order of the work."""
    sections = [HEAD, "\n".join(_section(cli, NAME))]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, "the group lists its own commands"
        sections.append("\n".join(_section(command, f"{NAME} {name}")))
        below = command.commands if isinstance(command, click.Group) else {}
        sections += ["\n".join(_section(it, f"{NAME} {name} {sub}")) for sub, it in below.items()]
    return "\n".join(sections)


def _section(command: click.Command, name: str) -> Iterator[str]:
    # As the group calls it, so that -h is listed for every command.
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    yield f"## {name}\n"
    yield f"```\n{' '.join((name, *command.collect_usage_pieces(context)))}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\nExamples:"):
            lines = (line.strip() for line in paragraph.splitlines()[2:])
            yield "\n".join(("```", *lines, "```\n"))
        else:
            yield f"{paragraph}\n"
    yield "| option | |\n| --- | --- |"
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if isinstance(param, click.Option) and record:
            flags, text = (cell.replace("|", "\\|") for cell in record)
            yield f"| `{flags}` | {text} |"
    yield ""


if __name__ == "__main__":
    click.echo(reference(), nl=False)
