"""`tallybook`: verb first. Commands are loaded when they are called, so that help is instant."""

from __future__ import annotations

import getpass
import inspect
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from tallybook import __version__
from tallybook.cli.app import App, default_home, errors_told, note

COMMANDS = {
    "init": "books",
    "upgrade": "books",
    "apply": "books",
    "ingest": "usage",
    "pull": "pull",
    "usage": "reading",
    "ship": "ship",
    "worklist": "usage",
    "serve": "serve",
    "live": "live",
    "alerts": "live",
    "requests": "requests",
    "undelivered": "undelivered",
    "gateway": "gateway",
    "key": "gateway",
    "budget": "budget",
    "label": "label",
    "decide": "evidence",
    "evidence": "evidence",
    "coverage": "evidence",
    "pool": "month",
    "run": "month",
    "status": "closing",
    "adjust": "adjusting",
    "waive": "closing",
    "close": "closing",
    "reopen": "closing",
    "dispute": "adjusting",
    "open-items": "adjusting",
    "invoice": "invoices",
    "reconcile": "invoices",
    "true-up": "invoices",
    "accrue": "accruals",
    "dispose": "accruals",
    "commitments": "accruals",
    "prepaid": "accruals",
    "why-different": "why",
    "compare": "compare",
    "graph": "graph",
    "customers": "customers",
    "statement": "statements",
    "rebuild": "statements",
    "explain": "explain",
    "balance": "ledger",
    "trial-balance": "ledger",
    "journal": "ledger",
    "export": "ledger",
    "check": "proof",
    "verify": "proof",
    "seal": "seal",
    "demo": "demo",
    "sim": "sim",
    "bench": "proof",
}
"""Each command and the module beside this one that holds it, in the order of the work."""


_INTERRUPTED = 130
"""The exit code of what SIGINT ended, as shells have it."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what a key stroke ends says how things stand, and no more."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            note("tallybook: interrupted; what was not finished changed nothing")
            note("  next: give the same command again; what is in already is not counted twice")
            sys.exit(_INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name, or None."""
        module = COMMANDS.get(name)
        if module is None:
            return None
        found: Any = getattr(import_module(f"tallybook.cli.{module}"), name.replace("-", "_"))
        assert isinstance(found, click.Command)
        below = found.commands.values() if isinstance(found, click.Group) else ()
        for command in (found, *below):
            command.help = _with_examples_kept(inspect.cleandoc(command.help or ""))
        return found


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples:  tallybook init acme  ·  tallybook --home acme ingest jsonl calls.jsonl"
    "  ·  tallybook --home acme close 2026-10",
)
@click.version_option(__version__, prog_name="tallybook")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="The books (else TALLYBOOK_HOME, ., ~/.tallybook).",
)
@click.option("--as", "actor", help="Who acts; declared, recorded with every command.")
@click.pass_context
def cli(ctx: click.Context, home: Path | None, actor: str | None) -> None:
    """The chargeback ledger for LLM inference: calls metered, priced, owned, charged, booked."""
    if not isinstance(ctx.obj, App):
        ctx.obj = App(home or default_home(), actor or _login())


def _with_examples_kept(text: str) -> str:
    """Help whose examples stand one a line; without the mark the lines would run together."""
    words, found, examples = text.partition("\n\nExample")
    if not found or "\b" in text:
        return text
    commands = examples.partition(":")[2].split("\n")
    listed = "\n".join(f"  {command.strip()}" for command in commands if command.strip())
    return f"{words}\n\n\b\nExamples:\n{listed}"


def main() -> None:
    """Entry point of the console script."""
    with errors_told():
        cli()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
