"""`gateway` and `key`: the metering gateway, and the keys that it issues."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tallybook.cli.app import App, note, table
from tallybook.cli.options import json_option
from tallybook.clock import parse_instant
from tallybook.errors import ClockError, WrongUsageError
from tallybook.store import Store
from tallybook.store.address import holds_books

if TYPE_CHECKING:
    from tallybook.gateway.model import Untagged

ACTIONS = ("issue", "rotate", "revoke", "list")


@click.command()
@click.option(
    "--config",
    "path",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Configuration: upstreams, keys, policy (docs/gateway.md).",
)
@click.option("--check", "only_check", is_flag=True, help="Only read the configuration.")
@json_option
@click.pass_obj
def gateway(app: App, path: Path, *, only_check: bool) -> None:
    """Pass calls on to providers, metered, tagged and by keys of your own.

    SIGHUP reads the configuration again without dropping a call, SIGTERM finishes what is under
    way.

    Examples:  tallybook gateway --config gateway.yaml
    tallybook gateway --config gateway.yaml --check
    """
    from tallybook.gateway.config import plain, read_config  # noqa: PLC0415 - a server is dear
    from tallybook.gateway.supervise import check  # noqa: PLC0415 - to import
    from tallybook.gateway.supervise import gateway as run_gateway  # noqa: PLC0415

    if only_check:
        config = read_config(path)
        check(config)
        told = plain(config)
        app.answer(told, f"{path} is good: {len(config.upstreams)} upstreams")
        return
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    run_gateway(path, lambda url: note(f"gateway on {url}"))


@click.command()
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("key_id", metavar="[ID]", required=False, default="")
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The key file (else gateway/keys.json in the books).",
)
@click.option(
    "--team", "teams", multiple=True, help="Team, or glob, of its calls; may be repeated."
)
@click.option("--feature", "features", multiple=True, help="Feature, likewise.")
@click.option("--purpose", "purposes", multiple=True, help="Purpose, likewise.")
@click.option("--model", "models", multiple=True, help="Model that it may use, likewise.")
@click.option("--upstream", "upstreams", multiple=True, help="Upstream that it may use, likewise.")
@click.option("--expires", default="", help="Day or instant from which it opens nothing.")
@click.option(
    "--untagged", type=click.Choice(("refuse", "admit")), help="What becomes of untagged calls."
)
@click.option(
    "--overlap-hours", default=24, show_default=True, help="How long a rotated secret holds on."
)
@json_option
@click.pass_obj
def key(
    app: App,
    action: str,
    key_id: str,
    keys: Path | None,
    teams: tuple[str, ...],
    features: tuple[str, ...],
    purposes: tuple[str, ...],
    models: tuple[str, ...],
    upstreams: tuple[str, ...],
    expires: str,
    untagged: str | None,
    overlap_hours: int,
) -> None:
    """Issue, rotate, revoke and list the gateway's keys: each bounds what a call may claim.

    A secret is shown once, when it is issued. A scope of one plain name is also what a call without
    that tag belongs to; without a scope anything may be claimed. A running gateway sees a change
    within a second. Who acted is in the command log of the books, no secret is.

    Examples:  tallybook key issue vk-support --team support --feature refund-bot
    tallybook key rotate vk-support --overlap-hours 48
    tallybook key revoke vk-support
    tallybook key list
    """
    from tallybook.gateway import issuing, keyring  # noqa: PLC0415 - only these commands need it
    from tallybook.gateway.model import VirtualKey  # noqa: PLC0415

    path = keys or app.home / "gateway" / "keys.json"
    now_us = app.clock.now_us()
    if action == "list":
        _list(app, path)
        return
    if not key_id:
        raise WrongUsageError(f"{action} which key?", next_step=f"tallybook key {action} ID")
    store = _logging_store(app)
    if action == "revoke":
        count = issuing.revoke(store, path, key_id, app.actor, now_us)
        app.answer({"id": key_id, "revoked": count}, f"{key_id} is revoked")
        return
    expires_us = _instant(expires)
    if action == "rotate":
        secret, made = issuing.rotate(
            store,
            path,
            key_id,
            overlap_hours=overlap_hours,
            expires_us=expires_us,
            actor=app.actor,
            now_us=now_us,
        )
    else:
        made = VirtualKey(
            id=key_id,
            digest="",
            hint="",
            issued_us=now_us,
            teams=teams,
            features=features,
            purposes=purposes,
            models=models,
            upstreams=upstreams,
            untagged=cast("Untagged", untagged or ""),
            expires_us=expires_us,
        )
        secret = issuing.issue(store, path, made, app.actor)
    note("shown this once; only its digest is kept")
    app.answer({**keyring.row_of(made), "hint": secret[-4:], "secret": secret}, secret)


def _logging_store(app: App) -> Store | None:
    """The books whose command log tells of a key; a gateway may stand apart from any."""
    if holds_books(app.home):
        return app.store
    note(f"no books in {app.home}: no command log tells of this; --home names the books")
    return None


def _list(app: App, path: Path) -> None:
    from tallybook.gateway.keyring import read_keys, row_of  # noqa: PLC0415

    rows = [row_of(one) for one in read_keys(path)]
    shown = [
        (
            row["id"],
            f"..{row['hint']}",
            ", ".join(row.get("teams", ["any"])),
            ", ".join(row.get("features", ["any"])),
            row.get("expires", ""),
            row.get("revoked", ""),
        )
        for row in rows
    ]
    heads = ("key", "secret", "team", "feature", "expires", "revoked")
    app.answer({"keys": rows}, table(heads, shown))


def _instant(text: str) -> int:
    if not text:
        return 0
    try:
        return parse_instant(text if "T" in text else f"{text}T00:00:00Z")
    except ClockError as error:
        raise WrongUsageError(
            f"{text!r} is no instant", next_step="write a day: 2027-01-01"
        ) from error
