"""Records of a known product: each tells some events, or is refused whole."""

from __future__ import annotations

from pathlib import Path

from tallybook.errors import EventError
from tallybook.meter.sources.foreign import Foreign, Told

PLAIN = {"source": "toy", "started_at": "2026-10-03T10:00:00Z", "provider": "openai", "model": "m"}


def translate(record):
    if "skip" in record:
        return
    for n in range(record["calls"]):
        yield Told(PLAIN | {"event_id": f"{record['id']}:{n}", "tokens": {"output": record["out"]}})
    if "span" in record:
        yield Told(
            PLAIN | {"event_id": record["span"], "provider": "none", "model": "none"}, "span"
        )


def readings(tmp_path: Path, text: str):
    file = tmp_path / "toy.jsonl"
    file.write_text(text)
    return list(Foreign("toy", [file], translate).read())


def test_one_record_tells_several_things(tmp_path):
    found = readings(tmp_path, '{"id": "a", "calls": 2, "out": 5, "span": "s"}\n{"skip": 1}\n')
    assert [(one.place, one.event.event_id, one.role) for one in found] == [
        ("toy.jsonl:1", "a:0", "call"),
        ("toy.jsonl:1", "a:1", "call"),
        ("toy.jsonl:1", "s", "span"),
    ]


def test_a_record_is_refused_whole(tmp_path):
    (one,) = readings(tmp_path, '{"id": "a", "calls": 2, "out": -5}')
    assert isinstance(one.event, EventError)
    assert "tokens.output" in one.event.what
    assert one.record == {"id": "a", "calls": 2, "out": -5}


def test_what_is_no_object_is_a_fault_with_its_line(tmp_path):
    first, second = readings(tmp_path, '{"id": "a", "calls": 1, "out": 1}\n7\n')
    assert first.event.tokens == {"output": 1}
    assert (second.place, second.record) == ("toy.jsonl:2", 7)
    assert "a record is a JSON object" in second.event.what


def test_a_line_is_read_by_itself(tmp_path):
    source = Foreign("toy", [], translate)
    (one,) = source.line("toy.jsonl:7", b'{"id": "a", "calls": 1, "out": 5}\n')
    assert (one.place, one.event.event_id) == ("toy.jsonl:7", "a:0")
    (fault,) = source.line("toy.jsonl:8", b'{"id": \n')
    assert fault.event.what.startswith("not JSON")


def test_what_is_prepared_is_what_is_kept(tmp_path):
    file = tmp_path / "toy.jsonl"
    file.write_text('{"id": "a", "calls": 1, "out": 5, "prompt": "secret"}')

    def without_prompt(record):
        return {name: value for name, value in record.items() if name != "prompt"}

    (one,) = Foreign("toy", [file], translate, prepare=without_prompt).read()
    assert one.record == {"id": "a", "calls": 1, "out": 5}


def test_a_page_of_an_api_holds_records(tmp_path):
    file = tmp_path / "page.json"
    file.write_text('{"data": [{"id": "a", "calls": 1, "out": 5}, 7], "next": null}')

    def open_page(record):
        return record.get("data")

    first, second = Foreign("toy", [file], translate, open_page=open_page).read()
    assert (first.place, first.event.event_id) == ("page.json:1", "a:0")
    assert (second.place, second.record) == ("page.json:2", 7)
