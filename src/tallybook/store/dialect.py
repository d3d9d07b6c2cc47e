"""One text, two engines: a statement in DuckDB's dialect, made Spark's.

The parser and the writer are sqlglot's. What could change a figure in between is decided here, and
only forms that were reviewed are let through (docs/engines.md):

* ``HUGEINT`` becomes ``DECIMAL(38, 0)``. Without places after the point no digit can be dropped;
  what does not fit raises, from 10^38 instead of from 2^127.
* ``SUM`` adds in ``DECIMAL(38, 0)``, because DuckDB adds ``BIGINT`` in 128 bits and Spark in 64.
* Division, fractions, floats, other types and functions are refused, not translated.
* ``CREATE`` is taken apart: the session keeps the result under the name itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import ErrorLevel, SqlglotError

from tallybook.errors import StoreError

REVIEWED: Final = frozenset(
    {
        # the frame of a query
        exp.Select, exp.Star, exp.Alias, exp.From, exp.Table, exp.TableAlias, exp.Subquery,
        exp.Join, exp.Where, exp.Group, exp.Order, exp.Ordered, exp.Distinct, exp.Identifier,
        exp.Column, exp.Var, exp.Placeholder, exp.Literal, exp.Boolean, exp.Null, exp.Paren,
        # what is asked of values
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is,
        exp.Case, exp.If, exp.Coalesce, exp.Cast, exp.DataType, exp.Bracket,
        # the whole of our arithmetic
        exp.Add, exp.Mul, exp.Sum, exp.Count, exp.RowNumber, exp.Window,
    }
)  # fmt: skip
"""Forms of which somebody has read what both engines do with them."""

_TYPES: Final = frozenset(
    {exp.DataType.Type.INT128, exp.DataType.Type.BIGINT, exp.DataType.Type.INT}
)
_JOINS: Final = frozenset({("", ""), ("LEFT", ""), ("", "ANTI"), ("", "SEMI")})
_NUMBER_MAX: Final = 2**63
WIDE: Final = "DECIMAL(38, 0)"


@dataclass(frozen=True, slots=True)
class SparkStatement:
    """A statement for Spark.

    Args:
        makes: the table or view that it makes; empty when it is a plain query.
        kept: whether the result is computed once and kept, as a table is; a view is not.
        query: the text, with binds as ``:name``.
    """

    makes: str
    kept: bool
    query: str


@lru_cache(maxsize=256)
def to_spark(statement: str) -> SparkStatement:
    """Translate one statement of ours.

    Raises:
        StoreError: it has a form that was not reviewed for Spark.
    """
    try:
        tree = parse_one(statement, read="duckdb")
        makes, kept = "", False
        if isinstance(tree, exp.Create):
            makes, kept, tree = _taken_apart(tree)
        for node in list(tree.walk()):
            _require_reviewed(node)
            _say_for_spark(node)
        query = tree.sql("spark", unsupported_level=ErrorLevel.RAISE, comments=False)
    except SqlglotError as error:
        raise _refused(str(error).splitlines()[0]) from error
    return SparkStatement(makes, kept, query)


def _taken_apart(tree: exp.Create) -> tuple[str, bool, exp.Expr]:
    query = tree.expression
    if tree.kind not in {"TABLE", "VIEW"} or not tree.args.get("replace") or query is None:
        raise _refused("CREATE is reviewed as CREATE OR REPLACE TABLE or VIEW .. AS only")
    return tree.this.name, tree.kind == "TABLE", query


def _require_reviewed(node: exp.Expr) -> None:
    if type(node) not in REVIEWED:
        raise _refused(f"{type(node).__name__}: {node.sql('duckdb')[:80]}")
    if isinstance(node, exp.DataType) and node.this not in _TYPES:
        raise _refused(f"the type {node.sql('duckdb')}")
    if isinstance(node, exp.Join) and not _is_plain_join(node):
        raise _refused(f"this kind of join: {node.sql('duckdb')[:80]}")
    if isinstance(node, exp.Window) and not isinstance(node.this, exp.RowNumber):
        raise _refused(f"this window: {node.sql('duckdb')[:80]}")
    if isinstance(node, exp.Literal) and not _is_plain(node):
        raise _refused(f"the number {node.this}")
    if isinstance(node, (exp.Sum, exp.Count)) and isinstance(node.this, exp.Distinct):
        raise _refused("an aggregate of distinct values")
    if isinstance(node, exp.Bracket) and not _is_named(node):
        raise _refused(f"an element that is not named: {node.sql('duckdb')[:80]}")


def _is_plain_join(join: exp.Join) -> bool:
    return (join.side, join.kind) in _JOINS and not join.method and bool(join.args.get("on"))


def _is_plain(literal: exp.Literal) -> bool:
    return literal.is_string or (literal.this.isdigit() and int(literal.this) < _NUMBER_MAX)


def _is_named(bracket: exp.Bracket) -> bool:
    return [key.is_string for key in bracket.expressions] == [True]


def _say_for_spark(node: exp.Expr) -> None:
    """The reviewed table of what is said differently."""
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.INT128:
        node.replace(exp.DataType.build(WIDE))
    elif isinstance(node, exp.Sum):
        node.set("this", exp.Cast(this=node.this, to=exp.DataType.build(WIDE)))


def _refused(what: str) -> StoreError:
    return StoreError(
        f"a statement is not offered on Spark; not reviewed: {what}",
        next_step="run without --engine spark; docs/engines.md lists what Spark may run",
    )
