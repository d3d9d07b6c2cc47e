"""What gateways did at limits: refusals, throttles, downgrades, warnings. The table only grows.

Instants are microseconds since 1970 UTC, amounts whole nano; text that nobody told is empty.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from tallybook.store.schema import METADATA, numbered, whole, words

BUDGET_NOTICE = Table(
    "budget_notice",
    METADATA,
    numbered("seq"),
    Column("notice_id", Text, nullable=False, unique=True),
    whole("at_us"),
    words("period"),
    words("budget"),
    words("act"),
    words("team"),
    words("feature"),
    words("key_id"),
    words("model"),
    words("instead"),
    words("level"),
    whole("calls"),
    whole("estimate_nano"),
    whole("limit_nano"),
    whole("spent_nano"),
    words("reason"),
    Index("budget_notice_period", "period"),
    sqlite_autoincrement=True,
)

NOTICE_TABLES = (BUDGET_NOTICE,)
