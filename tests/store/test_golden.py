"""Only what was proven runs: by name, by text, by result and by version."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tallybook.errors import StoreError
from tallybook.store.golden import name_of, published, text_digest
from tallybook.store.sqltext import sql_text

PROJECT = Path(__file__).parent.parent.parent
STATEMENT = sql_text("tallybook.rate", "metered")
HERE = {name: published().versions[name] for name in ("spark", "sqlglot")}


def test_a_statement_is_known_by_the_name_in_its_first_line():
    assert name_of(STATEMENT) == "rate/metered"
    assert name_of("SELECT 1") == name_of("-- a remark\nSELECT 1") == ""
    assert text_digest("rate/nonsense") == text_digest("nonsense/rated") == ""


def test_what_was_proven_is_offered():
    for name in published().texts:
        published().require(f"-- {name}\nSELECT 1", "spark", HERE)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("SELECT 1", "the statement without a name was not proven"),
        (sql_text("tallybook.post", "carried"), "post/carried was not proven"),
        ("-- rate/nonsense\nSELECT 1", "rate/nonsense was not proven"),
    ],
)
def test_a_statement_that_is_not_in_the_table_is_refused(statement, what):
    with pytest.raises(StoreError, match=what):
        published().require(statement, "spark", HERE)


def test_a_changed_text_a_wrong_result_another_engine_and_version_are_refused():
    table = published()
    held = table.results["rate/metered"]
    wrong = {**table.results, "rate/metered": {**held, "spark": "0" * 64}}
    for changed, engine, versions, what in (
        (replace(table, texts={**table.texts, "rate/metered": "0"}), "spark", HERE, "not proven"),
        (replace(table, results=wrong), "spark", HERE, "other figures on spark than on DuckDB"),
        (table, "flink", {}, "other figures on flink"),
        (table, "spark", {"spark": "3.5.0"}, r"spark 3.5.0 was not proven .* 4\.0\.5 was"),
    ):
        with pytest.raises(StoreError, match=what) as refused:
            changed.require(STATEMENT, engine, versions)
        assert refused.value.next_step


def test_the_published_table_holds_equal_pairs_of_the_locked_versions():
    table = published()
    assert table.results
    assert all(held["spark"] == held["duckdb"] for held in table.results.values())
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"]["spark"]
    assert f"pyspark=={table.versions['spark']}" in extra
    assert f"sqlglot=={table.versions['sqlglot']}" in extra
    assert f"duckdb=={table.versions['duckdb']}" in project["dependencies"]
    lock = (PROJECT / "requirements" / "spark.txt").read_text(encoding="utf-8")
    assert set(extra) <= set(re.findall(r"^\S+==\S+", lock, re.MULTILINE))


def test_the_table_is_written_as_the_command_writes_it():
    path = PROJECT / "src" / "tallybook" / "store" / "golden.json"
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
