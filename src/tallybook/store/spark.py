"""Apache Spark as the engine: the same statements over the same sealed files.

Statements are translated by `tallybook.store.dialect`, and only those that were proven equal are
run (`tallybook.store.golden`). pyspark, sqlglot and Java come with the extra ``spark``; nothing
else of the house needs them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tallybook.errors import CorruptedError, StoreError
from tallybook.store.events import EVENT_SCHEMA
from tallybook.store.golden import Golden, name_of, published
from tallybook.store.java import provide_java
from tallybook.store.session import Columns, ColumnType

_DDL: Final = {"text": "STRING", "whole": "BIGINT", "truth": "BOOLEAN"}
_EXACT: Final = {
    "spark.sql.ansi.enabled": "true",  # overflow raises; without it, it wraps or is NULL
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",  # as DuckDB
    "spark.sql.parquet.mergeSchema": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}
"""What figures depend on, set for each session whatever the cluster's defaults are."""
_QUIET: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "FATAL",  # what fails is raised, and told once
}
_LOCAL: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
}
_UNFIT = ("NUMERIC_VALUE_OUT_OF_RANGE", "ARITHMETIC_OVERFLOW", "NUMERIC_OUT_OF_SUPPORTED_RANGE")
_GLOB: Final = re.compile(r"[][{}*?\\]")
"""What Spark takes for a pattern of paths."""
_UNREAD = ("FAILED_READ_FILE", "CANNOT_READ", "CORRUPT", "ParquetDecodingException")


class SparkEngine:
    """Spark at one master, started when it is first needed.

    Args:
        master: where Spark runs: ``local[2]``, ``local-cluster[2,1,1024]``, ``spark://host:7077``.
        golden: the statements that may run; None lets all run, for proving them.
    """

    def __init__(self, master: str, golden: Golden | None = None) -> None:
        self.master = master
        self._golden = golden
        self._started = False

    @contextmanager
    def open(self, home: Path, views: Mapping[str, Sequence[Path]]) -> Iterator[OnSpark]:
        """A session of its own in the one Spark.

        Raises:
            StoreError: Spark is not installed, not the proven version, or does not start.
        """
        spark = self._spark
        with _told(str(home)):
            session = spark.newSession()
            for name, value in _EXACT.items():
                session.conf.set(name, value)
        opened = OnSpark(session, str(home), self._golden)
        try:
            for name, paths in views.items():
                opened.open_events(name, paths)
            yield opened
        finally:
            opened.close()

    def close(self) -> None:
        """Stop Spark, if it was started."""
        if self._started:
            with _let_go():
                self._spark.stop()
            del self.__dict__["_spark"]
            self._started = False

    @cached_property
    def _spark(self) -> Any:
        sessions = _pyspark().SparkSession
        provide_java()
        builder = sessions.builder.master(self.master).appName("tallybook")
        local = _LOCAL if self.master.startswith("local") else {}
        for name, value in (_QUIET | local).items():
            builder = builder.config(name, value)
        try:
            spark = builder.getOrCreate()
        except Exception as error:  # whatever a machine, a network or a cluster can come up with
            raise StoreError(
                f"Spark did not start: {_first_line(error)}",
                where=self.master,
                next_step="check the master; to try: --master 'local[2]'",
            ) from error
        self._started = True
        return spark


