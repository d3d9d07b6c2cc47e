"""Virtual keys: issued once, kept as digests, looked up in one step.

The file is JSON, written whole beside itself and renamed, under a lock; workers see a change within
a second. A secret has 256 random bits, so a plain SHA-256 of it gives nothing away.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from tallybook.clock import format_instant, parse_instant
from tallybook.errors import StoreError, WrongUsageError
from tallybook.gateway.model import VirtualKey
from tallybook.meter.model import PURPOSES

PREFIX: Final = "tbk_"
_HINT: Final = 4
_MODE: Final = 0o600
_INSTANTS: Final = ("issued", "expires", "revoked")
_ID_MAX: Final = 64


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return sha256(secret.encode()).hexdigest()


class Keyring:
    """The keys of a file, as they are now.

    Args:
        path: of the file; without one nobody has a key.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._by_digest: dict[str, VirtualKey] = {}
        self.generation = 0
        """changes whenever the keys do"""
        self.refresh()

    def refresh(self) -> bool:
        """Read the file again if it changed; whether it did.

        Raises:
            StoreError: it is damaged; the keys stay those that were read before.
        """
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except FileNotFoundError:
            seen = (0, 0, 0)
        if seen == self._seen:
            return False
        self._by_digest = {key.digest: key for key in read_keys(self._path)}
        self._seen = seen
        self.generation += 1
        return True

    def find(self, secret: str) -> VirtualKey | None:
        """The key of a secret, revoked and expired ones too; None if nobody was given it."""
        return self._by_digest.get(digest_of(secret)) if secret else None


def read_keys(path: Path) -> list[VirtualKey]:
    """The keys of a file, in the order in which they were issued.

    Raises:
        StoreError: the file is no key file.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        rows = msgspec.json.decode(raw, type=dict[str, list[dict[str, Any]]])["keys"]
        return [_key(row) for row in rows]
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise StoreError(
            "the key file cannot be read", where=str(path), next_step="restore it from a backup"
        ) from error


def issue(
    path: Path, key: VirtualKey, new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)
) -> str:
    """Add a key; its secret, which is told this once.

    Raises:
        WrongUsageError: the id is taken by a key in force, or a scope cannot be meant.
    """
    _check(key)
    with _rewritten(path) as keys:
        if any(one.id == key.id and not one.revoked_us for one in keys):
            raise WrongUsageError(
                f"key {key.id!r} is in force",
                next_step=f"tallybook key rotate {key.id}, or choose another id",
            )
        secret = PREFIX + new_secret()
        keys.append(replace(key, digest=digest_of(secret), hint=secret[-_HINT:]))
    return secret


def rotate(
    path: Path, key_id: str, now_us: int, overlap_us: int, **changes: Any
) -> tuple[str, VirtualKey]:
    """Issue a new secret for a key; the old one holds on for a while.

    Returns:
        the new secret, and the key as it is now.

    Raises:
        WrongUsageError: there is no such key in force.
    """
    with _rewritten(path) as keys:
        held = [n for n, one in enumerate(keys) if one.id == key_id and not _over(one, now_us)]
        if not held:
            raise _no_key(key_id)
        last = keys[held[-1]]
        secret = PREFIX + secrets.token_urlsafe(32)
        made = replace(
            last, digest=digest_of(secret), hint=secret[-_HINT:], issued_us=now_us, **changes
        )
        for number in held:
            until = now_us + overlap_us
            old = keys[number]
            keys[number] = replace(old, revoked_us=min(old.revoked_us or until, until))
        keys.append(made)
    return secret, made


def revoke(path: Path, key_id: str, now_us: int) -> int:
    """End a key at once, all its secrets; how many they were.

    Raises:
        WrongUsageError: there is no such key in force.
    """
    with _rewritten(path) as keys:
        held = [n for n, one in enumerate(keys) if one.id == key_id and not _over(one, now_us)]
        if not held:
            raise _no_key(key_id)
        for number in held:
            keys[number] = replace(keys[number], revoked_us=now_us)
    return len(held)


def _over(key: VirtualKey, now_us: int) -> bool:
    return bool(key.revoked_us) and key.revoked_us <= now_us


def _no_key(key_id: str) -> WrongUsageError:
    return WrongUsageError(
        f"no key {key_id!r} is in force", next_step="tallybook key list shows them"
    )


def _check(key: VirtualKey) -> None:
    if not key.id or len(key.id) > _ID_MAX or not key.id.isprintable() or " " in key.id:
        raise WrongUsageError(f"{key.id[:80]!r} is no id", next_step="use letters and dashes")
    for purpose in key.purposes:
        if purpose not in PURPOSES:
            raise WrongUsageError(
                f"{purpose!r} is no purpose", next_step=f"use one of {', '.join(PURPOSES)}"
            )


@contextmanager
def _rewritten(path: Path) -> Iterator[list[VirtualKey]]:
    """The keys to change; they are on the disk when the block ends, all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = read_keys(path)
        yield keys
        beside = path.with_name(f"{path.name}.{os.getpid()}.new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "wb") as new:
            new.write(msgspec.json.format(msgspec.json.encode({"keys": _rows(keys)})))
            new.flush()
            os.fsync(new.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _rows(keys: Iterable[VirtualKey]) -> list[dict[str, Any]]:
    return [row_of(key) | {"sha256": key.digest} for key in keys]


def row_of(key: VirtualKey) -> dict[str, Any]:
    """A key as people see it: nothing that opens anything."""
    told: dict[str, Any] = {"id": key.id, "hint": key.hint}
    for name in _INSTANTS:
        at_us = getattr(key, f"{name}_us")
        if at_us:
            told[name] = format_instant(at_us)
    for name in ("teams", "features", "purposes", "models", "upstreams"):
        if getattr(key, name):
            told[name] = list(getattr(key, name))
    return told | ({"untagged": key.untagged} if key.untagged else {})


def _key(row: Mapping[str, Any]) -> VirtualKey:
    told = dict(row)
    told["digest"] = str(told.pop("sha256"))
    for name in _INSTANTS:
        told[f"{name}_us"] = parse_instant(told.pop(name)) if name in told else 0
    for name in ("teams", "features", "purposes", "models", "upstreams"):
        told[name] = tuple(str(one) for one in told.get(name, ()))
    return VirtualKey(**told)
