"""Mappings: foreign CSV and JSON become canonical events, to the digit."""

import json

import pytest

from tallybook.clock import parse_instant
from tallybook.errors import EventError
from tallybook.meter import read_mapping
from tallybook.meter.measure import state
from tallybook.meter.sources.csv_rows import CsvRows
from tallybook.meter.sources.json_records import JsonRecords

CSV_MAP = b"""\
source: trace
zone: America/New_York
id: {digest: occurrence}
fields:
  started_at: TIMESTAMP
  user: who
  status: {from: state, map: {"200": ok, "500": error}, default: ok}
constants: {provider: azure, model: gpt-4, labels: {plan: free}}
tokens:
  input_uncached: {from: context, minus: [cached]}
  cache_read: {from: cached, default: 0}
  output: generated
"""
CSV_HEAD = "TIMESTAMP,context,cached,generated,who,state\n"

JSON_MAP = b"""\
source: litellm
formats: epoch_s
records: data.rows
id: {paths: [id, turn]}
fields:
  started_at: start
  ended_at: end
  provider: provider
  model: [meta, model.name]
  customer: meta.customer
  latency_ms: ms
  reported_cost.amount: cost
constants: {reported_cost.currency: USD}
labels: {region: {from: meta.region, default: none}}
tokens: {output: usage.completion_tokens, input_uncached: {from: usage.prompt_tokens, minus: [usage.details.cached, usage.details.audio]}}
units: {web_search: usage.searches}
"""
JSON_RECORD = {
    "id": "a|b", "turn": 3, "start": 1759485600.1234567, "end": 1759485601, "provider": "openai",
    "meta": {"model.name": "gpt-4o", "customer": "c-1"}, "ms": "12", "cost": 5.2e-05,
    "usage": {"prompt_tokens": 1000, "details": {"cached": 900}, "completion_tokens": 5, "searches": 1},
}  # fmt: skip


def read_csv(tmp_path, text, mapping=CSV_MAP):
    path = tmp_path / "rows.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(CsvRows([path], read_mapping(mapping, "map.yaml", "csv")).read())


def read_json(tmp_path, text, mapping=JSON_MAP):
    path = tmp_path / "records.json"
    path.write_text(text)
    return list(JsonRecords([path], read_mapping(mapping, "map.yaml", "json")).read())


def test_a_row_becomes_an_event(tmp_path):
    ((place, raw, event, _),) = read_csv(
        tmp_path, "\ufeff" + CSV_HEAD + "2023-11-16 18:17:03.9799600,4808,800,10,u-1,500\r\n"
    )
    assert (place, raw["who"], event.user) == ("rows.csv:2", "u-1", "u-1")
    assert event.started_us == parse_instant("2023-11-16T23:17:03.979960Z")
    assert event.tokens == {"input_uncached": 4008, "cache_read": 800, "output": 10}
    assert (event.status, event.labels, event.provider) == ("error", {"plan": "free"}, "azure")


def test_equal_rows_of_a_file_are_two_calls_and_a_replay_none(tmp_path, store, bring_in):
    row = "2023-11-16 18:17:03,10,0,1,u-1,200\n"
    text = CSV_HEAD + row + row + row.replace("10", "11")
    first, second, third = (event for _, _, event, _ in read_csv(tmp_path, text))
    assert first.event_id.endswith(":1")
    assert second.event_id == first.event_id[:-1] + "2"
    assert third.event_id.endswith(":1")
    reader = CsvRows([tmp_path / "rows.csv"], read_mapping(CSV_MAP, "map.yaml", "csv"))
    assert bring_in(store, reader).accepted == 3
    assert bring_in(store, reader).duplicate == 3


def test_who_the_user_is_does_not_enter_the_digest(tmp_path, store, bring_in):
    for who in ("u-1", "u-2"):
        read_csv(tmp_path, CSV_HEAD + f"2023-11-16 18:17:03,10,0,1,{who},200\n")
        reader = CsvRows([tmp_path / "rows.csv"], read_mapping(CSV_MAP, "map.yaml", "csv"))
        result = bring_in(store, reader)
    assert (result.accepted, result.duplicate) == (0, 1)


def test_an_empty_cell_is_unknown_unless_a_default_says_zero(tmp_path):
    ((_, _, event, _),) = read_csv(tmp_path, CSV_HEAD + "2023-11-16 18:17:03,10,,,,\n")
    assert event.tokens == {"input_uncached": 10, "cache_read": 0, "output": None}
    assert state(event) == "partial"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2023-11-16 18:17:03,10,0,1,u", "5 fields stand here; the header has 6"),
        ("2023-11-16 18:17:03,10,12,1,u,200", "cached is 12, more than its inclusive total context, 10"),
        ("2023-11-16 18:17:03,10,0,1.0,u,200", 'tokens.output, generated, is "1.0"'),
        ("2023-11-16 18:17:03,10,0,-1,u,200", 'tokens.output, generated, is "-1"'),
        ("2023-11-16 18:17:03,10,0,99999999999999999999,u,200", "a count is a whole number"),
        ("2023-03-12 02:30:00,10,0,1,u,200", "never was"),
        ("2023-11-16 18:17:03,10,0,1,u,404", 'status is "404"'),
        ('2023-11-16 18:17:03,10,0,1,"u"x,200', "not CSV"),
        ("2023-11-16 18:17:03,10,0,1,\udcff,200", "not UTF-8 text"),
        ("2023-11-16 18:17:03,\udcff", "not UTF-8 text"),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_by_line_and_the_next_is_read(tmp_path, row, words):
    mapping = CSV_MAP.replace(b", default: ok", b"") if "404" in row else CSV_MAP
    text = CSV_HEAD + row + "\n2023-11-16 18:17:03,10,0,1,u,200\n"
    bad, good = read_csv(tmp_path, text.encode("utf-8", "surrogateescape"), mapping)
    assert bad[0] == "rows.csv:2"
    assert words in bad[2].what
    assert good[2].tokens["output"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no header"),
        ("TIMESTAMP,context,cached,generated,who\n", 'names column "state", which the file lacks'),
        (b"a,\xff\n", "not plain UTF-8"),
        ("a,b,a\n", 'column "a" stands twice'),
    ],
)
def test_a_wrong_header_is_refused_before_any_row(tmp_path, text, words):
    with pytest.raises(EventError, match=r"rows\.csv:1") as refused:
        read_csv(tmp_path, text)
    assert words in str(refused.value)
    assert "next: " in str(refused.value)


