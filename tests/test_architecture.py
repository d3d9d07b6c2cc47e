"""The import law and the bans that keep money exact and books reproducible, read from the syntax.

Each law is a function from one source file to its breaches (``file:line: what``). The first half of
the tests holds every file of the house to the laws; the second half shows each law a breach that it
must catch, so that a law that sees nothing does not pass for obeyed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "src" / "tallybook"

NUMBERED = {
    "meter": 1,
    "rate": 2,
    "attribute": 3,
    "allocate": 4,
    "ledger": 5,
    "post": 6,
    "reconcile": 7,
    "close": 8,
    "report": 9,
}
BESIDE = {"check", "budget", "economics", "live"}
EDGES = {"cli", "api", "web", "gateway", "sdk", "pull", "sim", "demo", "__main__"}
GROUND = {
    "__init__": set[str](),
    "errors": set[str](),
    "money": {"errors"},
    "clock": {"errors"},
    "books": {"errors", "money", "clock"},
    "store": {"errors", "money", "clock", "books"},
}
ROOMS = {*NUMBERED, *BESIDE, *EDGES, *GROUND}

ENGINES = {"sqlalchemy", "sqlite3", "alembic", "duckdb", "pyarrow", "pyspark", "py4j", "sqlglot"}
NETWORK = {
    *("socket", "ssl", "http", "urllib", "requests", "httpx", "httpx2", "aiohttp"),
    *("smtplib", "ftplib"),
}
NETWORK_FREE = {"http.HTTPStatus", "urllib.parse"}
CHANCE = {"random", "secrets", "uuid"}
WALL_CLOCKS = {
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"),
    *("time.asctime", "time.clock_gettime", "time.clock_gettime_ns", "time.strftime"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
    "datetime.date.today",
}
STOPWATCHES = {
    f"time.{name}{unit}"
    for name in ("monotonic", "perf_counter", "process_time", "thread_time")
    for unit in ("", "_ns")
}
MONEY_ROOMS = {
    *("rate", "attribute", "allocate", "ledger", "post", "reconcile", "close", "report", "check"),
    "budget",
    "live",
}
ROUNDING_CALLS = {"round", "math.floor", "math.ceil", "math.trunc", "math.fsum"}
FOLDER_NAME = re.compile(r"(path|folder|home|root|dir)$", re.IGNORECASE)
MONEY_NAME = re.compile(r"_(pico|nano|cents)$|amount|price")
SQL_TEXT_OR_NOTE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
SQL_BANNED = re.compile(
    r"/|\bround\s*\(|\bavg\s*\(|\bfloat\w*|\bdouble\b|\breal\b"
    r"|\bcurrent_(?:timestamp|date|time)\b|\bnow\s*\(|\brandom\s*\(|\buuid\s*\(",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Source:
    """One file: its name for the report, its room and its syntax tree."""

    name: str
    room: str
    tree: ast.Module
    package: tuple[str, ...] = ("tallybook",)

    def breach(self, node: ast.AST, what: str) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}: {what}"


def read(path: Path) -> Source:
    parts = path.relative_to(HOUSE).with_suffix("").parts
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    name = str(path.relative_to(HOUSE.parent.parent))
    return Source(name, parts[0], tree, ("tallybook", *parts[:-1]))


def sources() -> list[Source]:
    return [read(path) for path in sorted(HOUSE.rglob("*.py"))]


def imports(source: Source) -> Iterator[tuple[ast.stmt, str, str]]:
    """Each imported name: the statement, the dotted full name and the local name."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                yield node, alias.name, local
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(source.package[: len(source.package) - node.level + 1])
            module = f"{base}.{node.module}" if node.module else base
            for alias in node.names:
                origin = f"{module if node.level else node.module}.{alias.name}"
                yield node, origin, alias.asname or alias.name


def full_names(source: Source) -> Iterator[tuple[ast.expr, str]]:
    """Each name or chain of attributes in an expression, spelled out through the imports."""
    origins: dict[str, str] = {}
    for statement, origin, local in imports(source):
        plain_import = isinstance(statement, ast.Import) and local == origin.partition(".")[0]
        origins[local] = local if plain_import else origin
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.Name, ast.Attribute)):
            first, *rest = ast.unparse(node).split(".")
            yield node, ".".join([origins.get(first, first), *rest])


def may_import(room: str) -> set[str]:
    """The rooms that a room may import, beside itself."""
    if room in GROUND:
        return GROUND[room]
    if room in EDGES or room == "check":
        return ROOMS
    below = {other for other, number in NUMBERED.items() if number < NUMBERED.get(room, 99)}
    return below | set(GROUND)


def import_law(source: Source) -> list[str]:
    if source.room not in ROOMS:
        return [f"{source.name}:1: room {source.room!r} has no place in the import law"]
    breaches = []
    for node, origin, _ in imports(source):
        house, _, inside = origin.partition(".")
        if house != "tallybook":
            continue
        first = inside.partition(".")[0]
        known = first in ROOMS or (first != "" and (HOUSE / first).is_dir())
        room = first if known else "__init__"
        if room not in {source.room, *may_import(source.room)}:
            breaches.append(source.breach(node, f"{source.room} must not import {room}"))
    return breaches


