"""What is asked of an API, and how its answer leads to the next question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Pairs = tuple[tuple[str, str], ...]
Page = Mapping[str, Any]


class Window(NamedTuple):
    """From one instant, which is in it, to another, which is not."""

    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: a path below the base address, with parameters in order."""

    path: str
    params: Pairs


class Stream(Protocol):
    """One endpoint, asked in one way, whose pages follow each other."""

    @property
    def name(self) -> str:
        """For people and for the position; the same for the same endpoint."""

    @property
    def product(self) -> str:
        """Whose file a page is (`tallybook.meter.sources.registry`)."""

    @property
    def look_back_us(self) -> int:
        """How far before its last end a pull starts again, for what came late."""

    def settled_us(self, now_us: int) -> int:
        """Until when figures may be asked for, so that they rarely change any more."""

    def windows(self, window: Window) -> Iterator[Window]:
        """The windows that are asked one after another."""

    def ask(self, window: Window, cursor: str) -> Ask:
        """The request for a page of a window; the first has no cursor."""

    def again(self, page: Page) -> bool:
        """Whether the same page must be asked for once more, in another way, to be whole."""

    def cursor_of(self, page: Page) -> str:
        """The cursor of the next page; '' after the last.

        Raises:
            PullError: the page is none of this API.
        """


class Pulled(NamedTuple):
    """What a pull of one stream brought."""

    stream: str
    window: Window
    pages: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: int = 0
