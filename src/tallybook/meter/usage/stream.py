"""A stream, read as it passes: fed in any pieces, it gives the reading of the whole response."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from tallybook.errors import EventError
from tallybook.meter.usage.body import FAULTS, drafted, take
from tallybook.meter.usage.draft import Draft
from tallybook.meter.usage.envelope import unwrapped
from tallybook.meter.usage.fold import Folded, fold
from tallybook.meter.usage.frames import Frame, Frames
from tallybook.meter.usage.lines import Lines, ServerEvents
from tallybook.meter.usage.model import UsageReading, Wire

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_NOTHING: Final[Mapping[str, str]] = {}
_DONE: Final = b"[DONE]"
_WITHOUT_DONE: Final = frozenset({"perplexity"})  # its streams may end with the last chunk
_TEXT_WIRES: Final = frozenset({"sse", "ndjson"})
_KEPT_BYTES: Final = 65_536

_SILENT: Final = tuple(  # how events begin that are most of a stream and never tell usage
    f'{{"type":{space}"{kind}'.encode()
    for space in ("", " ")
    for kind in (
        *("content_block_", "ping", "response.output_", "response.content_part."),
        *("response.function_call_", "response.reasoning_", "content-delta", "tool-call-delta"),
    )
)
_EVENT_END: Final = b"\n\n"
_NO_EVENT: Final = (b"", b"")
_ESCAPE: Final = ord("\\")
_TEXTS: Final = (b'"content":"', b'"text":"')
_SILENT_FRAME: Final = "contentBlock"

CUT: Final = "the stream ends before its last event: what it used until then is a bound"
NOT_ASKED: Final = (
    "the stream was not asked for usage: set stream_options.include_usage to true in the request"
)


class UsageStream:
    """One response, read while it passes.

    ``feed`` never fails, whatever the bytes are: it may stand in the way of somebody's answer.

    Args:
        provider: who answers, in any spelling.
        endpoint: the path or the operation; '' reads by the shape of the events.
        wire: how the bytes are framed; ``json`` for a response that is no stream.
        headers: of the response.
        model: what was asked for.
    """

    def __init__(
        self,
        *,
        provider: str,
        endpoint: str = "",
        wire: Wire = "sse",
        headers: Mapping[str, str] = _NOTHING,
        model: str = "",
    ) -> None:
        self._wire = wire
        self._draft = drafted(provider, endpoint, headers, model)
        self._folded = Folded()
        self._lines = Lines()
        self._server_events = ServerEvents()
        self._frames: Frames | None = Frames()
        self._plain = bytearray()
        self._open = b""
        self._by_event = wire == "sse"
        self._carries = False
        self._alike = _NO_EVENT
        self._finished: UsageReading | None = None

    @property
    def ended(self) -> bool:
        """Whether the event came after which no figure changes."""
        return self._folded.ended

    def feed(self, data: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        if self._wire == "aws-eventstream":
            self._feed_frames(data)
        elif self._wire == "json":
            self._plain += data
        elif self._by_event:
            self._feed_events(data)
        else:
            self._feed_lines(data)

    def _feed_lines(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._line(line)

    def _feed_events(self, data: bytes) -> None:
        """Whole events one by one, as most streams have them; the others go by their lines.

        An event that differs from one that only carried text in nothing but that text is passed
        over. Most events are like that, so the look at them is short.
        """
        *events, rest = (self._open + data if self._open else data).split(_EVENT_END)
        start, end = self._alike
        for event in events:
            if start and event.startswith(start):
                quote = event.find(b'"', len(start))
                if event[quote:] == end and event[quote - 1] != _ESCAPE:
                    continue
            self._carries = False
            self._feed_lines(event + _EVENT_END)
            if self._carries:
                self._alike = start, end = _around_text(event)
        self._open = rest
        if b"\r" in rest or len(rest) > _KEPT_BYTES:
            self._by_event, self._open = False, b""
            self._feed_lines(rest)

    def take(self, event: object, name: str = "") -> None:
        """Take one event that somebody else has parsed; what is no dict is passed over."""
        if not isinstance(event, dict):
            return
        if "bytes" in event and (name == "chunk" or len(event) <= 2):  # noqa: PLR2004 - bytes and padding
            event = _unpacked(event["bytes"])
            name = ""
        if isinstance(event, dict):
            fold(self._folded, event, name)

    def finish(self) -> UsageReading:
        """The reading of all that came.

        A stream that was cut is ``estimated`` with what is known, or ``unknown``; never zero.
        """
        if self._finished is None:
            self._rest()
            self._finished = self._reading()
        return self._finished

    def _line(self, line: bytes) -> None:
        if self._wire == "ndjson":
            self._data(line)
            return
        for data in self._server_events.line(line):
            self._data(data)
        if not self._server_events.is_stream and len(self._plain) < _KEPT_BYTES:
            self._plain += line

    def _data(self, data: bytes) -> None:
        if data.strip() == _DONE:
            self._folded.ended = True
            return
        if not data:
            return
        if data.startswith(_SILENT) and b"\n" not in data:
            self._folded.begun = self._carries = True
            return
        if self._folded.begun and b'"choices":[{' in data and _only_carries_text(data):
            self._carries = True
            return
        try:
            event = _DECODER.decode(data)
        except FAULTS:
            # Several events that no blank line parts; or a piece of one that was cut, or no JSON,
            # which tells nothing.
            for line in data.split(b"\n") if b"\n" in data else ():
                self._data(line)
            return
        self.take(event)

    def _feed_frames(self, data: bytes) -> None:
        if self._frames is None:
            return
        try:
            for frame in self._frames.feed(data):
                self._frame(frame)
        except EventError as error:
            self._draft.notes.append(error.what)
            self._frames = None

    def _frame(self, frame: Frame) -> None:
        if frame.headers.get(":message-type") in {"exception", "error"}:
            self._folded.failed = True
            return
        kind = frame.headers.get(":event-type", "")
        if kind.startswith(_SILENT_FRAME):
            return
        try:
            event = _DECODER.decode(frame.payload)
        except FAULTS:
            return
        self.take(event, kind)

    def _rest(self) -> None:
        """What no line's end and no blank line ended; it may be a whole event all the same."""
        if self._open:
            self._feed_lines(self._open)
        last = self._lines.rest()
        if last:
            self._line(last)
        for data in self._server_events.rest():
            self._data(data)
        if self._plain and not self._folded.body:
            self._whole()

    def _whole(self) -> None:
        """A body that is no stream: all of it, or an error where a stream was expected."""
        try:
            value = _DECODER.decode(bytes(self._plain))
        except FAULTS:
            return
        if isinstance(value, list):
            for each in value:
                self.take(each)
        elif isinstance(value, dict):
            self._folded.body = dict(unwrapped(value, self._draft))
            self._folded.ended = True

    def _reading(self) -> UsageReading:
        folded, draft = self._folded, self._draft
        ended = folded.ended or (folded.chosen and draft.provider in _WITHOUT_DONE)
        if folded.placeholder and isinstance(folded.body.get("usage"), dict):
            # What stands there is no count: a price on it would be a price on nothing.
            folded.body["usage"] = {**folded.body["usage"], "output_tokens": None}
        for body in folded.others:
            _join(draft, body)
        take(folded.body, draft)
        if folded.failed and not folded.begun and self._wire in _TEXT_WIRES:
            draft.nothing_used = True
            draft.notes.append("an error came instead of an answer: nothing was used")
        elif not ended:
            draft.estimated = True
            draft.notes.append(CUT)
            draft.status = "client_aborted"
        elif not draft.parts and folded.chosen and "usage" not in folded.body:
            draft.notes.append(NOT_ASKED)
        if folded.failed:
            draft.status = "error"
        return draft.reading()