def engine_law(source: Source) -> list[str]:
    if source.room == "store":
        return []
    return [
        source.breach(node, f"only store imports {origin.partition('.')[0]}")
        for node, origin, _ in imports(source)
        if origin.partition(".")[0] in ENGINES
    ]


def network_law(source: Source) -> list[str]:
    if source.room in EDGES:
        return []
    return [
        source.breach(node, f"only the edges touch the network: {origin}")
        for node, origin, _ in imports(source)
        if origin.partition(".")[0] in NETWORK
        and not any(origin == free or origin.startswith(free + ".") for free in NETWORK_FREE)
    ]


def chance_law(source: Source) -> list[str]:
    if source.room in EDGES | {"store"}:
        return []
    return [
        source.breach(node, f"nothing in the core is left to chance: {origin}")
        for node, origin, _ in imports(source)
        if origin.partition(".")[0] in CHANCE
    ]


def clock_law(source: Source) -> list[str]:
    if source.room == "clock":
        return []
    banned = WALL_CLOCKS if source.room in EDGES else WALL_CLOCKS | STOPWATCHES
    return [
        source.breach(node, f"only clock reads the wall clock: {name}")
        for node, name in full_names(source)
        if name in banned
    ]


def money_law(source: Source) -> list[str]:
    if source.room not in MONEY_ROOMS:
        return []
    breaches = [
        source.breach(node, f"only money rounds and no float comes near it: {name}")
        for node, name in full_names(source)
        if name in ROUNDING_CALLS or name == "float" or name.endswith(".quantize")
    ]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            breaches.append(source.breach(node, f"float literal {node.value}"))
        elif isinstance(node, ast.BinOp):
            breaches += division(source, node, node.left, node.right)
        elif isinstance(node, ast.AugAssign):
            breaches += division(source, node, node.target, node.value)
    return breaches


