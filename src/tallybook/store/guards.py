"""What the database itself refuses (INV-01, 03, 04 and 15), in the words of each store.

Migrations put the guards up and take them down: `keep_append_only` for a table that only grows. The
guards of the chain are written twice, for SQLite and for PostgreSQL, and refuse in the same words;
`tests/store/test_engine.py` asks both the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alembic import op
from sqlalchemy import Table

POSTGRESQL: Final = "postgresql"
_VERBS: Final = ("UPDATE", "DELETE")


def keep_append_only(tables: Iterable[Table]) -> None:
    """Let tables only grow: no row of them is updated or deleted."""
    is_postgresql = op.get_bind().dialect.name == POSTGRESQL
    if is_postgresql:
        op.execute(_REFUSAL)
    for table in tables:
        for verb in _VERBS:
            names = {"table": table.name, "verb": verb, "verb_lower": verb.lower()}
            for statement in _POSTGRESQL_CHANGE if is_postgresql else _SQLITE_CHANGE:
                op.execute(statement.format(**names))
        if is_postgresql:
            op.execute(f"DROP TRIGGER IF EXISTS {table.name}_no_truncate ON {table.name}")
            op.execute(
                f"CREATE TRIGGER {table.name}_no_truncate BEFORE TRUNCATE ON {table.name}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )


def keep_chain() -> None:
    """Let the chain grow link by link, each entry balanced, none into a closed period."""
    is_postgresql = op.get_bind().dialect.name == POSTGRESQL
    for statement in _POSTGRESQL_CHAIN if is_postgresql else _SQLITE_CHAIN:
        op.execute(statement)
    op.execute(
        "CREATE UNIQUE INDEX chain_reversed_once ON chain (corrects) WHERE reason = 'reversal'"
    )


def drop_functions() -> None:
    """Drop what guards of tables that are gone were made of."""
    if op.get_bind().dialect.name == POSTGRESQL:
        for name in ("chain_entry_balances", "chain_grows", "posting_entry_is_shut"):
            op.execute(f"DROP FUNCTION IF EXISTS {name}()")
        op.execute("DROP FUNCTION IF EXISTS refuse_change()")


def keep_soft_closed() -> None:
    """Let a soft-closed period take finance entries only: none that comes from usage."""
    is_postgresql = op.get_bind().dialect.name == POSTGRESQL
    for statement in _POSTGRESQL_SOFT if is_postgresql else _SQLITE_SOFT:
        op.execute(statement)


def drop_soft_closed() -> None:
    """Take `keep_soft_closed` back."""
    if op.get_bind().dialect.name == POSTGRESQL:
        op.execute("DROP TRIGGER IF EXISTS chain_soft_closed ON chain")
        op.execute("DROP FUNCTION IF EXISTS chain_soft_closed()")
    else:
        op.execute("DROP TRIGGER IF EXISTS chain_soft_closed")


_FROM_USAGE: Final = (
    "'meter', 'pool', 'evaluation', 'pool_flow', 'charge', 'markup', 'absorption', 'transfer',"
    " 'memo', 'adjustment'"
)
"""Reasons of entries that come from usage, as `tallybook.ledger.model.USAGE_REASONS` has them."""

_LAST_TURN: Final = """SELECT reason{into} FROM chain WHERE kind = 'act' AND period = NEW.period
      AND reason IN ('soft_close', 'close', 'reopen') ORDER BY seq DESC LIMIT 1"""

_SQLITE_SOFT: Final = (
    f"""
CREATE TRIGGER chain_soft_closed BEFORE INSERT ON chain
WHEN NEW.kind = 'entry' AND NEW.reason IN ({_FROM_USAGE})
BEGIN
  SELECT RAISE(ABORT, 'the period is soft-closed: finance entries only (INV-04)')
    WHERE ({_LAST_TURN.format(into="")}) = 'soft_close';
END
""",
)

_POSTGRESQL_SOFT: Final = (
    f"""
CREATE OR REPLACE FUNCTION chain_soft_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last_act text;
BEGIN
  {_LAST_TURN.format(into=" INTO last_act")};
  IF last_act = 'soft_close' THEN
    RAISE EXCEPTION 'the period is soft-closed: finance entries only (INV-04)';
  END IF;
  RETURN NEW;
END
$$
""",
    f"""
CREATE TRIGGER chain_soft_closed BEFORE INSERT ON chain
FOR EACH ROW WHEN (NEW.kind = 'entry' AND NEW.reason IN ({_FROM_USAGE}))
EXECUTE FUNCTION chain_soft_closed()
""",
)

_SQLITE_CHANGE: Final = (
    """
