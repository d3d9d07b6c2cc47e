"""OpenAI's Usage API: an endpoint a stream, grouped by all that a price and an owner need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tallybook.errors import PullError
from tallybook.pull.key import Key
from tallybook.pull.model import Ask, Page, Window

BASE_URL: Final = "https://api.openai.com"
KEY_NAMES: Final = ("OPENAI_ADMIN_KEY",)
Width = Literal["1h", "1d"]

_US: Final = 1_000_000
_WIDTH_US: Final[dict[Width, int]] = {"1h": 3600 * _US, "1d": 86_400 * _US}
_LIMIT: Final[dict[Width, int]] = {"1h": 168, "1d": 31}
_ALL: Final = ("project_id", "user_id", "api_key_id", "model")
GROUPS: Final = {
    "completions": (*_ALL, "batch", "service_tier"),
    "embeddings": _ALL,
    "moderations": _ALL,
    "images": (*_ALL, "size", "source"),
    "audio_speeches": _ALL,
    "audio_transcriptions": _ALL,
    "vector_stores": ("project_id",),
    "code_interpreter_sessions": ("project_id",),
    "file_search_calls": ("project_id", "user_id", "api_key_id", "vector_store_id"),
    "web_search_calls": (*_ALL, "context_level"),
}
"""Endpoint to what its buckets are grouped by."""


def headers(key: Key) -> dict[str, str]:
    """What carries the key."""
    return {"Authorization": f"Bearer {key.reveal()}"}


@dataclass(frozen=True, slots=True)
class UsageStream:
    """One endpoint of ``/v1/organization/usage``."""

    endpoint: str
    width: Width = "1d"
    group_by: tuple[str, ...] = ()

    product: str = "openai-usage"

    @property
    def name(self) -> str:
        """The endpoint."""
        return self.endpoint

    @property
    def look_back_us(self) -> int:
        """A day: what comes late makes a bucket grow, and the later version supersedes."""
        return _WIDTH_US["1d"]

    def settled_us(self, now_us: int) -> int:
        """The end of the last bucket whose window is over."""
        return now_us - now_us % _WIDTH_US[self.width]

    def windows(self, window: Window) -> Iterator[Window]:
        """The whole window: its pages follow each other."""
        yield window

    def ask(self, window: Window, cursor: str) -> Ask:
        """A page of buckets."""
        groups = self.group_by or GROUPS[self.endpoint]
        params = [
            ("start_time", str(window.from_us // _US)),
            ("end_time", str(window.to_us // _US)),
            ("bucket_width", self.width),
            ("limit", str(_LIMIT[self.width])),
            *(("group_by[]", group) for group in groups),
        ]
        if cursor:
            params.append(("page", cursor))
        return Ask(f"v1/organization/usage/{self.endpoint}", tuple(params))

    def again(self, page: Page) -> bool:  # noqa: ARG002 - as `Stream`
        """Never."""
        return False

    def cursor_of(self, page: Page) -> str:
        """``next_page`` while ``has_more``."""
        return next_page(page)


def next_page(page: Page) -> str:
    """The cursor of the next page, as OpenAI and Anthropic give it.

    Raises:
        PullError: the page has no data, or says that there is more and not where.
    """
    if not isinstance(page.get("data"), list):
        raise PullError("the answer has no list data; it is no page of usage")
    if not page.get("has_more"):
        return ""
    cursor = page.get("next_page")
    if not isinstance(cursor, str) or not cursor:
        raise PullError("the answer says has_more, but names no next_page")
    return cursor


def streams(
    endpoints: Sequence[str], width: Width, group_by: Sequence[str]
) -> tuple[UsageStream, ...]:
    """The streams to pull; all endpoints if none is named.

    Raises:
        PullError: there is no such endpoint.
    """
    unknown = sorted(set(endpoints) - set(GROUPS))
    if unknown:
        raise PullError(
            f"OpenAI has no usage endpoint {unknown[0]!r}", next_step=f"name of {', '.join(GROUPS)}"
        )
    names = endpoints or tuple(GROUPS)
    return tuple(UsageStream(name, width, tuple(group_by)) for name in names)
