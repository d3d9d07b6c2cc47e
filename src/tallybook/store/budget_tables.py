"""The tables of what people ask and decide about budgets. Both only grow.

A request is decided once; what was approved for a month is in force from its decision on. Instants
are microseconds since 1970 UTC; an end of 0 is the end of the month.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from tallybook.store.schema import METADATA, numbered, whole, words

BUDGET_REQUEST = Table(
    "budget_request",
    METADATA,
    numbered("id"),
    words("kind"),
    words("scope"),
    words("subject"),
    words("period"),
    whole("amount_nano"),
    whole("until_us"),
    words("reason"),
    words("details"),
    words("actor"),
    whole("at_us"),
    Index("budget_request_period", "period"),
    sqlite_autoincrement=True,
)

BUDGET_DECISION = Table(
    "budget_decision",
    METADATA,
    numbered("seq"),
    Column("request", Integer, nullable=False, unique=True),
    words("verdict"),
    words("kind"),
    words("scope"),
    words("subject"),
    words("period"),
    whole("amount_nano"),
    whole("from_us"),
    whole("until_us"),
    words("reason"),
    words("details"),
    words("requested_by"),
    words("asked_for"),
    words("actor"),
    whole("at_us"),
    Index("budget_decision_period", "period"),
    sqlite_autoincrement=True,
)

BUDGET_TABLES = (BUDGET_REQUEST, BUDGET_DECISION)
