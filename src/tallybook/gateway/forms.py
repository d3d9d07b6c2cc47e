"""The forms in which a provider answers: what the lines of a head say is worked out once for each.

The answers of a provider have the same lines in the same order, and differ in values that decide
nothing: dates, ids, what is left of a limit. A form is one expression that fits exactly such heads.
It was made from a head that was read whole, and lines that decide something (the status, the type,
how the body is framed, what belongs to the connection) stand in it as they were, so a head that it
fits means the same (`tests/gateway/test_forms.py`).
"""

from __future__ import annotations

import re
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from tallybook.gateway.heads import CHUNKED, HOP_BY_HOP, UNTIL_CLOSE, ReplyHead, parsed, recognised
from tallybook.gateway.reading import wire_of

_VALUE: Final = rb"[\t -~\x80-\xff]*+"
_DIGITS: Final = rb"[ \t]*([0-9]{1,15})"
_HOPS: Final = HOP_BY_HOP - {b"transfer-encoding", b"trailer"}
_SUCCESS: Final = range(200, 300)
_WITH_BODY: Final = range(200, 204)
_DECIDES: Final = frozenset({b"content-type", b"content-encoding", b"transfer-encoding"})
_FORMS_MAX: Final = 8
_LEARNT_BYTES: Final = 8_192
_MET_MAX: Final = 64
_EVERY_S: Final = 10.0
"""Where a provider has more forms than are kept, a new one is made this often at most: that takes
a millisecond."""


class _StructMapping(msgspec.StructMeta, ABCMeta):
    """The type of a struct that is a mapping."""


class _Values(msgspec.Struct, Mapping[str, str], metaclass=_StructMapping, gc=False):
    """The headers of a head of a known form, found where they stand when they are asked for."""

    head: bytes
    end: int
    """of the head; what follows is the answer's body"""
    marks: dict[str, bytes]

    def __getitem__(self, name: str) -> str:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """The value of a header, the last of several; what is given where there is none."""
        mark = self.marks.get(name)
        if mark is None:
            return default
        head = self.head
        start = head.rfind(mark, 0, self.end) + len(mark)
        return head[start : head.find(b"\r", start)].lstrip(b" \t").decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return name in self.marks

    def __iter__(self) -> Iterator[str]:
        return iter(self.marks)

    def __len__(self) -> int:
        return len(self.marks)


class Form:
    """One form.

    Args:
        pattern: of `pattern_of`.
        head: that has it.
        reply: the same, read.
    """

    def __init__(self, pattern: bytes, head: bytes, reply: ReplyHead) -> None:
        self.fits: Callable[[bytes], re.Match[bytes] | None] = re.compile(pattern).match
        """Whether bytes begin with such a head."""
        self.status = reply.status
        self.keep_alive = reply.keep_alive
        self.is_plain = reply.is_plain
        self.marks: dict[str, bytes] = {}
        self.kept: tuple[int, ...] = ()
        self.length_at = 0
        group = 1
        for name, _ in _lines_of(head):
            low = name.lower()
            self.marks[low.decode("latin-1")] = b"\r\n%b:" % name
            if low in _HOPS:
                group += 1
                self.kept = (*(self.kept or (1,)), group)
            elif low == b"content-length":
                group += 1
                self.length_at = group


def pattern_of(head: bytes) -> bytes:
    """The expression that fits heads of the same form; each run of lines that is kept is a group.

    Args:
        head: with its empty line, well-formed.
    """
    start, _, _ = head.partition(b"\r\n")
    made = [b"(", re.escape(start)]
    for name, value in _lines_of(head):
        low, line = name.lower(), re.escape(b"\r\n%b:" % name)
        if low in _HOPS:
            made += [b")", line, re.escape(value), b"("]
        elif low == b"content-length":
            made += [line, _DIGITS]
        else:
            made += [line, re.escape(value) if low in _DECIDES else _VALUE]
    return b"".join([*made, rb"\r\n)\r\n"])


def _lines_of(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head[:-4].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name, value


class Forms:
    """The forms of one provider, the last one met first.

    Args:
        time: of the loop, in seconds.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._forms: list[Form] = []
        self._met: set[bytes] = set()
        self._made_s = 0.0

    def known(self, data: bytes, method: str) -> tuple[ReplyHead, int] | None:
        """The head that an answer begins with, if it has a known form; and how long the head is.

        Args:
            data: the answer, as far as it came.
            method: of the request.
        """
        if method == "HEAD":
            return None
        for form in self._forms:
            found = form.fits(data)
            if found is not None:
                break
        else:
            return None
        if form is not self._forms[0]:
            self._forms.remove(form)
            self._forms.insert(0, form)
        end = found.end()
        reply = ReplyHead(
            form.status,
            int(found[form.length_at]) if form.length_at else CHUNKED,
            form.keep_alive,
            b"".join(found.group(*form.kept)) if form.kept else data[: end - 2],
            _Values(data, end, form.marks),
            form.is_plain,
        )
        return reply, end

    def read(self, head: bytes, method: str) -> ReplyHead:
        """The head of an answer of any form; its form is learnt.

        Args:
            head: with its empty line.
            method: of the request.

        Raises:
            ValueError: it is none, or its length cannot be trusted.
        """
        usual = recognised(head, method)
        reply = parsed(head, method) if usual is None else usual
        named = reply.named
        reply.is_plain = (
            reply.status in _SUCCESS
            and "content-encoding" not in named
            and wire_of(named.get("content-type", "")) == "json"
        )
        if usual is not None and method != "HEAD" and _is_learnt(head, reply):
            self._meet(head, reply)
        return reply

    def _meet(self, head: bytes, reply: ReplyHead) -> None:
        """Learn the form of a head, at its second sight."""
        pattern = pattern_of(head)
        if pattern not in self._met:
            if len(self._met) >= _MET_MAX:
                self._met.clear()
            self._met.add(pattern)
            return
        now_s = self._time()
        if len(self._forms) < _FORMS_MAX or now_s >= self._made_s + _EVERY_S:
            self._made_s = now_s
            self._forms = [Form(pattern, head, reply), *self._forms[: _FORMS_MAX - 1]]


def _is_learnt(head: bytes, reply: ReplyHead) -> bool:
    """Whether such heads say where their body ends, whatever else they say, and are no burden."""
    return reply.status in _WITH_BODY and reply.length != UNTIL_CLOSE and len(head) <= _LEARNT_BYTES
