"""How one process meters: from its environment, or as it says itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast, get_args

from tallybook.meter.providers import provider_of
from tallybook.sdk.counters import LOG
from tallybook.sdk.tagging import checked

StreamUsage = Literal["known", "always", "never"]
"""When to ask for the usage of a stream: of providers known to take the question, of all, never."""

MIB: Final = 1024 * 1024
_PREFIX: Final = "TALLYBOOK_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the hook goes by.

    ``spool`` is the folder of events on their way. ``ship_to`` is where they go: an ``http(s)``
    address of a server, ``books:<folder>``, ``parquet:<address>`` or ``table:<SQLAlchemy URL>``;
    '' leaves them in the spool for ``tallybook ship``. ``token`` opens the server. ``tags`` hold
    for every call. ``key_name`` stands for the API key; '' takes a digest of it. ``providers`` says
    whose endpoint a host (``llm.internal:8000``) is, where the address does not say it.
    ``segment_bytes`` and ``segment_s`` close a file of the spool, ``spool_bytes`` bounds them all.
    ``flush_s`` is how long the end of the process waits for the last delivery.
    """

    spool: Path
    ship_to: str = ""
    token: str = field(default="", repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    key_name: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    stream_usage: StreamUsage = "known"
    segment_bytes: int = 4 * MIB
    segment_s: int = 5
    spool_bytes: int = 1024 * MIB
    flush_s: int = 5


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that environment variables give; docs/sdk.md lists them."""

    def told(name: str) -> str:
        return environment.get(_PREFIX + name, "").strip()

    return Settings(
        spool=Path(told("SPOOL")) if told("SPOOL") else _default_spool(environment),
        ship_to=told("SHIP_TO"),
        token=told("TOKEN"),
        tags=checked(_pairs(told("TAGS"))),
        key_name=told("KEY_NAME"),
        providers={host: provider_of(name) for host, name in _pairs(told("PROVIDERS")).items()},
        stream_usage=_stream_usage(told("STREAM_USAGE")),
        spool_bytes=(_whole(told("SPOOL_MIB")) or 1024) * MIB,
    )


def _default_spool(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME", "")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tallybook" / "spool"


def _pairs(text: str) -> dict[str, str]:
    """``team=support,feature=refund-bot`` as a mapping."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _stream_usage(text: str) -> StreamUsage:
    if text and text not in get_args(StreamUsage):
        LOG.warning("%sSTREAM_USAGE is one of %s", _PREFIX, ", ".join(get_args(StreamUsage)))
        text = ""
    return cast("StreamUsage", text or "known")


def _whole(text: str) -> int:
    if text and not text.isdecimal():
        LOG.warning("%sSPOOL_MIB is a whole number of MiB", _PREFIX)
    return int(text) if text.isdecimal() else 0
