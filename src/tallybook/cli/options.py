"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tallybook.cli.app import App, parse_period

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(command: Command) -> Command:
    """``--json``: the machine form on standard output, and nothing else."""

    def switch(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001
        if value:
            ctx.find_object(App).as_json = True  # type: ignore[union-attr]

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=switch,
        help="Machine form on standard output.",
    )(command)


def period_argument(command: Command) -> Command:
    """``PERIOD``: a month of the company's calendar."""
    return click.argument(
        "period", metavar="PERIOD", callback=lambda _ctx, _param, value: parse_period(value)
    )(command)
