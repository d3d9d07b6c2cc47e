"""A span as it came, whatever wire carried it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tallybook.errors import EventError

Attributes = Mapping[str, Any]
"""Name to text, bool, int, Decimal, bytes, list or map."""


class Resource(msgspec.Struct, frozen=True, gc=False):
    """Who sent spans: the attributes of a process, shared by all of its spans.

    ``plain`` are those that are text, as a key.
    """

    attributes: Attributes
    plain: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, attributes: Attributes) -> Resource:
        """The resource with these attributes."""
        plain = ((name, value) for name, value in attributes.items() if type(value) is str)
        return cls(attributes, tuple(plain))


class Span(msgspec.Struct, frozen=True, gc=False):
    """One finished span. Ids are lower-case hex, ``parent_id`` is '' of a root."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    failed: bool
    attributes: Attributes
    resource: Resource
    scope: str
    schema_url: str


class Broken(msgspec.Struct, frozen=True, gc=False):
    """What stands where a span should, and why it is none; only its ids are kept."""

    record: dict[str, Any]
    fault: EventError


KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
ERROR = 2
"""The code of a status that is an error."""
