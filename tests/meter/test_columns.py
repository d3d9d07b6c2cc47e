"""Columns: unknown is null, absent is zero, and the plain case says what the general one says."""

from tallybook.meter.columns import columns
from tallybook.meter.read import read_event
from tallybook.store.events import EVENT_SCHEMA


def test_columns_hold_unknown_as_null_and_absent_as_zero(store, record, bring_in, inbox_rows):
    lines = [
        record("known"),
        record("unknown", tokens=None),
        record("partial", tokens={"output": None, "input_uncached": 3}),
    ]
    bring_in(store, lines)
    known, unknown, partial = inbox_rows(store)
    assert (known["cache_write"], known["context_tokens"], known["total_tokens"]) == (0, 4020, 4024)
    assert (unknown["output"], unknown["total_tokens"], unknown["usage"]) == (None, 0, "unknown")
    assert (partial["output"], partial["cache_read"], partial["total_tokens"]) == (None, 0, 3)
    assert [row["state"] for row in (known, unknown, partial)] == ["reported", "unknown", "partial"]
    bring_in(store, [record("alone")])
    alone = inbox_rows(store)[-1]
    differing = {name for name in known if known[name] != alone[name]}
    assert differing == {"key", "record", "event_id"}


def test_there_is_a_column_for_every_field_of_the_schema(record):
    table = columns([read_event(record())], [b"k" * 16], [b"r" * 16])
    assert set(table) == set(EVENT_SCHEMA.names)
    assert {len(column) for column in table.values()} == {1}


def test_the_plain_case_is_the_general_one(record):
    known = [
        record(tokens={"output": 3, "reasoning": 2, "audio_input": 5}),
        record(tokens={"cache_read": 1}),
    ]
    plain = columns([read_event(raw) for raw in known], [b""] * 2, [b""] * 2)
    mixed = columns(
        [read_event(raw) for raw in [*known, record(tokens=None)]], [b""] * 3, [b""] * 3
    )
    assert plain == {name: column[:2] for name, column in mixed.items()}
    assert (plain["context_tokens"], plain["total_tokens"]) == ([5, 1], [8, 1])
