"""The tables of what people ask and decide about budgets. Both only grow.

A request is decided once; what was approved for a month is in force from its decision on. Instants
are microseconds since 1970 UTC; an end of 0 is the end of the month.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from tallybook.store.schema import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


BUDGET_REQUEST = Table(
    "budget_request",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _text("kind"),
    _text("scope"),
    _text("subject"),
    _text("period"),
    _int("amount_nano"),
    _int("until_us"),
    _text("reason"),
    _text("details"),
    _text("actor"),
    _int("at_us"),
    Index("budget_request_period", "period"),
    sqlite_autoincrement=True,
)

BUDGET_DECISION = Table(
    "budget_decision",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("request", Integer, nullable=False, unique=True),
    _text("verdict"),
    _text("kind"),
    _text("scope"),
    _text("subject"),
    _text("period"),
    _int("amount_nano"),
    _int("from_us"),
    _int("until_us"),
    _text("reason"),
    _text("details"),
    _text("requested_by"),
    _text("asked_for"),
    _text("actor"),
    _int("at_us"),
    Index("budget_decision_period", "period"),
    sqlite_autoincrement=True,
)

BUDGET_TABLES = (BUDGET_REQUEST, BUDGET_DECISION)
