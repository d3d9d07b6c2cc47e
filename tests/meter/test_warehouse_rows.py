"""Events from a company's own warehouse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError, StoreError
from tallybook.meter.read import read_event
from tallybook.meter.sources.warehouse_rows import WarehouseRows, parquet_rows, table_rows
from tallybook.store.warehouse import COLUMNS, append_table, as_row, write_parquet

RECORD = {
    "event_id": "e-1", "source": "sdk", "started_at": "2026-10-03T10:00:00Z", "provider": "openai",
    "model": "gpt-4o", "tokens": {"input_uncached": 8, "output": 4}, "labels": {"k": "v"},
}  # fmt: skip


def test_parquet_files_give_back_the_events_and_their_roles(tmp_path):
    write_parquet(str(tmp_path / "a.parquet"), [as_row(RECORD, "agent")])
    write_parquet("memory://rows/b.parquet", [as_row({**RECORD, "event_id": "e-2"}, "call")])
    source = parquet_rows([str(tmp_path), "memory://rows/b.parquet"])
    first, second = source.read()
    assert (first.place, first.event, first.role) == ("a.parquet:1", read_event(RECORD), "agent")
    assert (second.event.event_id, second.role) == ("e-2", "call")
    assert first.record == RECORD
    assert source.name == "parquet"


def test_a_table_and_a_statement(tmp_path):
    url = f"sqlite:///{tmp_path / 'w.sqlite'}"
    append_table(url, [as_row(RECORD, "call")], "usage")
    (one,) = table_rows(url, table="usage").read()
    assert one.event == read_event(RECORD)
    (one,) = table_rows(url, query="SELECT * FROM usage WHERE event_id = 'e-1'").read()
    assert one.place == "query:1"


def test_a_warehouse_that_breaks_is_told(tmp_path):
    with pytest.raises(StoreError, match="no table"):
        list(table_rows(f"sqlite:///{tmp_path / 'w.sqlite'}").read())
    with pytest.raises(StoreError, match="no Parquet file"):
        list(parquet_rows([str(tmp_path)]).read())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"role": "boss"}, 'role is "boss"; it is one of call, agent, bucket, span'),
        ({"tokens": "{"}, "tokens is '{'; it is JSON text"),
        ({"tokens": '{"output": -1}'}, "tokens.output"),
        ({"model": None}, "model"),
        ({"started_at": 7}, "started_at is 7; an instant is text"),
    ],
)
def test_a_row_that_is_no_event_is_told(changes, told):
    (one,) = WarehouseRows(
        "table", [lambda: iter([("t:1", as_row(RECORD, "call") | changes)])]
    ).read()
    assert told in one.event.what


@given(
    st.dictionaries(st.sampled_from(COLUMNS), st.text() | st.integers() | st.floats() | st.none())
)
def test_any_row_gives_an_event_or_a_fault(changes):
    row = as_row(RECORD, "call") | changes
    (one,) = WarehouseRows("table", [lambda: iter([("t:1", row)])]).read()
    assert isinstance(one.event, EventError) or one.event.source
