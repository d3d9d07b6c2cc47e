"""`serve`: the books, open for spans."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallybook.cli.app import App, note
from tallybook.errors import WrongUsageError

if TYPE_CHECKING:
    from tallybook.api.model import Token

OTLP_PORT = 4318


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=OTLP_PORT, show_default=True, type=click.IntRange(0, 65_535),
    help="Port; 0 takes any free one.",
)  # fmt: skip
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of bearer tokens, a line TOKEN [SCOPE,...] [as NAME] each (else TALLYBOOK_TOKEN).",
)
@click.option("--anonymous", is_flag=True, help="Who has no token may send and read.")
@click.pass_obj
def serve(app: App, host: str, port: int, token_file: Path | None, *, anonymous: bool) -> None:
    """Take OpenTelemetry spans (POST /v1/traces) and what spools ship (POST /v1/events).

    A token may ingest and read, or what its line says: ingest, read, ask (for more budget),
    approve, keys (of the gateway). With a name it acts as nobody else.

    Examples:  tallybook serve
    tallybook serve --host 0.0.0.0 --token-file tokens.txt
    """
    from tallybook.api import make_app  # noqa: PLC0415 - a web framework is dear to import
    from tallybook.api.guard import OPEN, Guard, is_loopback  # noqa: PLC0415
    from tallybook.api.model import PLAIN_SCOPES  # noqa: PLC0415
    from tallybook.api.serve import listen  # noqa: PLC0415
    from tallybook.api.serve import serve as serve_app  # noqa: PLC0415

    tokens = _tokens(token_file)
    if not tokens and not anonymous and not is_loopback(host):
        raise WrongUsageError(
            f"{host} is reached by other machines, and no token is set",
            next_step="give --token-file, or say --anonymous if a proxy checks who sends",
        )
    alone = not tokens and not anonymous
    guard = OPEN if alone else Guard(tokens, PLAIN_SCOPES if anonymous else ())
    made = make_app(app.store, clock=app.clock, guard=guard)
    with listen(host, port) as listening:
        serve_app(made, listening, lambda url: note(f"serving {app.home} on {url}"))


def _tokens(token_file: Path | None) -> tuple[Token, ...]:
    from tallybook.api.guard import tokens_of  # noqa: PLC0415

    try:
        text = token_file.read_text("utf-8") if token_file else ""
    except UnicodeDecodeError as error:
        raise WrongUsageError(
            f"{token_file} is not UTF-8 text", next_step="save it as UTF-8"
        ) from error
    tokens = tokens_of(text if token_file else os.environ.get("TALLYBOOK_TOKEN", ""))
    if token_file and not tokens:
        raise WrongUsageError(
            f"{token_file} holds no token", next_step="write one a line, long and random"
        )
    return tokens
