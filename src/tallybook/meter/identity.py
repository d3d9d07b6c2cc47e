"""Who an event is, for ever: the key of its id and the digest of its source record (INV-06).

The digest covers what the source wrote, never what a reader made of it: a better reader does not
turn a replay into a conflict. It does not cover who the user and the customer are.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

Path = tuple[str, ...]

DIGEST_VERSION: Final = b"\x01"
PERSONAL: Final[tuple[Path, ...]] = (("user",), ("customer",))
_SIZE: Final = 16
_CANONICAL = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def key_of(source: str, event_id: str) -> bytes:
    """The 16-byte key under which an id is claimed."""
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=_SIZE).digest()


def superseded_key_of(key: bytes) -> bytes:
    """The 16-byte key under which "has been superseded" is claimed, from the key of the event."""
    return blake2b(key, digest_size=_SIZE, person=b"supersedes").digest()


def canonical_record(record: dict[str, Any], personal: Sequence[Path] = PERSONAL) -> bytes:
    """A source record as JSON with sorted keys and no white space, without who the people are.

    Args:
        record: the parsed object, or the row as column to text.
        personal: where the record gives user and customer.
    """
    for path in personal:
        if path[0] in record:
            return _CANONICAL.encode(without(record, personal))
    return _CANONICAL.encode(record)


def record_digest(canonical: bytes) -> bytes:
    """The 16-byte digest of a canonical record."""
    return blake2b(DIGEST_VERSION + canonical, digest_size=_SIZE).digest()


def without(record: dict[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """A copy of a record that lacks what lies at some paths; the record itself is left alone."""
    copy = dict(record)
    for head, *rest in paths:
        if head not in copy:
            continue
        if not rest:
            del copy[head]
        elif isinstance(copy[head], dict):
            copy[head] = without(copy[head], [tuple(rest)])
    return copy
