"""The golden digests: what each statement of a run gives over the adversarial events.

``python -m engines.proof`` in ``tests`` proves the statements on Spark and writes the published
table anew (`make golden`); the tests prove it and write nothing.
"""

from __future__ import annotations

import gc
import json
import shutil
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from company import PRICES, Company, org, policy, usage
from engines.adversaries import (
    CAPACITY_OF_OCTOBER,
    PRICES_OF_OCTOBER,
    adversarial_events,
    sealed_books,
)
from environment import PROJECT, environment
from tallybook.clock import Period
from tallybook.post.basis import read_basis
from tallybook.post.compute import attributed, netted, price_rows
from tallybook.store.dialect import to_spark
from tallybook.store.golden import DUCKDB, name_of, text_digest
from tallybook.store.session import Engine, Session
from tallybook.store.spark import SparkEngine

MASTER = "local[2]"
TABLE = PROJECT / "src" / "tallybook" / "store" / "golden.json"
Seen = dict[str, list[str]]


class Recorder:
    """A session that keeps the digest of what each statement gives."""

    def __init__(self, session: Session, seen: Seen) -> None:
        self._session = session
        self._seen = seen

    def table(self, name, types, rows):
        self._session.table(name, types, rows)

    def run(self, statement, params=None):
        self._session.run(statement, params)
        made = to_spark(statement).makes
        found = self._session.rows(f"SELECT * FROM {made}")
        self._seen[name_of(statement)].append(digest(found))

    def rows(self, statement, params=None):
        found = self._session.rows(statement, params)
        self._seen[name_of(statement)].append(digest(found))
        return found


def digest(rows: list[tuple[object, ...]]) -> str:
    """The digest of rows in any order; types count: 1 is neither True nor 1.0."""
    return sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()


@dataclass(frozen=True)
class Worlds:
    """The books over which statements are proven."""

    october: Company
    capacity: Company
    late: Company


@contextmanager
def worlds(folder: Path) -> Iterator[Worlds]:
    """Make them: adversarial events, the same partly on capacity, and a closed month that a later
    event corrects.
    """
    late = Company(folder / "late", now="2026-12-05T09:00:00Z")
    late.apply(org=org(), policy=policy("2020-01"), prices=PRICES)
    late.ingest(usage("e-1"), usage("e-2"))
    late.close()
    november = "2026-11-02T00:00:00Z"
    late.ingest(usage("e-3", started_at=november, supersedes="e-1"), name="more")
    late.store.close()
    october = sealed_books(folder / "october", adversarial_events(3000))
    prices = PRICES_OF_OCTOBER + CAPACITY_OF_OCTOBER
    capacity = sealed_books(folder / "capacity", adversarial_events(1000), prices)
    yield Worlds(october, capacity, late)
    october.store.close()
    capacity.store.close()


def prove(found: Worlds, engine: Engine | None) -> dict[str, str]:
    """Run what a run runs, on one engine; the golden digest of each statement."""
    seen: Seen = defaultdict(list)
    for company in (found.october, found.capacity):
        with recorded(company, engine, seen):
            basis = read_basis(company.store, Period(2026, 10))
            attributed(company.store, basis)
            netted(company.store, basis, price_rows(basis))
    copied = found.late.home.with_name(f"late-on-{type(engine).__name__}")
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(found.late.home, copied)
    late = Company(copied, now="2026-12-05T09:00:00Z")
    with recorded(late, engine, seen):
        late.run("2026-11")
    late.store.close()
    return {name: digest([(one,) for one in every]) for name, every in sorted(seen.items())}


@contextmanager
def recorded(company: Company, engine: Engine | None, seen: Seen) -> Iterator[None]:
    """Have an engine read the books' events, and note what each statement gives."""
    lake = company.store.lake
    plain = lake.session

    @contextmanager
    def session(*args, **named):
        with plain(*args, **named) as opened:
            yield Recorder(opened, seen)

    lake.session = session
    try:
        with reading_on(company, engine):
            yield
    finally:
        del lake.session


@contextmanager
def reading_on(company: Company, engine: Engine | None) -> Iterator[None]:
    """Have an engine read the books' events; None is DuckDB."""
    lake = company.store.lake
    lake._engine = engine
    try:
        yield
    finally:
        lake._engine = None


def spark_found() -> None:
    """Let this process import what `requirements/spark.txt` locks."""
    python = environment("spark")
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    if str(packages) not in sys.path:
        sys.path.append(str(packages))


def end_java() -> None:
    """Let go of the Java that Spark ran in, and of the sockets to it."""
    from pyspark import SparkContext  # noqa: PLC0415 - there once `spark_found` was called

    gateway = SparkContext._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(60)
    SparkContext._gateway = SparkContext._jvm = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del gateway
        gc.collect()


def table_of(duckdb: dict[str, str], spark: dict[str, str]) -> dict[str, object]:
    programs = {"duckdb": "duckdb", "spark": "pyspark", "sqlglot": "sqlglot"}
    return {
        "versions": {name: version(package) for name, package in programs.items()},
        "statements": {
            name: {
                "text": text_digest(name),
                "results": {DUCKDB: duckdb[name], "spark": spark.get(name, "")},
            }
            for name in duckdb
        },
    }


def main() -> None:
    spark_found()
    engine = SparkEngine(MASTER)
    with tempfile.TemporaryDirectory() as folder, worlds(Path(folder)) as found:
        table = table_of(prove(found, None), prove(found, engine))
    engine.close()
    TABLE.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
