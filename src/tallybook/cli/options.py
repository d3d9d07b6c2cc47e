"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from tallybook.cli.app import App, parse_period
from tallybook.errors import WrongUsageError

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


def filled(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """What was written for an option, without blanks around it; a blank text is refused.

    A shell writes one for a variable that is not set; to take it as left out would do more, or
    check less, than was meant.
    """
    said = value.strip()
    is_written = ctx.get_parameter_source(param.name or "") is not ParameterSource.DEFAULT
    if is_written and not said:
        option = param.opts[0]
        without = "" if param.required else f", or leave {option} out"
        raise WrongUsageError(f"{option} is blank", next_step=f"write what it is{without}")
    return said
