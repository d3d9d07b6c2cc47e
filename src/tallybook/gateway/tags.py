"""Whose call it is: what its head claims, within what its key allows.

Claims come from ``x-tallybook-*`` headers and from W3C baggage ``chargeback.*``; a header wins over
baggage, because it was written for us. A key bounds team, feature and purpose: a claim outside
is refused and never corrected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from tallybook.books.globs import glob_matches, is_glob
from tallybook.gateway.model import Refusal, TagPolicy, VirtualKey
from tallybook.meter.model import PURPOSES

HEADER: Final = b"x-tallybook-"
BAGGAGE: Final = "chargeback."
FIELDS: Final = frozenset(
    {
        *("team", "feature", "purpose", "environment", "customer", "cohort", "plan", "user"),
        *("session", "prompt_version", "evaluation_run", "endpoint", "service", "operation_id"),
    }
)
SCOPED: Final = ("team", "feature", "purpose")
_LABEL: Final = "label-"
_NAMES: Final = {"operation": "operation_id"}
_LENGTH_MAX: Final = 256
_TAGS_MAX: Final = 48
_TRACE: Final = ("00", 32, 16, 2)

Tags = Mapping[str, str]


def claimed(told: Iterable[tuple[bytes, bytes]], baggage: bytes) -> dict[str, str] | Refusal:
    """The tags that a head claims; labels as ``labels.<name>``.

    Args:
        told: ``x-tallybook-*`` headers: the rest of the name in lower case, and the value.
        baggage: of all baggage headers, joined by commas.
    """
    tags: dict[str, str] = {}
    for member in baggage.split(b",") if baggage else ():
        name, _, value = member.partition(b";")[0].partition(b"=")
        key = name.strip().decode("latin-1").lower()
        if key.startswith(BAGGAGE):
            text = unquote(value.strip().decode("latin-1"))
            tags[_field(key.removeprefix(BAGGAGE))] = text
    own: set[str] = set()
    for header, raw in told:
        field = _field(header.decode("latin-1"))
        text = raw.decode("utf-8", "replace")
        if field in own and tags[field] != text:
            return _refused(f"tag {field} stands twice with two values", "send each tag once")
        own.add(field)
        tags[field] = text
    if len(tags) > _TAGS_MAX:
        return _refused(f"{len(tags)} tags", f"send {_TAGS_MAX} at most")
    for field, text in tags.items():
        if not text or len(text) > _LENGTH_MAX or not text.isprintable() or "\ufffd" in text:
            return _refused(
                f"the value of tag {field[:60]} is not text of 1 to {_LENGTH_MAX} characters",
                "shorten or clean it",
            )
    purpose = tags.get("purpose")
    if purpose is not None and purpose not in PURPOSES:
        return _refused(f"{purpose[:40]!r} is no purpose", f"use one of {', '.join(PURPOSES)}")
    return tags


@lru_cache(maxsize=4096)
def _field(name: str) -> str:
    """The field or label that a name means: ``prompt-version``, ``label-region``, ``region``."""
    if name.startswith((_LABEL, "label.", "labels.")):
        return f"labels.{name.partition('-' if name.startswith(_LABEL) else '.')[2]}"
    plain = name.replace("-", "_").replace(".", "_")
    plain = _NAMES.get(plain, plain)
    return plain if plain in FIELDS else f"labels.{name}"


def _refused(what: str, remedy: str) -> Refusal:
    return Refusal(400, "tags_invalid", f"{what}: {remedy}.")


def owned(tags: Tags, key: VirtualKey, policy: TagPolicy) -> dict[str, str] | Refusal:
    """The tags of a call under its key: what the key says is filled in, what it forbids refused.

    Returns:
        the tags. A call that lacks a required one and is admitted all the same carries the label
        ``untagged``; who answers for it is found in the books, the unowned team at last.
    """
    found = dict(tags)
    for name in SCOPED:
        scope = key.scope(name)
        if not scope:
            continue
        told = found.get(name)
        if told is None:
            if len(scope) == 1 and not is_glob(scope[0]):
                found[name] = scope[0]
        elif not any(glob_matches(one, told) for one in scope):
            return Refusal(
                403,
                f"{name}_not_allowed",
                f"Key {key.id} may not be used for {name} {told[:60]!r}: it is bound to "
                f"{', '.join(scope)}. Use another key, or correct the tag.",
            )
    missing = [name for name in policy.required if not found.get(name)]
    if not missing:
        return found
    if (key.untagged or policy.untagged) == "refuse":
        headers = ", ".join(f"x-tallybook-{name}" for name in missing)
        return Refusal(
            403,
            "untagged",
            f"This call names no {' and no '.join(missing)}, so nobody would answer for its cost. "
            f"Send {headers}, or use a key that is bound to a feature.",
        )
    found["labels.untagged"] = "true"
    return found


def trace_of(traceparent: bytes) -> dict[str, str]:
    """``trace_id``, and the caller's span as ``parent_span_id``; {} of what is no traceparent."""
    parts = traceparent.decode("latin-1").strip().split("-")
    version, trace, span, flags = _TRACE
    if len(parts) < 4 or parts[0] == "ff" or (parts[0] == version and len(parts) > 4):  # noqa: PLR2004
        return {}
    sizes = (2, trace, span, flags)
    if any(
        len(part) != size or not set(part) <= set("0123456789abcdef")
        for part, size in zip(parts, sizes, strict=False)
    ):
        return {}
    if not parts[1].strip("0") or not parts[2].strip("0"):
        return {}
    return {"trace_id": parts[1], "parent_span_id": parts[2]}
