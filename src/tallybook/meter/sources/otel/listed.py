"""What a request lists, counted on the wire, before anything is built of it.

An empty message of protobuf takes two bytes, and up to a hundred once it is decoded; an empty value
of JSON takes two, and up to two hundred. So whoever reads what strangers send counts first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Form: TypeAlias = "dict[int, Form]"
"""What of a message is counted, by the number of its field, and what in that."""

_VARINT, _SIZED = 0, 2
_FIXED_BYTES: Final = (0, 8, 0, 0, 0, 4)
"""Of the other kinds of field; a group is marked where it begins and ends."""
_KIND, _KIND_BITS = 7, 3
_MORE, _SEVEN, _BITS, _VARINT_BITS = 0x80, 7, 0x7F, 70
_DEPTH_MAX: Final = 100  # the decoder takes no more
_BYTES_MIN: Final = 2  # of whatever is listed, on either wire
_PIECE: Final = 2**20

_SPANS: Final[Form] = {1: {2: {2: {}}}}
"""A request lists what resources sent, that lists what scopes did, and that lists spans."""
_VALUES: Final = b"{[,"
"""Each value of JSON begins with one of these or comes behind one, but for the outermost."""


def _form_of(message: Any, forms: dict[str, Form]) -> Form:
    """All that the decoder makes a place for, by the published message types."""
    form = forms.get(message.full_name)
    if form is None:
        form = forms[message.full_name] = {}
        for field in message.fields:
            if field.message_type is not None:
                form[field.number] = _form_of(field.message_type, forms)
            elif field.is_repeated:
                form[field.number] = {}
    return form


_FORMS: Final[dict[str, Form]] = {}
_WHOLE: Final = _form_of(ExportTraceServiceRequest.DESCRIPTOR, _FORMS)
_NUMBERS: Final = frozenset().union(*_FORMS.values())
_TAGS: Final = bytes(
    (number << _KIND_BITS | _SIZED) & _BITS | more for number in _NUMBERS for more in (0, _MORE)
)
"""The bytes that tags of it begin with, also tags that are written longer than they need be."""


def spans_beyond(request: bytes, limit: int) -> bool:
    """Whether a request in protobuf has more spans than the limit, or lists more around them."""
    if len(request) <= _BYTES_MIN * limit:
        return False
    listed: Counter[int] = Counter()
    for depth in _listed(request, _SPANS):
        listed[depth] += 1
        if listed[depth] > limit:
            return True
    return False


def messages_beyond(request: bytes, limit: int) -> bool:
    """Whether a request in protobuf has more messages in it than the limit, and texts of lists.

    That is what its decoder makes a place for: spans, attributes, their values, events, links.
    """
    if len(request) <= _BYTES_MIN * limit or _held(request, _TAGS) <= limit:
        return False  # nearly always, and much cheaper than the walk
    return any(number > limit for number, _ in enumerate(_listed(request, _WHOLE), 1))


def values_beyond(request: bytes, limit: int) -> bool:
    """Whether a request in JSON has more values in it than the limit; an empty list is two."""
    if len(request) <= _BYTES_MIN * limit or _held(request, _VALUES) < limit:
        return False  # nearly always: what stands in texts is counted along, and is still too few
    bare = request.replace(rb"\\", b"").replace(rb"\"", b"")
    values, in_text = 1, 0
    for at in range(0, len(bare), _PIECE):
        parts = bare[at : at + _PIECE].split(b'"')
        values += _held(b"".join(parts[in_text::2]), _VALUES)
        if values > limit:
            return True
        in_text ^= (len(parts) - 1) % 2
    return False


def _held(text: bytes, marks: bytes) -> int:
    """How many of its bytes are one of these."""
    return len(text) - len(text.translate(None, marks))


def _listed(wire: bytes, form: Form) -> Iterator[int]:
    """What a message lists, as far as its form says: how deep each lies.

    It ends where the wire is broken; the decoder ends there too, and says what is wrong.
    """
    try:
        yield from _walked(wire, form)
    except IndexError:
        return


def _walked(wire: bytes, form: Form) -> Iterator[int]:
    at, end = 0, len(wire)
    around: list[tuple[int, Form]] = []
    while at < end:
        tag, at = _varint(wire, at)
        inner = None
        if tag & _KIND == _SIZED:
            size, at = _varint(wire, at)
            past, inner = at + size, form.get(tag >> _KIND_BITS)
        else:
            past = _past(wire, at, tag & _KIND)
        if past > end or len(around) > _DEPTH_MAX:
            return
        if inner is not None:
            yield len(around)
        if inner:
            around.append((end, form))
            end, form = past, inner
        else:
            at = past
        while at == end and around:
            end, form = around.pop()


def _past(wire: bytes, at: int, kind: int) -> int:
    """Where a field ends that is no text and no message; marks of a group are passed alone.

    Raises:
        IndexError: the wire ends in it, or no field is of that kind.
    """
    if kind == _VARINT:
        return _varint(wire, at)[1]
    return at + _FIXED_BYTES[kind]


def _varint(wire: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends.

    Raises:
        IndexError: the wire ends in it, or it has more than ten bytes.
    """
    byte = wire[at]
    if byte < _MORE:
        return byte, at + 1
    value = 0
    for shift in range(0, _VARINT_BITS, _SEVEN):
        byte = wire[at]
        at += 1
        value |= (byte & _BITS) << shift
        if byte < _MORE:
            return value, at
    raise IndexError(at)
