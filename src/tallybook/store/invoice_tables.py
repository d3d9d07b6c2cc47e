"""The tables of provider invoices and of what people decided about variances. All only grow.

Amounts are decimal text of pico, because a year's invoice in pico may not fit 64 bits.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint

from tallybook.store.schema import METADATA, numbered, whole, words

PROVIDER_INVOICE = Table(
    "provider_invoice",
    METADATA,
    words("id", key=True),
    words("provider"),
    words("form"),
    words("account"),
    words("number"),
    words("period"),
    whole("at_us"),
    UniqueConstraint("provider", "form", "account", "number", "period"),
)

INVOICE_VERSION = Table(
    "invoice_version",
    METADATA,
    words("invoice", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    words("currency"),
    words("issued_on"),
    words("stated_pico"),
    words("total_pico"),
    whole("lines"),
    words("windows"),
    words("files"),
    words("digest"),
    whole("by_day"),
    words("reason"),
    words("actor"),
    whole("at_us"),
)

INVOICE_LINE = Table(
    "invoice_line",
    METADATA,
    words("invoice", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    words("kind"),
    whole("start_us"),
    whole("end_us"),
    words("product"),
    words("model"),
    words("token_class"),
    words("tier"),
    words("region"),
    words("key_id"),
    words("project"),
    Column("quantity", BigInteger),
    words("own_pico"),
    words("currency"),
    words("rate"),
    words("rate_date"),
    words("amount_pico"),
    words("fx_pico"),
    whole("places"),
    whole("covered"),
    words("note"),
    words("place"),
    words("raw"),
)

VARIANCE_DECISION = Table(
    "variance_decision",
    METADATA,
    numbered("seq"),
    words("period"),
    words("variance"),
    words("status"),
    words("owner"),
    words("reason"),
    words("actor"),
    whole("at_us"),
    Index("variance_decision_period", "period"),
    sqlite_autoincrement=True,
)

INVOICE_TABLES = (PROVIDER_INVOICE, INVOICE_VERSION, INVOICE_LINE, VARIANCE_DECISION)
