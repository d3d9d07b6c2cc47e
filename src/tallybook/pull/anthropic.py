"""Anthropic's admin API: the usage report, and Claude Code analytics a day at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tallybook.clock import format_instant
from tallybook.errors import PullError
from tallybook.pull.key import Key
from tallybook.pull.model import Ask, Page, Stream, Window
from tallybook.pull.openai import Width, next_page

BASE_URL: Final = "https://api.anthropic.com"
KEY_NAMES: Final = ("ANTHROPIC_ADMIN_KEY",)
VERSION: Final = "2023-06-01"

_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _US
_WIDTH_US: Final[dict[Width, int]] = {"1h": 3600 * _US, "1d": _DAY_US}
_LIMIT: Final[dict[Width, int]] = {"1h": 168, "1d": 31}
_DATE_LENGTH: Final = len("2026-10-03")
GROUPS: Final = (
    "api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo",
)  # fmt: skip
"""What buckets are grouped by; ``speed`` needs a beta header and is asked for by name."""


def headers(key: Key) -> dict[str, str]:
    """What carries the key."""
    return {"x-api-key": key.reveal(), "anthropic-version": VERSION}


@dataclass(frozen=True, slots=True)
class MessagesStream:
    """``usage_report/messages``."""

    width: Width = "1d"
    group_by: tuple[str, ...] = GROUPS

    name: str = "messages"
    product: str = "anthropic-usage"
    look_back_us: int = _DAY_US

    def settled_us(self, now_us: int) -> int:
        """The end of the last bucket whose window is over."""
        return now_us - now_us % _WIDTH_US[self.width]

    def windows(self, window: Window) -> Iterator[Window]:
        """The whole window: its pages follow each other."""
        yield window

    def ask(self, window: Window, cursor: str) -> Ask:
        """A page of buckets."""
        params = [
            ("starting_at", _instant(window.from_us)),
            ("ending_at", _instant(window.to_us)),
            ("bucket_width", self.width),
            ("limit", str(_LIMIT[self.width])),
            *(("group_by[]", group) for group in self.group_by),
        ]
        if cursor:
            params.append(("page", cursor))
        return Ask("v1/organizations/usage_report/messages", tuple(params))

    def again(self, page: Page) -> bool:  # noqa: ARG002 - as `Stream`
        """Never."""
        return False

    def cursor_of(self, page: Page) -> str:
        """``next_page`` while ``has_more``."""
        return next_page(page)


@dataclass(frozen=True, slots=True)
class ClaudeCodeStream:
    """``usage_report/claude_code``: one UTC day a question."""

    name: str = "claude_code"
    product: str = "claude-code"
    look_back_us: int = _DAY_US

    def settled_us(self, now_us: int) -> int:
        """The end of the last day that is over."""
        return now_us - now_us % _DAY_US

    def windows(self, window: Window) -> Iterator[Window]:
        """Every day of which a part is in the window."""
        day_us = window.from_us - window.from_us % _DAY_US
        while day_us < window.to_us:
            yield Window(day_us, day_us + _DAY_US)
            day_us += _DAY_US

    def ask(self, window: Window, cursor: str) -> Ask:
        """A page of the records of a day."""
        day = format_instant(window.from_us)[:_DATE_LENGTH]
        params = [("starting_at", day), ("limit", "1000")]
        if cursor:
            params.append(("page", cursor))
        return Ask("v1/organizations/usage_report/claude_code", tuple(params))

    def again(self, page: Page) -> bool:  # noqa: ARG002 - as `Stream`
        """Never."""
        return False

    def cursor_of(self, page: Page) -> str:
        """``next_page`` while ``has_more``."""
        return next_page(page)


def _instant(us: int) -> str:
    return f"{format_instant(us)[: len('2026-10-03T10:00:00')]}Z"


def streams(endpoints: Sequence[str], width: Width, group_by: Sequence[str]) -> tuple[Stream, ...]:
    """The streams to pull; both if none is named.

    Raises:
        PullError: there is no such report.
    """
    known: dict[str, Stream] = {
        "messages": MessagesStream(width, tuple(group_by) or GROUPS),
        "claude_code": ClaudeCodeStream(),
    }
    unknown = sorted(set(endpoints) - set(known))
    if unknown:
        raise PullError(
            f"Anthropic has no usage report {unknown[0]!r}", next_step=f"name of {', '.join(known)}"
        )
    return tuple(known[name] for name in endpoints or known)