def division(
    source: Source, node: ast.BinOp | ast.AugAssign, left: ast.expr, right: ast.expr
) -> list[str]:
    text = ast.unparse(node)
    if isinstance(node.op, ast.Div) and not (is_folder(left) or is_text(right)):
        return [source.breach(node, f"only money divides: {text}")]
    if isinstance(node.op, ast.FloorDiv) and any(
        MONEY_NAME.search(last_name(side)) for side in (left, right)
    ):
        return [source.breach(node, f"a floor is a rounding, only money rounds: {text}")]
    return []


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def is_folder(node: ast.expr) -> bool:
    """Whether a left operand is a path: by its name, a text in it, or a path division."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return is_folder(node.left) or is_text(node.right)
    return is_text(node) or FOLDER_NAME.search(last_name(node)) is not None


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def sql_law(name: str, text: str) -> list[str]:
    """In SQL only sums, products, counts and joins: engines divide and round as they please."""

    def blank(found: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", found[0])

    bare = SQL_TEXT_OR_NOTE.sub(blank, text)
    return [
        f"{name}:{bare.count(chr(10), 0, found.start()) + 1}: not in SQL: {found[0]}"
        for found in SQL_BANNED.finditer(bare)
    ]


Law = Callable[[Source], list[str]]
LAWS: list[Law] = [import_law, engine_law, network_law, chance_law, clock_law, money_law]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_house_obeys(law: Law) -> None:
    breaches = [breach for source in sources() for breach in law(source)]
    assert not breaches, "\n" + "\n".join(breaches)


def test_the_sql_of_the_house_obeys() -> None:
    breaches = [
        breach
        for path in sorted(HOUSE.rglob("*.sql"))
        for breach in sql_law(str(path.relative_to(HOUSE.parent.parent)), path.read_text())
    ]
    assert not breaches, "\n" + "\n".join(breaches)


def test_there_is_a_house_to_check() -> None:
    assert {source.room for source in sources()} >= {"money", "clock", "errors"}


def snippet(room: str, text: str) -> Source:
    return Source(f"{room}/snippet.py", room, ast.parse(text), ("tallybook", room))


@pytest.mark.parametrize(
    ("law", "room", "text"),
    [
        (import_law, "rate", "from tallybook.allocate import allocate"),
        (import_law, "rate", "import tallybook.post.run"),
        (import_law, "rate", "from tallybook import ledger"),
        (import_law, "rate", "from ..close import act"),
        (import_law, "report", "def late():\n    from tallybook.cli import main"),
        (import_law, "report", "from tallybook.budget import burn"),
        (import_law, "post", "from tallybook.check import run"),
        (import_law, "money", "from tallybook.clock import Period"),
        (import_law, "clock", "from tallybook.money import Nano"),
        (import_law, "books", "from tallybook.store import Store"),
        (import_law, "store", "from tallybook.meter import UsageEvent"),
        (import_law, "errors", "from tallybook.money import Nano"),
        (import_law, "budget", "from tallybook.cli import main"),
        (import_law, "attic", "x = 1"),
        (engine_law, "meter", "import duckdb"),
        (engine_law, "cli", "from sqlalchemy import text"),
        (engine_law, "report", "import pyarrow.parquet as parquet"),
        (engine_law, "ledger", "def late():\n    import sqlite3"),
        (network_law, "meter", "import urllib.request"),
        (network_law, "reconcile", "from http.client import HTTPSConnection"),
        (network_law, "rate", "import socket"),
        (chance_law, "allocate", "import random"),
        (chance_law, "ledger", "from uuid import uuid4"),
        (chance_law, "books", "import secrets"),
        (clock_law, "ledger", "import time\nx = time.time()"),
        (clock_law, "ledger", "from time import time_ns as now\nx = now()"),
        (clock_law, "cli", "from datetime import datetime as dt, UTC\nx = dt.now(UTC)"),
        (clock_law, "cli", "import datetime\nx = datetime.datetime.utcnow()"),
        (clock_law, "sim", "from datetime import date\nx = date.today()"),
        (clock_law, "meter", "import time as t\nx = t.perf_counter()"),
        (clock_law, "store", "from time import monotonic\nx = monotonic()"),
        (money_law, "rate", "x = round(y)"),
        (money_law, "close", "x = map(round, y)"),
        (money_law, "report", "x = float(y)"),
        (money_law, "ledger", "def f(x: float) -> None: ..."),
        (money_law, "budget", "x: list[float] = []"),
        (money_law, "check", "x = 0.5"),
        (money_law, "allocate", "x = total / count"),
        (money_law, "allocate", "x /= count"),
        (money_law, "post", "x = amount_nano // 2"),
        (money_law, "post", "x = line.price_pico // 2"),
        (money_law, "rate", "import math\nx = math.floor(y)"),
        (money_law, "report", "x = y.quantize(z)"),
        (money_law, "report", "x = Fraction(1, 2) / 3"),
    ],
)
def test_a_breach_is_caught(law: Law, room: str, text: str) -> None:
    breaches = law(snippet(room, text))
    assert len(breaches) == 1
    assert re.match(rf"{room}/snippet\.py:\d+: ", breaches[0])


@pytest.mark.parametrize(
    ("law", "room", "text"),
    [
        (import_law, "allocate", "from tallybook.attribute import attribute"),
        (import_law, "allocate", "from tallybook.errors import AllocationError"),
        (import_law, "allocate", "from tallybook.allocate.models import real_cost"),
        (import_law, "allocate", "from . import model"),
        (import_law, "allocate", "from .models import real_cost"),
        (import_law, "allocate", "from tallybook import __version__"),
        (import_law, "store", "from tallybook.books import Documents"),
        (import_law, "books", "from tallybook.money import parse_units"),
        (import_law, "check", "from tallybook.budget import burn"),
        (import_law, "cli", "from tallybook.report import statement"),
        (engine_law, "store", "import duckdb, sqlalchemy"),
        (network_law, "cli", "import urllib.request"),
        (network_law, "report", "from urllib.parse import quote"),
        (chance_law, "sim", "import random"),
        (clock_law, "clock", "import time\nx = time.time_ns()"),
        (clock_law, "cli", "import time\nx = time.monotonic()"),
        (clock_law, "ledger", "x = clock.now_us()"),
        (clock_law, "report", "from datetime import datetime\nx = datetime.fromisoformat(y)"),
        (money_law, "report", 'x = folder / "statement.sql"'),
        (money_law, "report", 'x = self.home / "out" / name'),
        (money_law, "report", "x = Path(text) / name"),
        (money_law, "report", 'x = base / f"{period}.json"'),
        (money_law, "report", "x = elapsed_us // 1000"),
        (money_law, "cli", "x = round(1.5 / 2)"),
        (money_law, "money", "x = a / b"),
    ],
)
def test_what_is_lawful_passes(law: Law, room: str, text: str) -> None:
    assert law(snippet(room, text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "select amount / 2 from posting",
        "select ROUND (amount) from posting",
        "select avg(amount) from posting",
        "select cast(amount as double) from posting",
        "select current_timestamp",
        "select now()",
        "select * from event order by random()",
    ],
)
def test_sql_that_divides_rounds_or_guesses_is_caught(text: str) -> None:
    breaches = sql_law("rate/snippet.sql", f"-- half / half\n{text}\n")
    assert len(breaches) == 1
    assert breaches[0].startswith("rate/snippet.sql:2: not in SQL: ")


def test_sql_that_adds_and_joins_passes() -> None:
    text = "-- a / b\nselect sum(q * price), 'a/b' /* round( */ from event join price using (k)"
    assert sql_law("rate/snippet.sql", text) == []
