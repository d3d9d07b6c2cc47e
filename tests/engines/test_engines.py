"""Spark gives DuckDB's figures: statement by statement, call by call, to the last posting.

One Spark for the whole file; `local-cluster` once, at the end.
"""

import os
import shutil
from types import SimpleNamespace

import pytest
from bench.company import PERIOD
from bench.generate import make_home
from click.testing import CliRunner

from engines.adversaries import (
    CAPACITY_OF_OCTOBER,
    PRICES_OF_OCTOBER,
    adversarial_events,
    largest,
    overflowing_sum,
    sealed_books,
)
from engines.proof import MASTER, end_java, prove, reading_on, spark_found, table_of, worlds
from tallybook.cli.app import App
from tallybook.cli.main import cli
from tallybook.clock import FixedClock, Period
from tallybook.errors import CorruptedError, StoreError
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed
from tallybook.post.run import run
from tallybook.store import Store, dialect
from tallybook.store import spark as spark_module
from tallybook.store.events import EVENT_SCHEMA
from tallybook.store.golden import published
from tallybook.store.spark import SparkEngine

OCTOBER = Period(2026, 10)
NOW_US = 1_790_900_000_000_000
EVENTS = 100_000
RENEW = "if the statement was changed on purpose: make golden, and look at what it changes"


# pyspark's bridge to Java leaves closing its sockets to the collector of garbage.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def spark():
    """Spark without the published table: it runs what is to be proven."""
    with pytest.MonkeyPatch.context() as patch:
        # Compiling well costs more than these few rows; what is computed is the same.
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        spark_found()
        engine = SparkEngine(MASTER)
        yield engine
        engine.close()
        end_java()


@pytest.fixture(scope="module")
def proven(spark, tmp_path_factory):
    with worlds(tmp_path_factory.mktemp("worlds")) as found:
        yield prove(found, None), prove(found, spark)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    company = sealed_books(tmp_path_factory.mktemp("few") / "books", adversarial_events(200))
    yield company
    company.store.close()


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """100,000 made events; what DuckDB posts for them, and a way to have copies."""
    home = tmp_path_factory.mktemp("month") / "home"
    make_home(home, EVENTS)

    def copy(name):
        return shutil.copytree(home, home.with_name(name))

    store = Store.open(copy("duckdb"))
    run(store, Period.parse(PERIOD), clock=FixedClock(NOW_US), actor="tester")
    return copy, posted(store)


