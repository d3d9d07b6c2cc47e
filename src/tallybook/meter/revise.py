"""Buckets that have grown since they came in: a later version supersedes the earlier one.

A provider's bucket counts on until its window is over, and a while after. Asked for again it comes
with the same id and other figures. That is no conflict: the version that states more is the later
one, in whatever order they arrive. It takes an id of its own, ``<id>/2``, ``<id>/3``, and
supersedes the version before it. The same figures again are a duplicate. Figures that are new and
state no more than what is in are quarantined: an older export, or a provider that took something
back, which somebody has to look at.

What a version states is claimed beside its id, in the same transaction: so much in all, and a
digest of the figures. So it can be compared without looking for the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from tallybook.meter.identity import key_of
from tallybook.meter.measure import total_tokens
from tallybook.meter.model import UsageEvent
from tallybook.meter.sources.buckets import REQUESTS
from tallybook.store import Tx, inbox

_HALF: Final = 8  # bytes of the sum, and of the digest
_SUM_MAX: Final = 2 ** (8 * _HALF) - 1
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Stated(NamedTuple):
    """What a version of a bucket states: its figures added up, and their digest."""

    total: int
    digest: bytes

    @property
    def packed(self) -> bytes:
        """The 16 bytes under which it is claimed."""
        return self.total.to_bytes(_HALF, "big") + self.digest


def stated(event: UsageEvent) -> Stated:
    """What an event of a bucket states."""
    requests = (event.labels or {}).get(REQUESTS, "")
    units = sum(figure or 0 for figure in (event.units or {}).values())
    calls = int(requests) if requests.isascii() and requests.isdigit() else 0
    figures = _ENCODER.encode([event.tokens, event.units, requests])
    total = min(total_tokens(event) + units + calls, _SUM_MAX)
    return Stated(total, blake2b(figures, digest_size=_HALF).digest())


def stated_key(key: bytes) -> bytes:
    """The key under which what an event states is claimed, from the key of the event."""
    return blake2b(key, digest_size=len(key), person=b"stated").digest()


def version_id(event_id: str, number: int) -> str:
    """The id of a version of a bucket: the first has the bucket's own."""
    return event_id if number == 1 else f"{event_id}/{number}"


@dataclass(frozen=True, slots=True)
class Revised:
    """What becomes of buckets, by their position.

    ``events`` come in, some under the id of a later version; ``same`` are in already; ``refused``
    are quarantined, with the reason.
    """

    events: Mapping[int, UsageEvent]
    same: frozenset[int]
    refused: Mapping[int, str] = field(default_factory=dict)


def revise(tx: Tx, buckets: Mapping[int, UsageEvent]) -> Revised:
    """Find out which version each bucket is.

    Args:
        tx: a transaction.
        buckets: events under the ids that their source gave them, in order of arrival.
    """
    versions = _versions(tx, {(one.source, one.event_id) for one in buckets.values()})
    events: dict[int, UsageEvent] = {}
    same: set[int] = set()
    refused: dict[int, str] = {}
    for at, event in buckets.items():
        known, now = versions[event.source, event.event_id], stated(event)
        if now.digest in {version.digest for version in known}:
            same.add(at)
        elif not known:
            events[at] = event
            known.append(now)
        elif now.total > known[-1].total:
            events[at] = _later(event, len(known) + 1)
            known.append(now)
        else:
            refused[at] = (
                f"version {len(known)} of this bucket states {known[-1].total} in all, this one"
                f" {now.total}: an older export, or a correction by the provider"
            )
    return Revised(events, frozenset(same), refused)


def _later(event: UsageEvent, number: int) -> UsageEvent:
    return msgspec.structs.replace(
        event,
        event_id=version_id(event.event_id, number),
        supersedes=version_id(event.event_id, number - 1),
    )


def _versions(tx: Tx, ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Stated]]:
    """What each version of each bucket that is in states, the first version first."""
    found: dict[tuple[str, str], list[Stated]] = {one: [] for one in ids}
    pending, number = list(found), 0
    while pending:
        number += 1
        keys = {one: stated_key(key_of(one[0], version_id(one[1], number))) for one in pending}
        held = inbox.holders(tx, list(keys.values()))
        pending = [one for one in pending if keys[one] in held]
        for one in pending:
            packed, _ = held[keys[one]]
            total = int.from_bytes(packed[:_HALF], "big")
            found[one].append(Stated(total, packed[_HALF:]))
    return found


def claim_stated(tx: Tx, batch: int, buckets: Mapping[bytes, UsageEvent]) -> None:
    """Claim what buckets state whose ids, the keys here, were claimed in this transaction."""
    marks = {stated_key(key): stated(event).packed for key, event in buckets.items()}
    inbox.claim(tx, batch, list(marks), list(marks.values()))
