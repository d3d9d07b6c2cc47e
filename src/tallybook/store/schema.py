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


def words(name: str, *, key: bool = False) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, primary_key=key, nullable=False)


def whole(name: str, *, key: bool = False) -> Column[int]:
    """A whole number of 64 bits that is always there."""
    return Column(name, BigInteger, primary_key=key, nullable=False)


def numbered(name: str) -> Column[int]:
    """A row number that the database gives; never used again after a delete."""
    return Column(name, Integer, primary_key=True, autoincrement=True)


DOCUMENT = Table(
    "document",
    METADATA,
    words("kind", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("body"),
    words("sha256"),
    whole("applied_us"),
    words("actor"),
)

CLAIM = Table(
    "claim",
    METADATA,
    Column("key", LargeBinary(16), primary_key=True),
    Column("record", LargeBinary(16), nullable=False),
    whole("batch"),
    sqlite_with_rowid=False,
)

INBOX = Table(
    "inbox",
    METADATA,
    numbered("batch"),
    words("source"),
    whole("rows"),
    words("sha256"),
    Column("events", LargeBinary, nullable=False),
    whole("received_us"),
    sqlite_autoincrement=True,
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    numbered("id"),
    words("source"),
    words("event_id"),
    words("reason"),
    words("record"),
    words("place"),
    whole("received_us"),
)

SUBJECT = Table(
    "subject",
    METADATA,
    words("subject", key=True),
    words("kind"),
    words("value"),
    UniqueConstraint("kind", "value"),
)

SEALED_FILE = Table(
    "sealed_file",
    METADATA,
    words("path", key=True),
    words("period"),
    whole("rows"),
    whole("bytes"),
    words("sha256"),
    words("digest"),
    whole("min_us"),
    whole("max_us"),
    words("meters"),
    words("price_keys"),
    whole("supersedes"),
    whole("added"),
    Column("retired", BigInteger),
    Column("kind", Text, nullable=False, server_default="events"),
    Index("sealed_file_period", "period"),
)

ALIAS = Table(
    "alias",
    METADATA,
    Column("key", LargeBinary(16), primary_key=True),
    Column("observation", LargeBinary(16), nullable=False),
    words("period"),
    sqlite_with_rowid=False,
)

MEMBER = Table(
    "member",
    METADATA,
    Column("observation", LargeBinary(16), primary_key=True),
    Column("call", LargeBinary(16), nullable=False),
    words("period"),
    Column("bills", Integer, nullable=False),
    Index("member_call", "call"),
    sqlite_with_rowid=False,
)

STANDING = Table(
    "standing",
    METADATA,
    Column("subject", LargeBinary(16), primary_key=True),
    words("source"),
    words("event_id"),
    whole("started_us"),
    Column("content", LargeBinary(16), nullable=False),
    whole("revision"),
    sqlite_with_rowid=False,
)

SUSPECT = Table(
    "suspect",
    METADATA,
    Column("low", LargeBinary(16), primary_key=True),
    Column("high", LargeBinary(16), primary_key=True),
    words("told"),
    whole("started_us"),
    words("verdict"),
    words("actor"),
    words("reason"),
    whole("decided_us"),
    sqlite_with_rowid=False,
)

COMMAND = Table(
    "command",
    METADATA,
    numbered("seq"),
    words("name"),
    words("args"),
    words("actor"),
    whole("at_us"),
    words("versions"),
    words("outcome"),
)

POOL_ACTUAL = Table(
    "pool_actual",
    METADATA,
    numbered("seq"),
    words("period"),
    words("pool"),
    whole("amount_nano"),
    words("actor"),
    whole("at_us"),
)

PUBLICATION = Table(
    "publication",
    METADATA,
    words("label", key=True),
    words("period"),
    whole("number"),
    words("list_version"),
    whole("prices_version"),
    words("basis"),
    words("digest"),
    whole("at_us"),
)

SHEET = Table(
    "sheet",
    METADATA,
    words("period", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    whole("manifest"),
    words("versions"),
    words("body"),
    words("sha256"),
    whole("at_us"),
)

GROUND = Table(
    "ground",
    METADATA,
    words("period", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    words("digest"),
)

LIVE_MONTH = Table(
    "live_month",
    METADATA,
    words("period", key=True),
    whole("step"),
    words("ground"),
    whole("manifest"),
    whole("sealed_lot"),
    whole("waiting_lot"),
    whole("first_batch"),
    whole("last_batch"),
    words("noted"),
)

LIVE_BUCKET = Table(
    "live_bucket",
    METADATA,
    whole("lot", key=True),
    words("span", key=True),
    whole("from_us", key=True),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

LIVE_TRACE = Table(
    "live_trace",
    METADATA,
    words("trace", key=True),
    whole("seen_us"),
    whole("cost_rank"),
    whole("dear"),
    words("body"),
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
    whole("batch"),
    sqlite_with_rowid=False,
)

ALERT = Table(
    "alert",
    METADATA,
    numbered("id"),
    words("kind"),
    words("subject"),
    words("window"),
    whole("fired_us"),
    words("body"),
    words("told"),
    words("acked_by"),
    words("reason"),
    whole("acked_us"),
    UniqueConstraint("kind", "subject", "window"),
)

CHAIN = Table(
    "chain",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    words("kind"),
    words("reason"),
    words("period"),
    words("service_period"),
    whole("recorded_us"),
    words("actor"),
    words("text"),
    words("versions"),
    words("corrects"),
    words("details"),
    words("prev_hash"),
    words("hash"),
    Index("chain_period", "period", "kind"),
)

POSTING = Table(
    "posting",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    words("account"),
    words("team"),
    words("feature"),
    words("purpose"),
    words("kind"),
    words("provider"),
    words("service"),
    words("detail"),
    words("source"),
    words("service_period"),
    words("price_version"),
    whole("policy_version"),
    whole("amount_nano"),
    Index("posting_service_period", "service_period"),
)

STATEMENT = Table(
    "statement",
    METADATA,
    words("period", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("status"),
    words("body"),
    words("body_sha256"),
    words("seal"),
    whole("issued_us"),
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
