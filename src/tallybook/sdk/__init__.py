"""Metering inside the caller's own process: an HTTP client that sees what each call used."""

from tallybook.sdk.asked import key_id
from tallybook.sdk.clients import (
    async_client,
    async_transport,
    client,
    configure,
    flush,
    health,
    metered,
    transport,
)
from tallybook.sdk.tagging import TagsExecutor, carry, tagged, tags

__all__ = [
    "TagsExecutor",
    "async_client",
    "async_transport",
    "carry",
    "client",
    "configure",
    "flush",
    "health",
    "key_id",
    "metered",
    "tagged",
    "tags",
    "transport",
]
