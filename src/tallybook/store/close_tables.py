"""The tables of adjusting entries before they are posted, and of disputed lines. All only grow.

What happens to either is a step with its actor, role and reason; the last step says how it stands.
Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from tallybook.store.schema import METADATA, whole, words

ADJUSTING = Table(
    "adjusting",
    METADATA,
    words("id", key=True),
    words("period"),
    words("service_period"),
    words("text"),
    words("reason"),
    words("support"),
    words("support_sha256"),
    whole("reverses"),
    words("lines"),
    words("digest"),
    words("actor"),
    words("role"),
    whole("at_us"),
    Index("adjusting_period", "period"),
)

ADJUSTING_STEP = Table(
    "adjusting_step",
    METADATA,
    words("adjusting", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    words("step"),
    words("link"),
    words("actor"),
    words("role"),
    words("reason"),
    whole("at_us"),
)

DISPUTE = Table(
    "dispute",
    METADATA,
    words("id", key=True),
    words("period"),
    Column("version", Integer, nullable=False),
    words("line"),
    words("team"),
    whole("amount_cents"),
    words("reason"),
    words("actor"),
    words("role"),
    whole("at_us"),
)

DISPUTE_STEP = Table(
    "dispute_step",
    METADATA,
    words("dispute", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    words("step"),
    words("adjusting"),
    words("actor"),
    words("role"),
    words("reason"),
    whole("at_us"),
)

CLOSE_TABLES = (ADJUSTING, ADJUSTING_STEP, DISPUTE, DISPUTE_STEP)
