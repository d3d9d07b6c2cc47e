"""Langfuse's observations: generations and embeddings, each call as it was observed.

Without ``fields`` the server leaves out usage and cost, and it cuts values of metadata to 200
characters unless their keys are named in ``expandMetadata``. So fields are named, a page without
usage is refused, and a page with values that may be cut is asked for again with their keys.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tallybook.clock import format_instant
from tallybook.errors import PullError
from tallybook.pull.key import Key
from tallybook.pull.model import Ask, Page, Window

BASE_URL: Final = "https://cloud.langfuse.com"
KEY_NAMES: Final = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")
TYPES: Final = ("GENERATION", "EMBEDDING")
FIELDS: Final = "core,basic,time,metadata,model,usage,trace_context"
LIMIT: Final = 1000
CUT_LENGTH: Final = 200
EXPANDED_MAX: Final = 50  # keys in one address

_HOUR_US: Final = 3_600_000_000


def headers(key: Key) -> dict[str, str]:
    """What carries the key, which is ``public:secret``."""
    return {"Authorization": f"Basic {b64encode(key.reveal().encode()).decode()}"}


class ObservationStream:
    """Observations of one type. It learns which keys of metadata are long."""

    product = "langfuse"
    look_back_us = _HOUR_US

    def __init__(self, kind: str) -> None:
        self.name = kind.lower()
        self._kind = kind
        self._expanded: dict[str, None] = {}

    def settled_us(self, now_us: int) -> int:
        """An hour ago: what runs still is observed again when it ends."""
        return now_us - _HOUR_US

    def windows(self, window: Window) -> Iterator[Window]:
        """The whole window: its pages follow each other."""
        yield window

    def ask(self, window: Window, cursor: str) -> Ask:
        """A page of observations."""
        params = [
            ("fields", FIELDS),
            ("type", self._kind),
            ("fromStartTime", format_instant(window.from_us)),
            ("toStartTime", format_instant(window.to_us)),
            ("limit", str(LIMIT)),
        ]
        if self._expanded:
            params.append(("expandMetadata", ",".join(self._expanded)))
        if cursor:
            params.append(("cursor", cursor))
        return Ask("api/public/v2/observations", tuple(params))

    def again(self, page: Page) -> bool:
        """Whether values of metadata may be cut; their keys are named from now on.

        Raises:
            PullError: the server left usage out.
        """
        found: dict[str, None] = {}
        for one in _observations(page):
            if "usageDetails" not in one:
                raise PullError(
                    f"observation {one.get('id')} comes without usageDetails, though they were"
                    " asked for",
                    next_step="the server must have the observations API v2",
                )
            metadata = one.get("metadata")
            for name, value in metadata.items() if isinstance(metadata, Mapping) else ():
                cut = isinstance(value, str) and len(value) >= CUT_LENGTH
                if cut and name not in self._expanded and "," not in name:
                    found[name] = None
        room = EXPANDED_MAX - len(self._expanded)
        wanted = list(found)[:room]
        self._expanded |= dict.fromkeys(wanted)
        return bool(wanted)

    def cursor_of(self, page: Page) -> str:
        """``meta.cursor``; the last page has none."""
        meta = page.get("meta")
        cursor = meta.get("cursor") if isinstance(meta, Mapping) else None
        return cursor if isinstance(cursor, str) else ""


def _observations(page: Page) -> list[Mapping[str, object]]:
    held = page.get("data")
    if not isinstance(held, list):
        raise PullError("the answer has no list data; it is no page of observations")
    return [one for one in held if isinstance(one, Mapping)]


def streams(endpoints: Sequence[str]) -> tuple[ObservationStream, ...]:
    """The streams to pull; all types with usage of their own if none is named.

    Raises:
        PullError: there is no such type.
    """
    kinds = [name.upper() for name in endpoints] or list(TYPES)
    unknown = sorted(set(kinds) - set(TYPES))
    if unknown:
        raise PullError(
            f"{unknown[0].lower()} is no type of observation that bills by itself",
            next_step=f"name of {', '.join(TYPES).lower()}",
        )
    return tuple(map(ObservationStream, kinds))
