"""A window of a stream into the books, page after page; what was cut is continued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tallybook.clock import format_instant
from tallybook.errors import PullError
from tallybook.meter.ingest import IngestResult
from tallybook.meter.sources.buckets import GROUP_BY
from tallybook.pull.client import Client, GoneError
from tallybook.pull.model import Ask, Page, Pulled, Stream, Window
from tallybook.pull.position import (
    Position,
    asked_of,
    load,
    path_of,
    reached_us,
    save,
    window_of,
)

AGAIN_MAX = 3
"""How often one page is asked for in another way (`Stream.again`)."""

Ingest = Callable[[str, Path], IngestResult]
"""Brings a file of a product into the books."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Pull:
    """What all streams of one command share."""

    client: Client
    folder: Path
    ingest: Ingest
    now_us: int
    on_page: Callable[[int], None]

    def stream(self, stream: Stream, from_us: int | None, to_us: int | None) -> Pulled:
        """Pull one stream.

        Args:
            stream: which.
            from_us: where to start; else where the last pull ended, or stopped.
            to_us: where to end; else where figures are settled.

        Raises:
            PullError: the API refuses or does not answer; what came before is in, and the same
                command goes on behind it.
        """
        path = path_of(self.folder, stream.product, stream.name)
        position = load(path)
        window = self._window(stream, position, from_us, to_us)
        total = Pulled(stream.name, window)
        if window.from_us >= window.to_us:
            return total
        for part in stream.windows(window):
            at_us, cursor = position.at_us, self._cursor(stream, position, window, part)
            if position.window == window and part.from_us < at_us:
                continue  # this part is in
            total = self._part(stream, window, part, cursor, total)
        save(path, Position(max(position.until_us, window.to_us)))
        if from_us is None and position.window:
            return _joined(total, self.stream(stream, None, to_us))
        return total

    def gap(self, stream: Stream, from_us: int | None) -> Window | None:
        """What lies between the end of what is in and a start, and would never come; else None."""
        end_us = reached_us(load(path_of(self.folder, stream.product, stream.name)))
        if from_us is None or not 0 < end_us < from_us:
            return None
        return Window(end_us, from_us)

    def _window(
        self, stream: Stream, position: Position, from_us: int | None, to_us: int | None
    ) -> Window:
        left = window_of(position)
        if from_us is None and left:
            return left  # what was cut comes first; the next pull goes on from its end
        if from_us is None and not position.until_us:
            raise PullError(
                f"{stream.product} {stream.name} has not been pulled yet",
                next_step="say from when: --from 2026-10-01",
            )
        start_us = position.until_us - stream.look_back_us if from_us is None else from_us
        return Window(start_us, stream.settled_us(self.now_us) if to_us is None else to_us)

    def _cursor(self, stream: Stream, position: Position, window: Window, part: Window) -> str:
        """The page at which this very question was cut; '' is the first."""
        same = position.window == window and position.at_us == part.from_us
        asked = asked_of(self.client.base_url, stream.ask(part, ""))
        return position.cursor if same and position.asked == asked else ""

    def _part(
        self, stream: Stream, window: Window, part: Window, cursor: str, total: Pulled
    ) -> Pulled:
        path = path_of(self.folder, stream.product, stream.name)
        asked = asked_of(self.client.base_url, stream.ask(part, ""))
        until_us = load(path).until_us
        is_resumed = bool(cursor)
        while True:
            try:
                page = self._page(stream, part, cursor)
            except GoneError:
                if not is_resumed:
                    raise
                cursor, is_resumed = "", False  # a cursor does not live for ever
                continue
            is_resumed = False
            following = stream.cursor_of(page)
            if following and following == cursor:
                raise PullError("the server names the page itself as the next one", where=cursor)
            total = _added(total, self._bring_in(stream, page, stream.ask(part, "")))
            at_us = part.from_us if following else part.to_us
            save(path, Position(until_us, (window.from_us, window.to_us), at_us, following, asked))
            self.on_page(1)
            if not following:
                return total
            cursor = following

    def _page(self, stream: Stream, part: Window, cursor: str) -> Page:
        for _ in range(AGAIN_MAX):
            page = self.client.page(stream.ask(part, cursor))
            if not stream.again(page):
                break
        return page

    def _bring_in(self, stream: Stream, page: Page, ask: Ask) -> IngestResult:
        groups = [value for name, value in ask.params if name == "group_by[]"]
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{stream.product}.{stream.name}.page.json"
        try:
            file.write_bytes(_ENCODER.encode({**page, GROUP_BY: groups} if groups else page))
            return self.ingest(stream.product, file)
        finally:
            file.unlink(missing_ok=True)


def _added(total: Pulled, more: IngestResult) -> Pulled:
    counts = more.accepted, more.duplicate, more.quarantined, more.rejected
    sums = (one + other for one, other in zip(total[3:], counts, strict=True))
    return Pulled(total.stream, total.window, total.pages + 1, *sums)


def _joined(first: Pulled, second: Pulled) -> Pulled:
    """What was left of one window and the next window, as one."""
    counts = zip(first[2:], second[2:], strict=True)
    window = Window(first.window.from_us, max(first.window.to_us, second.window.to_us))
    return Pulled(first.stream, window, *(one + other for one, other in counts))


def told(pulled: Pulled) -> dict[str, Any]:
    """What a pull brought, for people and machines."""
    return {
        "stream": pulled.stream,
        "from": format_instant(pulled.window.from_us),
        "to": format_instant(pulled.window.to_us),
        "pages": pulled.pages,
        "accepted": pulled.accepted,
        "duplicate": pulled.duplicate,
        "quarantined": pulled.quarantined,
        "rejected": pulled.rejected,
    }
