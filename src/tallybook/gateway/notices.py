"""Acts at a limit, on the disk at once and in the store when it is there.

Each is a line in a spool of its own beside that of the events. Alike ones of a segment are counted
together when they are shipped: a caller that is refused a thousand times a second leaves a row or
two, and no call is left out of the count.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

import msgspec

from tallybook.budget.model import Act, Limit, Notice
from tallybook.clock import Clock
from tallybook.sdk.counters import Health
from tallybook.sdk.record import Attempt
from tallybook.sdk.shipping import REFUSED, Destination, RefusedError
from tallybook.sdk.spool import Spool, waiting

if TYPE_CHECKING:
    from tallybook.store import Store

_BOUND_BYTES: Final = 256 * 1024 * 1024
_SEGMENT_BYTES: Final = 4 * 1024 * 1024
_SEGMENT_S: Final = 2.0
_ENCODE: Final = msgspec.json.Encoder().encode
_DECODER: Final = msgspec.json.Decoder(Notice)
_ID_BYTES: Final = 8
_NAME_MAX: Final = 120
_NANO_MAX: Final = 2**63 - 1
"""What a column of the books holds; a notice beyond it says so much and stops no other."""


def notices_of(spool: Path) -> Path:
    """Where notices wait, beside the spool of the events."""
    return spool.with_name(spool.name + ".notices")


class Notices:
    """What one process notes.

    Args:
        folder: of the notices.
        health: told of what is written and lost.
    """

    def __init__(self, folder: Path, health: Health) -> None:
        self._spool = Spool(
            folder,
            segment_bytes=_SEGMENT_BYTES,
            segment_s=60.0,
            bound_bytes=_BOUND_BYTES,
            health=health,
        )

    def note(
        self,
        *,
        at_us: int,
        limit: Limit | None,
        act: Act,
        attempt: Attempt,
        estimate_nano: int,
        spent_nano: int,
        reason: str,
        instead: str,
        model: str,
    ) -> None:
        """Note what was done with a call."""
        tags = attempt.tags
        self.put(
            Notice(
                notice_id=secrets.token_hex(_ID_BYTES),
                at_us=at_us,
                period=str(limit.period) if limit else "",
                budget=limit.budget if limit else "",
                act=act,
                team=tags.get("team", ""),
                feature=tags.get("feature", ""),
                key_id=attempt.key_id,
                model=model[:_NAME_MAX],
                instead=instead,
                estimate_nano=estimate_nano,
                limit_nano=limit.limit_nano if limit else 0,
                spent_nano=spent_nano,
                reason=reason,
            )
        )

    def put(self, notice: Notice) -> None:
        """Write a notice."""
        self._spool.append(_ENCODE(notice))

    def tend(self) -> None:
        """Close the segment if it is old enough, so that it can be shipped."""
        self._spool.seal(older_s=_SEGMENT_S)

    def close(self) -> None:
        """The process ends."""
        self._spool.seal()


def folded(notices: Iterable[Notice], salt: str) -> list[Notice]:
    """Alike notices as one that counts their calls; the same ones always give the same.

    Args:
        notices: of one segment.
        salt: the name of the segment: what it holds is counted once, however often it is shipped.
    """
    found: dict[tuple[str, ...], Notice] = {}
    for told in notices:
        one = replace(told, estimate_nano=min(told.estimate_nano, _NANO_MAX))
        key = (
            one.period, one.budget, one.act, one.team, one.feature, one.key_id, one.model,
            one.instead, one.level,
        )  # fmt: skip
        held = found.get(key)
        if held is None:
            made = sha256("\n".join((salt, *key)).encode()).hexdigest()
            found[key] = replace(one, notice_id=made if one.act != "warn" else one.notice_id)
            continue
        found[key] = replace(
            held,
            calls=held.calls + one.calls,
            estimate_nano=min(held.estimate_nano + one.estimate_nano, _NANO_MAX),
            spent_nano=max(held.spent_nano, one.spent_nano),
        )
    return list(found.values())


def ship_notices(folder: Path, store: Store, clock: Clock) -> int:
    """Bring what waits to the books; how many rows it became.

    Raises:
        StoreError: the store cannot be written; the notices wait.
    """
    from tallybook.store.commands import Command, log_command  # noqa: PLC0415 - processes
    from tallybook.store.notices import put_notices  # noqa: PLC0415 - ship no notices

    count = 0
    for path, rows in _waiting(folder):
        with store.write() as tx:
            kept = put_notices(tx, rows)
            if kept:
                command = Command("ship", {"segment": path.name}, "gateway")
                log_command(tx, command, clock.now_us(), {}, f"{kept} notices")
        count += kept
        path.unlink()
    return count


def send_notices(folder: Path, server: Destination) -> int:
    """Send what waits to a server that keeps it; how many rows were new to it.

    Raises:
        DeliveryError: it cannot be reached, or it refuses; the notices wait.
    """
    count = 0
    for path, rows in _waiting(folder):
        with NamedTemporaryFile() as file:
            file.writelines(_ENCODE(row) + b"\n" for row in rows)
            file.flush()
            try:
                count += server.deliver(Path(file.name)).accepted
            except RefusedError:
                path.rename(path.with_suffix(REFUSED))
                continue
        path.unlink()
    return count


def _waiting(folder: Path) -> Iterator[tuple[Path, list[Notice]]]:
    """The segments that wait, with what they fold to."""
    for path in waiting(folder):
        # After the last line break stands nothing, or half a line of a process that was cut off.
        *lines, _ = path.read_bytes().split(b"\n")
        yield path, folded((_DECODER.decode(line) for line in lines), path.stem)
