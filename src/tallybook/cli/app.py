"""What every command shares: where the books are, who acts, in which form to answer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import category

import click

from tallybook.clock import Clock, Period, SystemClock
from tallybook.errors import TallybookError, WrongUsageError
from tallybook.store import Store
from tallybook.store.address import holds_books


@dataclass
class App:
    """One invocation."""

    home: Path
    actor: str
    as_json: bool = False
    clock: Clock = field(default_factory=SystemClock)

    @cached_property
    def store(self) -> Store:
        """The books, opened when first needed."""
        return Store.open(self.home)

    def answer(self, value: Any, text: str) -> None:
        """Print the machine form or the human form on standard output."""
        click.echo(json.dumps(value, indent=2, ensure_ascii=False) if self.as_json else text)


def note(text: str) -> None:
    """Tell a person something that is not the answer: standard error."""
    click.echo(text, err=True)


def default_home() -> Path:
    """TALLYBOOK_HOME; else this folder if it holds books; else ~/.tallybook."""
    named = os.environ.get("TALLYBOOK_HOME")
    if named:
        return Path(named)
    here = Path.cwd()
    return here if holds_books(here) else Path.home() / ".tallybook"


def parse_period(text: str) -> Period:
    """A PERIOD argument.

    Raises:
        WrongUsageError: it is none.
    """
    try:
        return Period.parse(text)
    except ValueError as error:
        raise WrongUsageError(
            f"{text!r} is not a period", next_step="write it as 2026-10"
        ) from error


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on standard error for work that takes long; silent when nobody watches.

    Yields:
        a function that takes the number of steps just done.
    """
    if not sys.stderr.isatty():
        yield lambda _steps: None
        return
    with click.progressbar(
        length=total or 0, label=label, file=sys.stderr, show_pos=True, show_percent=bool(total)
    ) as bar:
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            if not total:
                bar.length = max(bar.length or 0, done)
            bar.update(steps)

        yield advance


_CONTROLS = ("Cc", "Cf", "Zl", "Zp")
"""Categories of Unicode that move or colour text; a terminal obeys them."""


def _visible(cell: str) -> str:
    if cell.isprintable():
        return cell
    return "".join(
        one.encode("unicode_escape").decode() if category(one) in _CONTROLS else one for one in cell
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """An aligned text table; the columns numbered in ``right`` are set to the right.

    What callers wrote stands in it: a control character is shown, and not done by the terminal.
    """
    rows = [[_visible(cell) for cell in row] for row in rows]
    every = [list(headers), *rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line(headers), rule, *(line(row) for row in rows)])


@contextmanager
def errors_told() -> Iterator[None]:
    """Turn our errors into one message on standard error and their exit code."""
    try:
        yield
    except TallybookError as error:
        note(f"tallybook: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        note(f"tallybook: {where}{error.strerror or error}")
        sys.exit(1)
