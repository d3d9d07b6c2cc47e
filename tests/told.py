"""What sources tell of calls, for tests: a canonical record and its role."""

from __future__ import annotations

from typing import Any

from tallybook.meter.resolve.observation import Observation
from tallybook.store.events import EVENT_SCHEMA, TEXT, WHOLE

Told = tuple[dict[str, Any], str]


def call(event_id: str, source: str, second: int = 0, **fields: Any) -> Told:
    """A call that took one second."""
    plain = {
        "event_id": event_id,
        "source": source,
        "started_at": f"2026-10-03T10:{second // 60:02d}:{second % 60:02d}Z",
        "ended_at": f"2026-10-03T10:{second // 60:02d}:{second % 60:02d}.9Z",
        "provider": "openai",
        "model": "gpt-4o",
    }
    return plain | fields, "call"


def agent(event_id: str, source: str, second: int = 0, **fields: Any) -> Told:
    """A span that adds up what lies in it."""
    return call(event_id, source, second, **fields)[0], "agent"


def span(event_id: str, source: str, second: int = 0, **fields: Any) -> Told:
    """A step that used nothing itself."""
    nobody = {"provider": "none", "model": "none"}
    return call(event_id, source, second, **(nobody | fields))[0], "span"


def observed(source: str, key: int, role: Any = "call", **columns: Any) -> Observation:
    """What a source told, as it lies in a sealed file; nothing is stated but what is given."""
    row: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA.names)
    row |= dict.fromkeys(TEXT, "") | dict.fromkeys(WHOLE, 0) | {"units": {}, "labels": {}}
    row |= {"key": bytes([key]) * 16, "event_id": f"e{key}", "source": source}
    row |= {"state": "reported", "provider": "openai", "model": "m"}
    return Observation(row | columns, role, own=role == "call")
