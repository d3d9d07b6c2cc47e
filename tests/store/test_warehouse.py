"""One schema in a company's own warehouse, there and back."""

import os
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from shutil import which

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallybook.errors import EventError, StoreError
from tallybook.meter.model import FIELDS
from tallybook.store.warehouse import (
    COLUMNS,
    SCHEMA,
    append_table,
    as_record,
    as_row,
    read_parquet,
    read_table,
    shown_url,
    write_parquet,
)

FULL = {
    "event_id": "e-1", "source": "sdk", "started_at": "2026-10-03T10:00:00.000Z",
    "ended_at": "2026-10-03T10:00:01.000Z", "provider": "openai", "model": "gpt-4o",
    "tokens": {"input_uncached": 8, "output": None}, "units": {"web_search": 2},
    "labels": {"é": "ü"}, "reported_cost": {"amount": "0.10", "currency": "USD"},
    "attempt": 2, "latency_ms": 2**62, "user": "u-1",
}  # fmt: skip


NO_ZONE = datetime(2026, 10, 3)  # noqa: DTZ001 - as a database without zones gives it


def records(rows):
    return [as_record(row) for _, row in rows]


def other(number):
    return as_row({**FULL, "event_id": f"e-{number}"}, "call")


def test_the_columns_are_the_fields_of_an_event_and_its_role():
    assert sorted(COLUMNS) == sorted((*FIELDS, "role"))
    assert list(COLUMNS) == SCHEMA.names


def test_a_row_is_flat_and_gives_the_record_back():
    row = as_row(FULL, "bucket")
    assert row["tokens"] == '{"input_uncached":8,"output":null}'
    assert row["team"] is None
    assert as_record(row) == (FULL, "bucket")


def test_what_nobody_stated_of_the_role_is_a_call():
    row = as_row(FULL, "call")
    del row["role"]
    assert as_record(row)[1] == "call"


def test_a_table_of_the_company_may_hold_values_and_moments():
    berlin = timezone(timedelta(hours=2))
    row = {
        "event_id": "e-1",
        "tokens": {"output": 3},
        "started_at": datetime(2026, 10, 3, 12, tzinfo=berlin),
        "latency_ms": float("nan"),
        "their_own": 7,
    }
    assert as_record(row)[0] == {
        "event_id": "e-1",
        "tokens": {"output": 3},
        "started_at": "2026-10-03T10:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"tokens": "{no"}, "tokens is '{no'; it is JSON text"),
        ({"started_at": NO_ZONE}, "started_at is 2026-10-03T00:00:00, a moment"),
        ({"labels": "[" * 100_000}, "labels is"),
    ],
)
def test_a_column_that_cannot_be_read_is_named(row, told):
    with pytest.raises(EventError, match="^" + told.replace("{", r"\{").replace("[", r"\[")):
        as_record(row)


@given(
    st.dictionaries(st.sampled_from(COLUMNS), st.text() | st.integers() | st.floats() | st.none())
)
def test_any_row_gives_a_record_or_a_fault(row):
    with suppress(EventError):
        as_record(row)


def test_parquet_there_and_back(tmp_path):
    path = str(tmp_path / "part-1.parquet")
    write_parquet(path, [as_row(FULL, "call"), as_row({**FULL, "event_id": "e-2"}, "agent")])
    places = [place for place, _ in read_parquet(path)]
    assert places == ["part-1.parquet:1", "part-1.parquet:2"]
    assert records(read_parquet(path)) == [(FULL, "call"), ({**FULL, "event_id": "e-2"}, "agent")]


def test_any_file_system_and_a_folder_of_files_in_order():
    write_parquet("memory://warehouse/usage/b.parquet", [other(2)])
    write_parquet("memory://warehouse/usage/a.parquet", [other(1)])
    write_parquet("memory://warehouse/usage/day/c.parquet", [])
    for address in ("memory://warehouse/usage", "memory://warehouse/usage/*.parquet"):
        ids = [record["event_id"] for record, _ in records(read_parquet(address))]
        assert ids == ["e-1", "e-2"]


