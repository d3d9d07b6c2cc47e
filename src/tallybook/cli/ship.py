"""`ship`: what the hook left in a spool, delivered."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path

import click

from tallybook.cli.app import App, note
from tallybook.cli.options import json_option
from tallybook.errors import DeliveryError
from tallybook.sdk.counters import Health
from tallybook.sdk.destinations import destination
from tallybook.sdk.settings import from_environment
from tallybook.sdk.shipping import Delivery, Destination
from tallybook.sdk.shipping import ship as ship_spool

EVERY_S = 2.0
PAUSE_MAX_S = 60.0


@click.command()
@click.argument("spool", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--to",
    "told",
    default="",
    help="https://server, parquet:address, table:SQLAlchemy-URL or books:folder"
    " (else TALLYBOOK_SHIP_TO, else these books).",
)
@click.option("--follow", is_flag=True, help="Go on until Ctrl-C; an outage is waited out.")
@json_option
@click.pass_obj
def ship(app: App, spool: Path | None, told: str, *, follow: bool) -> None:
    """Deliver what `tallybook.sdk` left in a spool. What is delivered again counts once.

    Several processes may write to the spool and ship from it meanwhile. A token for a server is
    read from TALLYBOOK_TOKEN.

    Examples:  tallybook --home acme ship /var/spool/tallybook
    tallybook ship /var/spool/tallybook --to https://books.example --follow
    """
    settings = from_environment()
    address = told or os.environ.get("TALLYBOOK_SHIP_TO", "") or f"books:{app.home}"
    there = destination(address, settings.token)
    health = Health()
    folder = spool or settings.spool
    if not folder.is_dir():
        note(f"{folder} is not there: nothing was written to it yet, or it is another folder")
    try:
        total = (
            _followed(folder, there, health) if follow else ship_spool(folder, there, health=health)
        )
    finally:
        there.close()
    counts = asdict(total)
    app.answer(counts, ", ".join(f"{count} {name}" for name, count in counts.items()))


def _followed(folder: Path, there: Destination, health: Health) -> Delivery:
    total, pause_s = Delivery(), EVERY_S
    while True:
        try:
            total += ship_spool(folder, there, health=health)
            pause_s = EVERY_S
        except DeliveryError as error:
            note(str(error))
            pause_s = min(pause_s * 2, PAUSE_MAX_S)
        try:
            time.sleep(pause_s)
        except KeyboardInterrupt:
            return total
