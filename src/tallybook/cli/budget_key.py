"""The key of a use case that begins: issued once, bound to its team, feature and purpose."""

from __future__ import annotations

from pathlib import Path

from tallybook.budget.model import Request
from tallybook.gateway import keyring
from tallybook.gateway.issuing import issue
from tallybook.gateway.model import VirtualKey
from tallybook.store import Store


def issued_key(store: Store, path: Path, begun: Request, actor: str, now_us: int) -> str:
    """Issue the key of an approved use case; the command log tells of it.

    Returns:
        its secret; empty where the key is in force already, whose secret nobody can tell any more.
    """
    told = begun.details
    held = [one for one in keyring.read_keys(path) if one.id == told["key"] and not one.revoked_us]
    if held:
        return ""
    key = VirtualKey(
        id=told["key"],
        digest="",
        hint="",
        issued_us=now_us,
        teams=(told["team"],),
        features=(begun.subject,),
        purposes=(told["purpose"],),
    )
    return issue(store, path, key, actor)