def test_a_quoted_field_may_hold_a_line_break(tmp_path):
    row = '2023-11-16 18:17:03,10,0,1,"u\n1",200\n'
    (first, second) = read_csv(tmp_path, CSV_HEAD + row + "x\n")
    assert (first[2].user, second[0]) == ("u\n1", "rows.csv:4")


def test_a_json_record_becomes_an_event_exactly(tmp_path):
    text = json.dumps({"data": {"rows": [JSON_RECORD]}})
    ((place, _, event, _),) = read_json(tmp_path, text)
    assert place == "records.json:1"
    assert event.event_id == "a\\|b|3"
    assert event.started_us == 1_759_485_600_123_456
    assert event.model == "gpt-4o"
    assert event.tokens == {"output": 5, "input_uncached": 100}
    assert event.units == {"web_search": 1}
    assert event.labels == {"region": "none"}
    assert event.reported_cost.amount == "0.000052"
    assert event.latency_ms == 12


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": "soon"}, 'start is "soon"; it is a number, epoch_s'),
        ({"start": 1e300}, "start is 1E+300"),
        ({"start": True}, "start is true"),
        ({"id": ""}, "id is missing; the id is made of it"),
        ({"usage": {"prompt_tokens": 5.5}}, "usage.prompt_tokens, is 5.5; a count"),
        ({"provider": {}}, "provider is {}; it is text or a number"),
        ({"cost": "cheap"}, 'reported_cost.amount is "cheap"'),
        ({"start": None}, "started_at is missing"),
    ],
)
def test_a_bad_json_record_is_refused(tmp_path, changes, words):
    text = json.dumps({"data": {"rows": [{**JSON_RECORD, **changes}, JSON_RECORD]}})
    bad, good = read_json(tmp_path, text)
    assert words in bad[2].what
    assert good[2].event_id == "a\\|b|3"


def test_usage_that_is_absent_is_unknown(tmp_path):
    text = json.dumps({"data": {"rows": [{**JSON_RECORD, "usage": None}]}})
    ((_, _, event, _),) = read_json(tmp_path, text)
    assert state(event) == "unknown"


FLAT = b"""\
source: s
id: {paths: [id]}
fields: {started_at: at}
constants: {provider: p, model: m}
"""


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"id":"a","at":"2026-10-03T10:00:00Z"}', ["records.json"]),
        ('{"id":"a",\n"at":"2026-10-03T10:00:00Z"}\n', ["records.json"]),
        ('[{"id":"a","at":"2026-10-03T10:00:00Z"},{"id":"b"}]', ["records.json:1", "records.json:2"]),
        ('{"id":"a","at":"2026-10-03T10:00:00Z"}\n{"id":"b"}\n', ["records.json:1", "records.json:2"]),
        ('{"id":\n{"id":"a","at":"2026-10-03T10:00:00Z"}\n', ["records.json:1", "records.json:2"]),
        ("nothing", ["records.json:1"]),
        ("[7]", ["records.json:1"]),
        ('{"id":"a"}\n\n{"id":"b"}\n', ["records.json:1", "records.json:3"]),
    ],
)  # fmt: skip
def test_one_object_an_array_or_lines(tmp_path, text, places):
    assert [place for place, _, _, _ in read_json(tmp_path, text, FLAT)] == places


def test_the_list_must_be_where_the_mapping_says(tmp_path):
    ((_, _, fault, _),) = read_json(tmp_path, '{"data": {"rows": 7}}')
    assert fault.what == "records: at data.rows is 7; it is a list"


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("epoch_ms", "1759485600123.9"),
        ("'%d/%m/%Y %H:%M:%S.%f'", '"03/10/2025 10:00:00.123"'),
        ("'%Y-%m-%d %H:%M:%S.%f%z'", '"2025-10-03 12:00:00.123+0200"'),
    ],
)
def test_forms_of_instants(tmp_path, form, text):
    mapping = FLAT + f"zone: UTC\nformats: {{started_at: {form}}}\n".encode()
    ((_, _, event, _),) = read_json(tmp_path, f'{{"id":"a","at":{text}}}', mapping)
    assert event.started_us // 1000 == 1_759_485_600_123
