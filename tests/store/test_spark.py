"""Spark without Spark: what is said where it is not installed. The rest is in tests/engines."""

import sys
from contextlib import contextmanager

import pytest

from company import usage
from tallybook.errors import StoreError
from tallybook.store import sql_text
from tallybook.store.golden import published
from tallybook.store.spark import OnSpark, SparkEngine, spark_engine


def test_where_spark_is_not_installed_the_next_step_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(StoreError, match=r"not installed here(.|\n)*tallybook\[spark\]"):
        spark_engine("local[2]")


def test_an_engine_that_was_never_needed_starts_nothing():
    engine = SparkEngine("spark://nowhere:7077", published())
    engine.close()
    assert engine.master == "spark://nowhere:7077"


def test_nothing_unproven_reaches_spark(monkeypatch):
    versions = {"pyspark": "4.0.5", "sqlglot": "30.30.0"}
    monkeypatch.setattr("tallybook.store.spark.version", versions.get)
    session = OnSpark(None, "home", published())
    for ask in (session.run, session.rows):
        with pytest.raises(StoreError, match="not offered: the statement without a name"):
            ask("SELECT 1")
    versions["pyspark"] = "4.0.6"
    with pytest.raises(StoreError, match=r"spark 4\.0\.6 was not proven"):
        session.run("SELECT 1")


def test_a_month_whose_traces_link_is_refused_by_the_name_of_the_statement(
    found_company, monkeypatch
):
    monkeypatch.setattr(
        "tallybook.store.spark.version", {"pyspark": "4.0.5", "sqlglot": "30.30.0"}.get
    )

    class Engine:
        """Opens what Spark would, and reads nothing."""

        @contextmanager
        def open(self, _home, _views):
            yield OnSpark(None, "home", published())

    company = found_company()
    company.ingest(usage(trace_id="t", span_id="2", parent_span_id="1"))
    company.store.lake.use(Engine())
    with pytest.raises(StoreError, match="the statement attribute/told was not proven on spark"):
        company.run()
    assert company.journal() == []


def test_columns_for_walking_are_refused_on_spark():
    session = OnSpark(None, "home", published())
    with pytest.raises(StoreError, match="the statement attribute/nodes was not proven on spark"):
        session.columns(sql_text("tallybook.attribute", "nodes"))
    with pytest.raises(StoreError, match="columns such as placed, of 2 was not proven on spark"):
        session.put("placed", {"row_at": [], "place": []})
