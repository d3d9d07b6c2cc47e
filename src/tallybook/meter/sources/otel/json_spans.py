"""Spans of OTLP in JSON, read by hand.

OTLP writes ids in hexadecimal, where the JSON mapping of protobuf has base64; some exporters follow
the latter. The length tells them apart: 32 and 16 characters against 24 and 12. Integers of 64 bits
come as text or as numbers, enumerations as numbers or names, keys in camel case or as in the proto
files.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, Final

from tallybook.errors import EventError
from tallybook.meter.explain import shown
from tallybook.meter.sources.otel.model import ERROR, KINDS, Broken, Resource, Span

_HEX: Final = re.compile(r"[0-9A-Fa-f]+")
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")
_TRACE_HEX, _SPAN_HEX = 32, 16
_BASE64_OF: Final = {_TRACE_HEX: 24, _SPAN_HEX: 12}
_KIND_OF: Final = {f"SPAN_KIND_{kind.upper()}": kind for kind in KINDS}
_ERRORS: Final = (ERROR, str(ERROR), "STATUS_CODE_ERROR")
_DEPTH_MAX: Final = 16
_PLAIN_DIGITS: Final = 19


def spans_of(request: Mapping[str, Any]) -> Iterator[Span | Broken]:
    """The spans of one ``ExportTraceServiceRequest``.

    Args:
        request: the parsed object, numbers with a fraction as Decimal.

    Raises:
        EventError: it is none at all: its list of resource spans is absent or no list.
    """
    groups = _either(request, "resourceSpans", "resource_spans")
    if groups is None and not request:
        return
    if not isinstance(groups, list):
        raise EventError(
            f"resourceSpans is {shown(groups)}; it is a list",
            next_step='send OTLP: {"resourceSpans": [..]}',
        )
    for at, group in enumerate(groups):
        yield from _group_spans(group, f"resourceSpans[{at}]")


def _group_spans(group: object, place: str) -> Iterator[Span | Broken]:
    if not isinstance(group, dict):
        yield _broken({}, f"{place} is {shown(group)}; it is an object")
        return
    try:
        told = group.get("resource")
        resource = Resource.of(_attributes(_list(told or {}, "attributes")))
        scopes = next((found for name in _SCOPES if (found := _list(group, name))), [])
    except EventError as error:
        yield Broken({}, EventError(f"{place}: {error.what}", next_step=error.next_step))
        return
    for at, scope in enumerate(scopes):
        yield from _scope_spans(scope, resource, f"{place}.scopeSpans[{at}]")


_SCOPES: Final = (
    *("scopeSpans", "scope_spans"),
    *("instrumentationLibrarySpans", "instrumentation_library_spans"),  # before OTLP 0.19
)


def _scope_spans(scope: object, resource: Resource, place: str) -> Iterator[Span | Broken]:
    if not isinstance(scope, dict):
        yield _broken({}, f"{place} is {shown(scope)}; it is an object")
        return
    told = scope.get("scope") or scope.get("instrumentationLibrary")
    name = told.get("name") if isinstance(told, dict) else ""
    schema = _either(scope, "schemaUrl", "schema_url")
    try:
        spans = _list(scope, "spans")
    except EventError as error:
        yield _broken({}, f"{place}: {error.what}")
        return
    for span in spans:
        yield _span(span, resource, _text(name), _text(schema))


def _span(span: Any, resource: Resource, scope: str, schema_url: str) -> Span | Broken:
    if not isinstance(span, dict):
        return _broken({}, f"{shown(span)} stands here; a span is an object")
    get = span.get
    try:
        status = get("status")
        parent = get("parentSpanId") or get("parent_span_id")
        return Span(
            _id(_either(span, "traceId", "trace_id"), "traceId", _TRACE_HEX),
            _id(_either(span, "spanId", "span_id"), "spanId", _SPAN_HEX),
            _id(parent, "parentSpanId", _SPAN_HEX) if parent else "",
            _text(get("name")),
            _kind(get("kind")),
            _ns(_either(span, "startTimeUnixNano", "start_time_unix_nano"), "startTimeUnixNano"),
            _ns(_either(span, "endTimeUnixNano", "end_time_unix_nano"), "endTimeUnixNano"),
            isinstance(status, dict) and status.get("code") in _ERRORS,
            _attributes(_list(span, "attributes")),
            resource,
            scope,
            schema_url,
        )
    except EventError as error:
        kept = ("traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano")
        return Broken({name: span[name] for name in kept if name in span}, error)


def _id(told: object, name: str, length: int) -> str:
    """An id as lower-case hex; what has no bit set is no id, as OTLP says."""
    read = _hex(told, length) if type(told) is str else ""
    if not read:
        raise EventError(
            f"{name} is {shown(told)}; it is {length} hexadecimal characters, not all zero",
            next_step="export ids as OTLP writes them",
        )
    return read


@lru_cache(maxsize=4096)
def _hex(told: str, length: int) -> str:
    """An id in hexadecimal or base64 as lower-case hex; '' if it is none."""
    read = ""
    if len(told) == length and _HEX.fullmatch(told):
        read = told.lower()
    elif len(told) == _BASE64_OF[length]:
        try:
            read = b64decode(told, validate=True).hex()
        except (binascii.Error, ValueError):
            return ""
    return read if read.strip("0") and len(read) == length else ""


def _ns(told: object, name: str) -> int:
    if told is None:
        return 0
    if type(told) is str and _DIGITS.fullmatch(told):
        told = int(told)
    if type(told) is not int or told < 0:
        raise EventError(f"{name} is {shown(told)}; it is nanoseconds since 1970")
    return told


def _kind(told: object) -> str:
    if type(told) is int:
        return KINDS[told] if 0 <= told < len(KINDS) else KINDS[0]
    return _KIND_OF.get(told, KINDS[0]) if type(told) is str else KINDS[0]


def _attributes(pairs: list[Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for pair in pairs:
        if type(pair) is not dict or type(key := pair.get("key")) is not str:
            raise EventError(f"{shown(pair)} stands here; an attribute has a key and a value")
        value = pair.get("value")
        if type(value) is dict and len(value) == 1:  # nearly all are texts
            text = value.get("stringValue")
            if type(text) is str:
                read[key] = text
                continue
            number = value.get("intValue")
            if type(number) is str and len(number) < _PLAIN_DIGITS and _is_plain(number):
                read[key] = int(number)
                continue
        read[key] = _value(value, key)
    return read


def _is_plain(number: str) -> bool:
    return number.isascii() and number.isdecimal()


def _value(told: Any, key: str, depth: int = 0) -> Any:
    """The value of an ``AnyValue``: an object with one key that names its type."""
    if not told or depth > _DEPTH_MAX:
        return None
    if type(told) is not dict:
        raise EventError(f"{key} is {shown(told)}; an attribute's value names its type")
    ((form, value), *others) = told.items()
    if others or (read := _READ_AS.get(form)) is None:
        raise EventError(f"{key} is {shown(told)}; no type of OTLP holds that")
    return None if value is None else read(value, key, depth)


def _plain(value: Any, key: str, _depth: int) -> Any:
    if type(value) not in (str, bool):
        raise EventError(f"{key} is {shown(value)}, which is not of the type that it names")
    return value


def _int(value: Any, key: str, _depth: int) -> int:
    if type(value) is int:
        return value
    if type(value) is str and _DIGITS.fullmatch(value):
        return int(value)
    raise EventError(f"{key} is {shown(value)}; intValue is a whole number")


def _double(value: Any, _key: str, _depth: int) -> Decimal | str | None:
    return double_of(value)


def _array(value: Any, key: str, depth: int) -> list[Any]:
    return [_value(each, key, depth + 1) for each in _list(value or {}, "values")]


def _map(value: Any, key: str, depth: int) -> dict[str, Any]:
    pairs = _list(value or {}, "values")
    named = [pair for pair in pairs if type(pair) is dict and type(pair.get("key")) is str]
    return {pair["key"]: _value(pair.get("value"), key, depth + 1) for pair in named}


_READ_AS: Final[Mapping[str, Callable[[Any, str, int], Any]]] = {
    "stringValue": _plain,
    "string_value": _plain,
    "boolValue": _plain,
    "bool_value": _plain,
    "bytesValue": _plain,
    "bytes_value": _plain,
    "intValue": _int,
    "int_value": _int,
    "doubleValue": _double,
    "double_value": _double,
    "arrayValue": _array,
    "array_value": _array,
    "kvlistValue": _map,
    "kvlist_value": _map,
}


def double_of(value: Any) -> Decimal | str | None:
    """A double as the shortest decimal that means it, the same from either wire."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return value if isinstance(value, str) else None
    try:
        read = float(value)
    except OverflowError:
        return str(value)
    if isfinite(read):
        return Decimal(repr(read))
    return "NaN" if read != read else "Infinity" if read > 0 else "-Infinity"  # noqa: PLR0124


def _list(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else holder
    if found is None:
        return []
    if not isinstance(found, list):
        raise EventError(f"{name} is {shown(found)}; it is a list")
    return found


def _either(holder: Mapping[str, Any], name: str, other: str) -> Any:
    found = holder.get(name)
    return holder.get(other) if found is None else found


def _text(told: object) -> str:
    return told if type(told) is str else ""


def _broken(record: dict[str, Any], what: str) -> Broken:
    return Broken(record, EventError(what, next_step="export the spans again as OTLP"))
