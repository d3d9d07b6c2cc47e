"""What gateways did at limits: refusals, throttles, downgrades, warnings. The table only grows.

Instants are microseconds since 1970 UTC, amounts whole nano; text that nobody told is empty.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from tallybook.store.schema import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


BUDGET_NOTICE = Table(
    "budget_notice",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("notice_id", Text, nullable=False, unique=True),
    _int("at_us"),
    _text("period"),
    _text("budget"),
    _text("act"),
    _text("team"),
    _text("feature"),
    _text("key_id"),
    _text("model"),
    _text("instead"),
    _text("level"),
    _int("calls"),
    _int("estimate_nano"),
    _int("limit_nano"),
    _int("spent_nano"),
    _text("reason"),
    Index("budget_notice_period", "period"),
    sqlite_autoincrement=True,
)

NOTICE_TABLES = (BUDGET_NOTICE,)
