"""The tables of provider invoices and of what people decided about variances. All only grow.

Amounts are decimal text of pico, because a year's invoice in pico may not fit 64 bits.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint

from tallybook.store.schema import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


PROVIDER_INVOICE = Table(
    "provider_invoice",
    METADATA,
    Column("id", Text, primary_key=True, nullable=False),
    _text("provider"),
    _text("form"),
    _text("account"),
    _text("number"),
    _text("period"),
    _int("at_us"),
    UniqueConstraint("provider", "form", "account", "number", "period"),
)

INVOICE_VERSION = Table(
    "invoice_version",
    METADATA,
    Column("invoice", Text, primary_key=True, nullable=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("currency"),
    _text("issued_on"),
    _text("stated_pico"),
    _text("total_pico"),
    _int("lines"),
    _text("windows"),
    _text("files"),
    _text("digest"),
    _int("by_day"),
    _text("reason"),
    _text("actor"),
    _int("at_us"),
)

INVOICE_LINE = Table(
    "invoice_line",
    METADATA,
    Column("invoice", Text, primary_key=True, nullable=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    _text("kind"),
    _int("start_us"),
    _int("end_us"),
    _text("product"),
    _text("model"),
    _text("token_class"),
    _text("tier"),
    _text("region"),
    _text("key_id"),
    _text("project"),
    Column("quantity", BigInteger),
    _text("own_pico"),
    _text("currency"),
    _text("rate"),
    _text("rate_date"),
    _text("amount_pico"),
    _text("fx_pico"),
    _int("places"),
    _int("covered"),
    _text("note"),
    _text("place"),
    _text("raw"),
)

VARIANCE_DECISION = Table(
    "variance_decision",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    _text("period"),
    _text("variance"),
    _text("status"),
    _text("owner"),
    _text("reason"),
    _text("actor"),
    _int("at_us"),
    Index("variance_decision_period", "period"),
    sqlite_autoincrement=True,
)

INVOICE_TABLES = (PROVIDER_INVOICE, INVOICE_VERSION, INVOICE_LINE, VARIANCE_DECISION)