def posted(store):
    with store.read() as tx:
        found = [
            tuple(row)
            for table in ("posting", "chain", "sheet")
            for row in tx.rows(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]
    store.close()
    return found


def figures(company, engine):
    with reading_on(company, engine):
        return attributed(company.store, read_basis(company.store, OCTOBER)).lines


def test_every_statement_of_a_run_gives_the_same_on_both_engines(proven):
    on_duckdb, on_spark = proven
    assert on_spark == on_duckdb


def test_the_published_table_is_what_was_proven(proven):
    table, held = table_of(*proven), published()
    assert held.versions == table["versions"], RENEW
    assert held.results == {n: s["results"] for n, s in table["statements"].items()}, RENEW
    assert held.texts == {n: s["text"] for n, s in table["statements"].items()}, RENEW


@pytest.mark.parametrize(
    ("wide", "ansi"),
    [("DECIMAL(19, 0)", "true"), ("DECIMAL(19, 0)", "false"), ("BIGINT", "false")],
)
def test_a_translation_without_care_is_caught(spark, few, monkeypatch, wide, ansi):
    monkeypatch.setattr(dialect, "WIDE", wide)
    monkeypatch.setitem(spark_module._EXACT, "spark.sql.ansi.enabled", ansi)
    dialect.to_spark.cache_clear()
    try:
        if (wide, ansi) == ("DECIMAL(19, 0)", "true"):
            with pytest.raises(StoreError, match="does not fit its type"):
                figures(few, spark)
        else:
            assert figures(few, spark) != figures(few, None)
    finally:
        dialect.to_spark.cache_clear()


def test_with_care_the_same_events_agree(spark, few):
    assert figures(few, spark) == figures(few, None)


def test_calls_on_capacity_are_offered_and_agree(spark, tmp_path, monkeypatch):
    prices = PRICES_OF_OCTOBER + CAPACITY_OF_OCTOBER
    company = sealed_books(tmp_path / "books", adversarial_events(400), prices)
    monkeypatch.setattr(spark, "_golden", published())
    found = figures(company, spark)
    assert found == figures(company, None)
    assert {line.capacity for line in found} == {"", "Ptu", "ptu"}
    company.store.close()


@pytest.mark.parametrize("events", [largest(19), overflowing_sum()], ids=["product", "sum"])
def test_what_does_not_fit_raises_on_both(spark, tmp_path, events):
    company = sealed_books(tmp_path / "books", events)
    for engine in (None, spark):
        with pytest.raises(StoreError, match="does not fit its type"):
            figures(company, engine)
    company.store.close()


def test_between_the_two_limits_spark_raises_and_never_answers(spark, tmp_path):
    company = sealed_books(tmp_path / "books", largest(11))
    assert figures(company, None)
    with pytest.raises(StoreError, match="does not fit its type"):
        figures(company, spark)
    company.store.close()


def test_a_file_that_is_not_what_was_written_is_corrupted(spark, tmp_path):
    company = sealed_books(tmp_path / "books", adversarial_events(20))
    basis = read_basis(company.store, OCTOBER)
    path = company.store.lake.path(basis.snapshot.files[0])
    written = path.read_bytes()
    middle = len(written) // 3
    path.write_bytes(written[:middle] + bytes(400) + written[middle + 400 :])
    with pytest.raises(CorruptedError):
        figures(company, spark)
    path.write_bytes(b"PAR1")
    with pytest.raises(CorruptedError, match="cannot be read"):
        figures(company, spark)
    company.store.close()


@pytest.mark.parametrize("name", ["b [2026] {a,b}*?", "it's"])
def test_a_folder_of_any_name_is_read(spark, few, tmp_path, name):
    home = tmp_path / name
    shutil.copytree(few.store.home, home)
    store = Store.open(home)
    plain = attributed(store, read_basis(store, OCTOBER)).lines
    store.lake.use(spark)
    assert attributed(store, read_basis(store, OCTOBER)).lines == plain
    store.close()


def test_a_file_that_spark_does_not_see_is_told(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(spark_module, "_columns", lambda _: set(EVENT_SCHEMA.names))
    with (
        pytest.raises(StoreError, match="Spark does not find a sealed file"),
        spark.open(tmp_path, {"events": [tmp_path / "gone.parquet"]}),
    ):
        pass


@pytest.mark.parametrize("died", ["ConnectionRefusedError", "Py4JNetworkError"])
def test_a_spark_that_dies_is_told_as_what_it_is(spark, tmp_path, monkeypatch, died):
    from py4j.protocol import Py4JNetworkError  # noqa: PLC0415 - there once Spark was found

    kinds = {each.__name__: each for each in (ConnectionRefusedError, Py4JNetworkError)}

    def dies(*_, **__):
        raise kinds[died]("gone")

    def ask():
        with spark.open(tmp_path, {}) as session:
            session._kept.append(SimpleNamespace(unpersist=dies))
            monkeypatch.setattr(session, "_spark", SimpleNamespace(sql=dies))
            session.rows("SELECT 1 AS one")

    with pytest.raises(StoreError, match="Spark failed") as told:
        ask()
    assert "the books are as they were before" in told.value.next_step


def test_tables_of_ours_keep_text_numbers_and_none(spark, tmp_path):
    rows = [("a'b", 2**62, None), ("", -1, True)]
    with spark.open(tmp_path, {}) as session:
        session.table("ours", {"name": "text", "n": "whole", "yes": "truth"}, rows)
        assert session.rows("SELECT * FROM ours ORDER BY n") == rows[::-1]
        session.table("none", {"n": "whole"}, [])
        assert session.rows("SELECT COUNT(*) FROM none") == [(0,)]
        session.open_events("events", [])
        assert session.rows("SELECT event_id FROM events") == []


def test_binds_and_sums_are_exact(spark, tmp_path):
    with spark.open(tmp_path, {}) as session:
        session.table("ours", {"n": "whole"}, [(2**63 - 1,), (2**63 - 1,), (None,)])
        assert session.rows("SELECT SUM(n), COUNT(n) FROM ours WHERE n > $least", {"least": 7}) == [
            (2**64 - 2, 2)
        ]


def test_100_000_events_are_posted_the_same(spark, month):
    copy, expected = month
    store = Store.open(copy("spark"))
    store.lake.use(spark)
    spark._golden = published()  # as the command does: only what was proven runs
    run(store, Period.parse(PERIOD), clock=FixedClock(NOW_US), actor="tester")
    spark._golden = None
    assert posted(store) == expected


def test_the_command_posts_the_same_on_a_cluster_with_the_packaged_java(spark, month, monkeypatch):
    copy, expected = month
    spark.close()  # one Spark in a process at a time
    end_java()
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")
    home = copy("cluster")
    app = App(home, "tester", clock=FixedClock(NOW_US))
    command = ["run", PERIOD, "--engine", "spark", "--master", "local-cluster[2,1,1024]"]
    done = CliRunner().invoke(cli, command, obj=app, catch_exceptions=False)
    app.store.close()
    assert done.exit_code == 0
    assert "tallybook-java-" in os.environ["JAVA_HOME"]
    assert posted(Store.open(home)) == expected
