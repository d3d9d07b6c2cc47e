"""The tables of the book, as data. Migrations create them; `.sql` files of the rooms name them.

Empty text, never NULL, means "none" in a dimension, so that keys compare plainly.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _int(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=False)


def _serial(name: str) -> Column[int]:
    """A row number that the database gives; never used again after a delete."""
    return Column(name, Integer, primary_key=True, autoincrement=True)


DOCUMENT = Table(
    "document",
    METADATA,
    _text("kind", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("body"),
    _text("sha256"),
    _int("applied_us"),
    _text("actor"),
)

CLAIM = Table(
    "claim",
    METADATA,
    Column("key", LargeBinary(16), primary_key=True),
    Column("record", LargeBinary(16), nullable=False),
    _int("batch"),
    sqlite_with_rowid=False,
)

INBOX = Table(
    "inbox",
    METADATA,
    _serial("batch"),
    _text("source"),
    _int("rows"),
    _text("sha256"),
    Column("events", LargeBinary, nullable=False),
    _int("received_us"),
    sqlite_autoincrement=True,
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    _serial("id"),
    _text("source"),
    _text("event_id"),
    _text("reason"),
    _text("record"),
    _text("place"),
    _int("received_us"),
)

SUBJECT = Table(
    "subject",
    METADATA,
    _text("subject", key=True),
    _text("kind"),
    _text("value"),
    UniqueConstraint("kind", "value"),
)

SEALED_FILE = Table(
    "sealed_file",
    METADATA,
    _text("path", key=True),
    _text("period"),
    _int("rows"),
    _int("bytes"),
    _text("sha256"),
    _text("digest"),
    _int("min_us"),
    _int("max_us"),
    _text("meters"),
    _text("price_keys"),
    _int("supersedes"),
    _int("added"),
    Column("retired", BigInteger),
    Column("kind", Text, nullable=False, server_default="events"),
    Index("sealed_file_period", "period"),
)

ALIAS = Table(
    "alias",
    METADATA,
    Column("key", LargeBinary(16), primary_key=True),
    Column("observation", LargeBinary(16), nullable=False),
    _text("period"),
    sqlite_with_rowid=False,
)

MEMBER = Table(
    "member",
    METADATA,
    Column("observation", LargeBinary(16), primary_key=True),
    Column("call", LargeBinary(16), nullable=False),
    _text("period"),
    Column("bills", Integer, nullable=False),
    Index("member_call", "call"),
    sqlite_with_rowid=False,
)

STANDING = Table(
    "standing",
    METADATA,
    Column("subject", LargeBinary(16), primary_key=True),
    _text("source"),
    _text("event_id"),
    _int("started_us"),
    Column("content", LargeBinary(16), nullable=False),
    _int("revision"),
    sqlite_with_rowid=False,
)

SUSPECT = Table(
    "suspect",
    METADATA,
    Column("low", LargeBinary(16), primary_key=True),
    Column("high", LargeBinary(16), primary_key=True),
    _text("told"),
    _int("started_us"),
    _text("verdict"),
    _text("actor"),
    _text("reason"),
    _int("decided_us"),
    sqlite_with_rowid=False,
)

COMMAND = Table(
    "command",
    METADATA,
    _serial("seq"),
    _text("name"),
    _text("args"),
    _text("actor"),
    _int("at_us"),
    _text("versions"),
    _text("outcome"),
)

POOL_ACTUAL = Table(
    "pool_actual",
    METADATA,
    _serial("seq"),
    _text("period"),
    _text("pool"),
    _int("amount_nano"),
    _text("actor"),
    _int("at_us"),
)

PUBLICATION = Table(
    "publication",
    METADATA,
    _text("label", key=True),
    _text("period"),
    _int("number"),
    _text("list_version"),
    _int("prices_version"),
    _text("basis"),
    _text("digest"),
    _int("at_us"),
)

SHEET = Table(
    "sheet",
    METADATA,
    _text("period", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _int("manifest"),
    _text("versions"),
    _text("body"),
    _text("sha256"),
    _int("at_us"),
)

GROUND = Table(
    "ground",
    METADATA,
    _text("period", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("digest"),
)

LIVE_MONTH = Table(
    "live_month",
    METADATA,
    _text("period", key=True),
    _int("step"),
    _text("ground"),
    _int("manifest"),
    _int("sealed_lot"),
    _int("waiting_lot"),
    _int("first_batch"),
    _int("last_batch"),
    _text("noted"),
)

LIVE_BUCKET = Table(
    "live_bucket",
    METADATA,
    _int("lot", key=True),
    _text("span", key=True),
    _int("from_us", key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

LIVE_TRACE = Table(
    "live_trace",
    METADATA,
    _text("trace", key=True),
    _int("seen_us"),
    _int("cost_rank"),
    _int("dear"),
    _text("body"),
    Index("live_trace_seen", "seen_us"),
    Index(
        "live_trace_dear",
        "cost_rank",
        sqlite_where=text("dear = 1"),
        postgresql_where=text("dear = 1"),
    ),
)

LIVE_TOLD = Table(
    "live_told",
    METADATA,
    Column("key", LargeBinary(16), primary_key=True),
    _int("batch"),
    sqlite_with_rowid=False,
)

ALERT = Table(
    "alert",
    METADATA,
    _serial("id"),
    _text("kind"),
    _text("subject"),
    _text("window"),
    _int("fired_us"),
    _text("body"),
    _text("told"),
    _text("acked_by"),
    _text("reason"),
    _int("acked_us"),
    UniqueConstraint("kind", "subject", "window"),
)

CHAIN = Table(
    "chain",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    _text("kind"),
    _text("reason"),
    _text("period"),
    _text("service_period"),
    _int("recorded_us"),
    _text("actor"),
    _text("text"),
    _text("versions"),
    _text("corrects"),
    _text("details"),
    _text("prev_hash"),
    _text("hash"),
    Index("chain_period", "period", "kind"),
)

POSTING = Table(
    "posting",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("account"),
    _text("team"),
    _text("feature"),
    _text("purpose"),
    _text("kind"),
    _text("provider"),
    _text("service"),
    _text("detail"),
    _text("source"),
    _text("service_period"),
    _text("price_version"),
    _int("policy_version"),
    _int("amount_nano"),
    Index("posting_service_period", "service_period"),
)

STATEMENT = Table(
    "statement",
    METADATA,
    _text("period", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("status"),
    _text("body"),
    _text("body_sha256"),
    _text("seal"),
    _int("issued_us"),
)

APPEND_ONLY = (
    DOCUMENT,
    COMMAND,
    POOL_ACTUAL,
    PUBLICATION,
    SHEET,
    CHAIN,
    POSTING,
    STATEMENT,
)