def _only_carries_text(chunk: bytes) -> bool:
    """Whether a chunk of a chat ends nothing and counts nothing.

    What else it says, the first chunk and the last say too. Inside text the quotes that are looked
    for would be escaped.
    """
    return (
        b'"finish_reason":null' in chunk
        and b'"finish_reason":"' not in chunk
        and (b'"usage":null' in chunk or b'"usage"' not in chunk)
        and b'"error"' not in chunk
        and b"\n" not in chunk
    )


def _around_text(event: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the text of an event that carries some."""
    for mark in _TEXTS:
        at = event.find(mark)
        if at >= 0:
            start = at + len(mark)
            quote = event.find(b'"', start)
            if quote >= 0 and event[quote - 1] != _ESCAPE:
                return event[:start], event[quote:]
    return _NO_EVENT


def _join(draft: Draft, body: Mapping[str, Any]) -> None:
    """A further response of the same stream: its operations stand beside the others."""
    own = drafted(draft.provider, draft.endpoint, draft.headers, draft.asked)
    take(body, own)
    draft.parts += own.parts
    draft.notes += own.notes
    draft.estimated |= own.estimated


def _unpacked(data: object) -> object:
    """The event that Bedrock packs into a chunk as base64."""
    try:
        return _DECODER.decode(base64.b64decode(str(data), validate=True))
    except (*FAULTS, binascii.Error):
        return None