CREATE TRIGGER IF NOT EXISTS {table}_no_{verb_lower} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'append-only: {verb} on {table} is refused (INV-03)'); END
""",
)

_REFUSAL: Final = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'append-only: % on % is refused (INV-03)', TG_OP, TG_TABLE_NAME; END
$$
"""

_POSTGRESQL_CHANGE: Final = (
    "DROP TRIGGER IF EXISTS {table}_no_{verb_lower} ON {table}",
    """
CREATE TRIGGER {table}_no_{verb_lower} BEFORE {verb} ON {table}
FOR EACH ROW EXECUTE FUNCTION refuse_change()
""",
)

_SQLITE_CHAIN: Final = (
    """
CREATE TRIGGER chain_entry_balances BEFORE INSERT ON chain WHEN NEW.kind = 'entry'
BEGIN
  SELECT RAISE(ABORT, 'an entry needs at least two postings (INV-01)')
    WHERE (SELECT COUNT(*) FROM posting WHERE seq = NEW.seq) < 2;
  SELECT RAISE(ABORT, 'an entry has no zero posting (INV-01)')
    WHERE EXISTS (SELECT 1 FROM posting WHERE seq = NEW.seq AND amount_nano = 0);
  SELECT RAISE(ABORT, 'the postings of an entry do not sum to zero (INV-01)')
    WHERE (SELECT SUM(amount_nano) FROM posting WHERE seq = NEW.seq) <> 0;
  SELECT RAISE(ABORT, 'the period is closed (INV-04)')
    WHERE (SELECT reason FROM chain WHERE kind = 'act' AND period = NEW.period
             AND reason IN ('close', 'reopen') ORDER BY seq DESC LIMIT 1) = 'close';
END
""",
    """
CREATE TRIGGER chain_grows BEFORE INSERT ON chain
BEGIN
  SELECT RAISE(ABORT, 'the chain grows by one link (INV-15)')
    WHERE NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM chain);
  SELECT RAISE(ABORT, 'an act carries no postings (INV-01)')
    WHERE NEW.kind = 'act' AND EXISTS (SELECT 1 FROM posting WHERE seq = NEW.seq);
END
""",
    """
CREATE TRIGGER posting_entry_is_shut BEFORE INSERT ON posting
WHEN EXISTS (SELECT 1 FROM chain WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: the entry is written (INV-03)'); END
""",
)

# An entry of a closed month may have a hundred thousand postings: PostgreSQL looks at them once for
# each statement that wrote them, and at an entry's sum once, when its link is written.
_POSTGRESQL_CHAIN: Final = (
    """
CREATE OR REPLACE FUNCTION chain_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  postings bigint; zeros bigint; total numeric; last_act text;
BEGIN
  SELECT COUNT(*), COUNT(*) FILTER (WHERE amount_nano = 0), SUM(amount_nano)
    INTO postings, zeros, total FROM posting WHERE seq = NEW.seq;
  IF postings < 2 THEN
    RAISE EXCEPTION 'an entry needs at least two postings (INV-01)';
  ELSIF zeros > 0 THEN
    RAISE EXCEPTION 'an entry has no zero posting (INV-01)';
  ELSIF total <> 0 THEN
    RAISE EXCEPTION 'the postings of an entry do not sum to zero (INV-01)';
  END IF;
  SELECT reason INTO last_act FROM chain WHERE kind = 'act' AND period = NEW.period
    AND reason IN ('close', 'reopen') ORDER BY seq DESC LIMIT 1;
  IF last_act = 'close' THEN
    RAISE EXCEPTION 'the period is closed (INV-04)';
  END IF;
  RETURN NEW;
END
$$
""",
    """
CREATE TRIGGER chain_entry_balances BEFORE INSERT ON chain
FOR EACH ROW WHEN (NEW.kind = 'entry') EXECUTE FUNCTION chain_entry_balances()
""",
    """
CREATE OR REPLACE FUNCTION chain_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM chain) THEN
    RAISE EXCEPTION 'the chain grows by one link (INV-15)';
  ELSIF NEW.kind = 'act' AND EXISTS (SELECT 1 FROM posting WHERE seq = NEW.seq) THEN
    RAISE EXCEPTION 'an act carries no postings (INV-01)';
  END IF;
  RETURN NEW;
END
$$
""",
    """
CREATE TRIGGER chain_grows BEFORE INSERT ON chain
FOR EACH ROW EXECUTE FUNCTION chain_grows()
""",
    """
CREATE OR REPLACE FUNCTION posting_entry_is_shut() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM fresh JOIN chain USING (seq)) THEN
    RAISE EXCEPTION 'append-only: the entry is written (INV-03)';
  END IF;
  RETURN NULL;
END
$$
""",
    """
CREATE TRIGGER posting_entry_is_shut AFTER INSERT ON posting REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION posting_entry_is_shut()
""",
)
