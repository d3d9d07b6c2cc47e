"""Tags written into the provider's own field for them, where the operator chose so.

What the caller set there stays. The body is written anew then; every other value keeps its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from tallybook.gateway.model import Stamp

_TAGS: Final = ("team", "feature", "purpose")
_LABEL: Final = re.compile(r"[^a-z0-9_-]")
_LABEL_MAX: Final = 63
_SAFETY_MAX: Final = 64


def stamped(body: bytes, stamps: tuple[Stamp, ...], tags: Mapping[str, str], key_id: str) -> bytes:
    """The body with tags in the provider's fields; as it was if it is no JSON object.

    Args:
        body: of the request.
        stamps: the fields.
        tags: of the call.
        key_id: the virtual key; it stands for the user where the call names none.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    told = {f"tallybook_{name}": tags[name] for name in _TAGS if tags.get(name)}
    # A digest: the provider is to tell users apart, not to know them.
    user = sha256(tags["user"].encode()).hexdigest() if tags.get("user") else key_id
    changed = False
    for stamp in stamps:
        changed |= _STAMPED[stamp](fields, told, user)
    return msgspec.json.encode(fields) if changed else body


def _mapping(name: str, told: Mapping[str, str], fields: dict[str, msgspec.Raw]) -> bool:
    try:
        held = msgspec.json.decode(fields[name], type=dict[str, Any] | None) or {}
    except KeyError:
        held = {}
    except msgspec.MsgspecError:
        return False  # it is not what the provider takes, and will be refused as it is
    fields[name] = msgspec.Raw(msgspec.json.encode({**told, **held}))
    return bool(told)


def _metadata(fields: dict[str, msgspec.Raw], told: Mapping[str, str], _user: str) -> bool:
    return _mapping("metadata", told, fields)


def _request_metadata(fields: dict[str, msgspec.Raw], told: Mapping[str, str], _user: str) -> bool:
    return _mapping("requestMetadata", told, fields)


def _labels(fields: dict[str, msgspec.Raw], told: Mapping[str, str], _user: str) -> bool:
    plain = {name: _LABEL.sub("-", text.lower())[:_LABEL_MAX] for name, text in told.items()}
    return _mapping("labels", plain, fields)


def _safety_identifier(fields: dict[str, msgspec.Raw], _told: Mapping[str, str], user: str) -> bool:
    if "safety_identifier" in fields:
        return False
    fields["safety_identifier"] = msgspec.Raw(msgspec.json.encode(user[:_SAFETY_MAX]))
    return True


def _user_id(fields: dict[str, msgspec.Raw], _told: Mapping[str, str], user: str) -> bool:
    try:
        held = msgspec.json.decode(fields["metadata"], type=dict[str, Any] | None) or {}
    except KeyError:
        held = {}
    except msgspec.MsgspecError:
        return False
    if "user_id" in held:
        return False
    fields["metadata"] = msgspec.Raw(msgspec.json.encode({**held, "user_id": user}))
    return True


_STAMPED: Final = {
    "metadata": _metadata,
    "safety_identifier": _safety_identifier,
    "user_id": _user_id,
    "requestMetadata": _request_metadata,
    "labels": _labels,
}
