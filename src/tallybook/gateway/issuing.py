"""Keys are issued, rotated and revoked, each with its line in the command log of the books.

A gateway may stand apart from the books, with its key file alone: then there is no log to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tallybook.clock import format_instant
from tallybook.errors import WrongUsageError
from tallybook.gateway import keyring
from tallybook.gateway.model import VirtualKey
from tallybook.store import Store
from tallybook.store.commands import Command, log_command

HOUR_US: Final = 3_600_000_000
HOURS_MAX: Final = 24 * 90


def issue(store: Store | None, file: Path, key: VirtualKey, actor: str) -> str:
    """Issue a key at its ``issued_us``; returns its secret, which is told this once.

    Args:
        store: the books that log it; None where there are none.
        file: of the keys.
        key: without digest.
        actor: who acts.

    Raises:
        WrongUsageError: the id is taken by a key in force, or a scope cannot be meant.
        StoreError: the books cannot be written; no secret is made that nobody learns.
    """
    args = {name: value for name, value in keyring.row_of(key).items() if name != "hint"}
    with _logged(store, "key issue", args, actor, key.issued_us) as log:
        secret = keyring.issue(file, key)
        log(f"ends in {secret[-4:]}")
    return secret


def rotate(
    store: Store | None,
    file: Path,
    key_id: str,
    *,
    overlap_hours: int,
    expires_us: int = 0,
    actor: str,
    now_us: int,
) -> tuple[str, VirtualKey]:
    """Issue a new secret for a key; the old one holds on for some hours.

    Args:
        store: the books that log it; None where there are none.
        file: of the keys.
        key_id: which.
        overlap_hours: 0 to `HOURS_MAX`.
        expires_us: another end of the key; 0 leaves it.
        actor: who acts.
        now_us: when.

    Returns:
        the new secret, and the key as it is now.

    Raises:
        WrongUsageError: there is no such key in force, or the hours are too many.
        StoreError: the books cannot be written; the key stays as it is.
    """
    if not 0 <= overlap_hours <= HOURS_MAX:
        raise WrongUsageError(
            f"an overlap of {overlap_hours} hours", next_step=f"give 0 to {HOURS_MAX}"
        )
    args: dict[str, Any] = {"id": key_id, "overlap_hours": overlap_hours}
    changes = {"expires_us": expires_us} if expires_us else {}
    args |= {"expires": format_instant(expires_us)} if expires_us else {}
    with _logged(store, "key rotate", args, actor, now_us) as log:
        secret, made = keyring.rotate(file, key_id, now_us, overlap_hours * HOUR_US, **changes)
        log(f"ends in {secret[-4:]}")
    return secret, made


def revoke(store: Store | None, file: Path, key_id: str, actor: str, now_us: int) -> int:
    """End a key at once, be the books as they may; returns how many secrets it had.

    Raises:
        WrongUsageError: there is no such key in force.
        StoreError: the books cannot be written; the key has ended all the same.
    """
    count = keyring.revoke(file, key_id, now_us)
    with _logged(store, "key revoke", {"id": key_id}, actor, now_us) as log:
        log(f"{count} secrets")
    return count


@contextmanager
def _logged(
    store: Store | None, name: str, args: dict[str, Any], actor: str, now_us: int
) -> Iterator[Callable[[str], None]]:
    """What takes the outcome of a command, inside of the transaction that logs it."""
    if store is None:
        yield lambda _outcome: None
        return
    with store.write() as tx:
        yield lambda outcome: log_command(tx, Command(name, args, actor), now_us, {}, outcome)
