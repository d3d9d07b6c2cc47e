"""The tables of adjusting entries before they are posted, and of disputed lines. All only grow.

What happens to either is a step with its actor, role and reason; the last step says how it stands.
Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from tallybook.store.schema import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


ADJUSTING = Table(
    "adjusting",
    METADATA,
    Column("id", Text, primary_key=True, nullable=False),
    _text("period"),
    _text("service_period"),
    _text("text"),
    _text("reason"),
    _text("support"),
    _text("support_sha256"),
    _int("reverses"),
    _text("lines"),
    _text("digest"),
    _text("actor"),
    _text("role"),
    _int("at_us"),
    Index("adjusting_period", "period"),
)

ADJUSTING_STEP = Table(
    "adjusting_step",
    METADATA,
    Column("adjusting", Text, primary_key=True, nullable=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("step"),
    _text("link"),
    _text("actor"),
    _text("role"),
    _text("reason"),
    _int("at_us"),
)

DISPUTE = Table(
    "dispute",
    METADATA,
    Column("id", Text, primary_key=True, nullable=False),
    _text("period"),
    Column("version", Integer, nullable=False),
    _text("line"),
    _text("team"),
    _int("amount_cents"),
    _text("reason"),
    _text("actor"),
    _text("role"),
    _int("at_us"),
)

DISPUTE_STEP = Table(
    "dispute_step",
    METADATA,
    Column("dispute", Text, primary_key=True, nullable=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("step"),
    _text("adjusting"),
    _text("actor"),
    _text("role"),
    _text("reason"),
    _int("at_us"),
)

CLOSE_TABLES = (ADJUSTING, ADJUSTING_STEP, DISPUTE, DISPUTE_STEP)