@pytest.mark.parametrize("name", ["absent.parquet", "text.parquet", "cut.parquet"])
def test_what_is_no_parquet_is_told_with_its_address(tmp_path, name):
    (tmp_path / "text.parquet").write_text("not parquet")
    write_parquet(str(tmp_path / "cut.parquet"), [other(1)])
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError) as refused:
        list(read_parquet(str(tmp_path / name)))
    assert name in refused.value.where


def test_an_unknown_file_system_is_told():
    with pytest.raises(StoreError, match="Protocol not known"):
        list(read_parquet("nowhere://bucket/x.parquet"))


def run(*command):
    subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=120)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The address of a server of its own, on a socket in a folder; '' where there is none."""
    root = os.geteuid() == 0  # PostgreSQL refuses to run as root
    if which("pg_ctl") is None or (root and which("runuser") is None):
        yield ""
        return
    folder = tmp_path_factory.mktemp("postgres")
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    if root:
        folder.chmod(0o777)
        for above in list(folder.parents)[:-1]:
            above.chmod(above.stat().st_mode | 0o011)
    data = str(folder / "data")
    run(*as_user, "initdb", "-D", data, "-A", "trust", "-U", "tally", "--no-sync")
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    run(*as_user, "pg_ctl", "-D", data, "-w", "-l", f"{data}/log", "-o", options, "start")
    try:
        yield f"host={folder} user=tally dbname=postgres"
    finally:
        run(*as_user, "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path, postgres):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.sqlite'}"
    if not postgres:
        pytest.skip("no PostgreSQL on this machine")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    folder = postgres.partition("=")[2].partition(" ")[0]
    return f"postgresql+psycopg://tally@/postgres?host={folder}"


def test_a_table_there_and_back_each_id_once(database):
    rows = [as_row(FULL, "call"), other(2), other(2)]
    assert append_table(database, rows) == 2
    assert append_table(database, [*rows, other(3)]) == 1
    places = [place for place, _ in read_table(database)]
    assert places == [f"tallybook_usage:{n}" for n in (1, 2, 3)]
    assert records(read_table(database))[0] == (FULL, "call")


def test_more_rows_than_one_statement_takes(database):
    assert append_table(database, [other(n) for n in range(1_000)], "calls") == 1_000
    assert append_table(database, [other(n) for n in range(1_001)], "calls") == 1
    assert len(list(read_table(database, table="calls"))) == 1_001


def test_a_statement_names_the_columns(database):
    append_table(database, [as_row(FULL, "call")])
    query = "SELECT event_id, source, tokens, 'bucket' AS role FROM tallybook_usage"
    assert records(read_table(database, query=query)) == [
        ({"event_id": "e-1", "source": "sdk", "tokens": FULL["tokens"]}, "bucket")
    ]


def test_a_moment_of_the_database_is_an_instant(database):
    query = "SELECT 'e-1' AS event_id, '2026-10-03T10:00:00Z' AS started_at"
    if database.startswith("postgresql"):
        query = "SELECT 'e-1' AS event_id, TIMESTAMPTZ '2026-10-03T12:00:00+02' AS started_at"
    ((record, _),) = records(read_table(database, query=query))
    told = datetime.fromisoformat(record["started_at"])
    assert told == datetime(2026, 10, 3, 10, tzinfo=UTC)


def test_a_missing_table_and_a_broken_statement_are_told(database):
    with pytest.raises(StoreError, match="no table 'absent'"):
        list(read_table(database, table="absent"))
    with pytest.raises(StoreError, match="the database refuses"):
        list(read_table(database, query="SELEKT"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://tally:s3cret@/x?host=/nowhere",
        "nodriver://tally:s3cret@host/x",
        "tally:s3cret@host",
        "sqlite:///nowhere/s3cret:x@none/none",
    ],
)
def test_a_password_is_in_no_message(url):
    with pytest.raises(StoreError) as refused:
        list(read_table(url))
    assert "tally:s3cret" not in str(refused.value)
    assert "s3cret@" not in str(refused.value)


def test_an_address_is_shown_without_password_and_options():
    assert shown_url("postgresql://a:b@host:5432/db?password=c") == "postgresql://host:5432/db"
    assert shown_url("no address") == "a database"
