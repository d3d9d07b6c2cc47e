"""Files of spans in every framing; cut and broken ones lose only what is broken."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otlp import CHAT, as_json, as_protobuf, request, span
from tallybook.errors import EventError
from tallybook.meter.model import UsageEvent
from tallybook.meter.sources.otel.dialects import TABLE
from tallybook.meter.sources.otel.files import open_files
from tallybook.meter.sources.otel.framing import is_protobuf
from tallybook.meter.sources.registry import open_product

ONE, TWO = request(span()), request(span("00f067aa0ba902b7"), span("00f067aa0ba902b8"))
IDS = ["eee19b7ec3c1b174", "00f067aa0ba902b7", "00f067aa0ba902b8"]


def varint(number):
    made = b""
    while number > 127:
        made += bytes([number & 127 | 128])
        number >>= 7
    return made + bytes([number])


def fixed(message):
    return len(message).to_bytes(4, "big") + message


def delimited(message):
    return varint(len(message)) + message


P1, P2 = as_protobuf(ONE), as_protobuf(TWO)
FORMS = {
    "JSON": json.dumps({"resourceSpans": ONE["resourceSpans"] + TWO["resourceSpans"]}, indent=2).encode(),
    "JSON with a mark": b"\xef\xbb\xbf\n" + as_json({"resourceSpans": ONE["resourceSpans"] + TWO["resourceSpans"]}),
    "JSON lines": as_json(ONE) + b"\n" + as_json(TWO) + b"\n",
    "JSON in an array": b"[" + as_json(ONE) + b"," + as_json(TWO) + b"]",
    "protobuf": P1 + P2,
    "protobuf, lengths of four bytes": fixed(P1) + fixed(P2),
    "protobuf, lengths as varints": delimited(P1) + delimited(P2),
}  # fmt: skip


def written(tmp_path, content):
    path = tmp_path / "spans"
    path.write_bytes(content)
    return path


def ids(readings):
    return [one.event.span_id for one in readings if isinstance(one.event, UsageEvent)]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form(tmp_path, form, packed):
    content = gzip.compress(FORMS[form]) if packed else FORMS[form]
    found = list(open_product("otel", [written(tmp_path, content)]).read())
    assert ids(found) == IDS


def test_the_place_names_file_request_and_span(tmp_path):
    for form, last in (("JSON lines", "spans:2:2"), ("protobuf", "spans:2:2")):
        *_, found = open_files([written(tmp_path, FORMS[form])]).read()
        assert found.place == last


def test_a_line_is_read_by_itself():
    found = list(open_files([]).line("spans:9", as_json(TWO)))
    assert ids(found) == IDS[1:]
    (fault,) = open_files([]).line("spans:9", b"{")
    assert fault.event.what.startswith("not JSON")


@pytest.mark.parametrize("form", [form for form in FORMS if form.startswith("protobuf")])
def test_a_file_that_was_cut_keeps_what_is_whole(tmp_path, form):
    cut = FORMS[form][:-5]
    *good, fault = open_files([written(tmp_path, cut)]).read()
    assert ids(good) == IDS[:1]
    assert "the file ends" in fault.event.what


def test_a_packed_file_that_was_cut_says_so(tmp_path):
    found = list(open_files([written(tmp_path, gzip.compress(P1 + P2)[:-20])]).read())
    assert "cannot be read" in found[-1].event.what


def test_a_broken_line_does_not_stop_the_rest(tmp_path):
    content = as_json(ONE) + b'\n{"resourceSpans": 7}\nno\n' + as_json(TWO)
    found = list(open_files([written(tmp_path, content)]).read())
    assert ids(found) == IDS
    assert sum(isinstance(one.event, EventError) for one in found) == 2


def test_a_broken_message_does_not_stop_the_rest(tmp_path):
    content = fixed(P1) + fixed(b"\x0a\xff\xff") + fixed(P2)
    found = list(open_files([written(tmp_path, content)]).read())
    assert ids(found) == IDS
    assert [one.event.what[:8] for one in found if isinstance(one.event, EventError)] == [
        "not OTLP"
    ]


def test_a_length_that_no_message_has_is_refused(tmp_path):
    (fault,) = open_files([written(tmp_path, b"\x0b" + b"\xff" * 4 + b"\x7f")]).read()
    assert isinstance(fault.event, EventError)
    (fault,) = open_files([written(tmp_path, b"\xff" * 40)]).read()
    assert isinstance(fault.event, EventError)


def test_an_empty_file_says_nothing(tmp_path):
    assert list(open_files([written(tmp_path, b"\n")]).read()) == []


def test_what_cannot_be_opened_is_named_at_once(tmp_path):
    with pytest.raises(EventError, match="cannot be read"):
        open_files([tmp_path / "absent"])


def test_json_is_told_from_protobuf():
    assert not is_protobuf(b'\n{\n"resourceSpans": []}')
    assert not is_protobuf(b"")
    assert is_protobuf(P1)
    assert is_protobuf(fixed(P1))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def all_read(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(content)
    for one in open_files([path]).read():
        assert isinstance(one.event, UsageEvent | EventError)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    all_read(tmp_path_factory, content)


@given(at=st.integers(0, len(P2) - 1), byte=st.integers(0, 255), cut=st.integers(0, len(P2)))
def test_any_broken_protobuf_is_read_or_refused(tmp_path_factory, at, byte, cut):
    broken = bytearray(P2)
    broken[at] = byte
    all_read(tmp_path_factory, bytes(broken))
    all_read(tmp_path_factory, fixed(bytes(broken[:cut])) + fixed(P1))


PLACES = st.sampled_from(
    [
        (),
        ("resource",),
        ("resource", "attributes"),
        ("scopeSpans",),
        ("scopeSpans", 0),
        ("scopeSpans", 0, "scope"),
        ("scopeSpans", 0, "spans"),
        *[("scopeSpans", 0, "spans", 0, name) for name in [*span(), "parentSpanId"]],
        ("scopeSpans", 0, "spans", 0, "attributes", 0),
        ("scopeSpans", 0, "spans", 0, "attributes", 0, "key"),
        ("scopeSpans", 0, "spans", 0, "attributes", 0, "value"),
    ]
)


@given(place=PLACES, put=ANY_JSON)
def test_anything_anywhere_in_json_is_read_or_refused(tmp_path_factory, place, put):
    told = json.loads(as_json(TWO))
    here, key = told["resourceSpans"], 0
    for step in place:
        here, key = here[key], step
    here[key] = put
    all_read(tmp_path_factory, json.dumps(told).encode())


NAMES = st.sampled_from(
    [
        *(name for row in TABLE.values() for names in row.values() for name in names),
        *("chargeback.purpose", "chargeback.team", "langfuse.trace.metadata.user_id"),
    ]
)
VALUES = (
    st.integers(-5, 2**63 - 1)
    | st.floats()
    | st.booleans()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
    | ANY_JSON.map(json.dumps)
    | st.sampled_from(["chat", "invoke_agent", "[", "openai", "ai.generateText", "LLM", "true"])
)


@settings(max_examples=400)
@given(told=st.dictionaries(NAMES, VALUES, max_size=8))
def test_any_attributes_are_read_or_refused(tmp_path_factory, told):
    all_read(tmp_path_factory, as_json(request(span(attributes=CHAT | told))))
