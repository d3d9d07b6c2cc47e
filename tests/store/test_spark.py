"""Spark without Spark: what is said where it is not installed. The rest is in tests/engines."""

import sys

import pytest

from tallybook.errors import StoreError
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
