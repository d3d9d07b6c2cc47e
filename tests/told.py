"""What sources tell of calls, for tests: a canonical record and its role."""

from __future__ import annotations

from typing import Any

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