class OnSpark:
    """One opened session. Statements are DuckDB's dialect; binds are ``$name``."""

    def __init__(self, spark: Any, where: str, golden: Golden | None) -> None:
        self._spark = spark
        self._where = where
        self._golden = golden
        self._kept: list[Any] = []

    def open_events(self, name: str, paths: Sequence[Path]) -> None:
        """Make a view of sealed events over Parquet files; over none, an empty one.

        Raises:
            CorruptedError: a file lacks columns that the others have; Spark would fill in NULL.
        """
        held = [(path, _columns(path)) for path in paths]
        schema = EVENT_SCHEMA
        if held:
            schema = pa.schema([field for field in EVENT_SCHEMA if field.name in held[0][1]])
        for path, columns in held:
            if missing := set(schema.names) - columns:
                raise CorruptedError(
                    f"a sealed file lacks {', '.join(sorted(missing))}", where=str(path)
                )
        ddl = ", ".join(f"`{field.name}` {_ddl(field.type)}" for field in schema)
        with _told(self._where):
            if held:
                listed = [_GLOB.sub(r"\\\g<0>", path.as_posix()) for path, _ in held]
                frame = self._spark.read.schema(ddl).parquet(*listed)
            else:
                frame = self._spark.createDataFrame([], ddl)
            frame.createOrReplaceTempView(name)

    def table(
        self, name: str, types: Mapping[str, ColumnType], rows: Sequence[Sequence[object]]
    ) -> None:
        """Put a small table of ours beside the events.

        Args:
            name: how SQL names it.
            types: column names with their types, in order.
            rows: values in that order; None is NULL.
        """
        ddl = ", ".join(f"`{column}` {_DDL[kind]}" for column, kind in types.items())
        with _told(self._where):
            frame = self._spark.createDataFrame([tuple(row) for row in rows], ddl)
            frame.createOrReplaceTempView(name)

    def run(self, statement: str, params: Mapping[str, object] | None = None) -> None:
        """Make the table or view that a statement makes."""
        self._made(statement, params)

    def rows(
        self, statement: str, params: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """All rows of a query; whole numbers of any size come as int."""
        frame = self._made(statement, params)
        with _told(self._where):
            return [tuple(_plain(value) for value in row) for row in frame.collect()]

    def put(self, name: str, columns: Columns) -> None:
        """Columns are for walking traces, which was not proven on Spark.

        Raises:
            StoreError: always.
        """
        raise _no_columns(f"columns such as {name}, of {len(columns)}")

    def columns(
        self, statement: str, _params: Mapping[str, object] | None = None
    ) -> Iterator[Columns]:
        """Columns are for walking traces, which was not proven on Spark.

        Raises:
            StoreError: always.
        """
        raise _no_columns(f"the statement {name_of(statement)}")

    def close(self) -> None:
        """Let go of what was kept."""
        with _let_go():
            for frame in self._kept:
                frame.unpersist()
        self._kept.clear()

    def _made(self, statement: str, params: Mapping[str, object] | None) -> Any:
        from tallybook.store.dialect import to_spark  # noqa: PLC0415 - sqlglot is in the extra

        if self._golden is not None:
            self._golden.require(statement, "spark", _versions())
        said = to_spark(statement)
        with _told(self._where):
            frame = self._spark.sql(said.query, args=dict(params or {}))
            if said.kept:
                frame = frame.persist()
                self._kept.append(frame)
                frame.count()  # a table is computed when it is made, and its errors are raised here
            if said.makes:
                frame.createOrReplaceTempView(said.makes)
        return frame


def _no_columns(what: str) -> StoreError:
    return StoreError(
        f"not offered: {what} was not proven on spark",
        next_step="run without --engine; docs/engines.md says how one is proven",
    )


def spark_engine(master: str) -> SparkEngine:
    """Spark for work that counts: only what was proven runs.

    Raises:
        StoreError: Spark is not installed here.
    """
    _pyspark()
    return SparkEngine(master, published())


def _pyspark() -> Any:
    try:
        import pyspark.sql  # noqa: PLC0415 - an extra
        import sqlglot  # noqa: F401, PLC0415 - the same extra
    except ImportError as error:
        raise StoreError(
            "Spark is not installed here",
            next_step="install it: pip install 'tallybook[spark]'; or run without --engine spark",
        ) from error
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)  # it repeats errors
    return pyspark.sql


def _versions() -> dict[str, str]:
    return {"spark": version("pyspark"), "sqlglot": version("sqlglot")}


def _columns(path: Path) -> set[str]:
    try:
        return set(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise CorruptedError(
            f"sealed events cannot be read: {error}",
            where=str(path),
            next_step="restore the file from a backup",
        ) from error


def _ddl(kind: pa.DataType) -> str:
    if pa.types.is_map(kind):
        return f"MAP<{_ddl(kind.key_type)}, {_ddl(kind.item_type)}>"
    if pa.types.is_int64(kind):
        return "BIGINT"
    if pa.types.is_string(kind):
        return "STRING"
    assert pa.types.is_fixed_size_binary(kind), "the columns of events are of four types"
    return "BINARY"


def _plain(value: object) -> object:
    if not isinstance(value, Decimal):
        return value
    whole = int(value)
    assert whole == value, "the dialect lets no fraction through"
    return whole


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turn Spark's errors into ours."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with pyspark
    from pyspark.errors import (  # noqa: PLC0415 - an extra
        AnalysisException,
        ParseException,
        PySparkException,
    )

    try:
        yield
    except (AnalysisException, ParseException) as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise  # a statement that makes no sense is our own mistake, not the data's
        raise StoreError(
            f"Spark does not find a sealed file that is here: {_first_line(error)}",
            where=where,
            next_step="let Spark's machines see the lake at the same path; of a name that is not"
            " ASCII its Java needs a locale of UTF-8, such as LC_ALL=C.UTF-8",
        ) from error
    except (PySparkException, Py4JError, ConnectionError) as error:
        text = str(error)
        if any(word in text for word in _UNFIT):
            raise StoreError(
                f"an amount or a quantity does not fit its type: {_first_line(error)}", where=where
            ) from error
        if any(word in text for word in _UNREAD):
            raise CorruptedError(
                f"sealed events cannot be read: {_first_line(error)}",
                where=where,
                next_step="restore the file from a backup",
            ) from error
        raise StoreError(
            f"Spark failed: {_first_line(error)}",
            where=where,
            next_step="see Spark's own log; the books are as they were before",
        ) from error


@contextmanager
def _let_go() -> Iterator[None]:
    """Of a Spark that died there is nothing to let go, and why it is let go was told already."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with pyspark

    with suppress(Py4JError, ConnectionError):
        yield


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
