"""The first tables, and the triggers that keep the journal append-only and balanced."""

from alembic import op

from tallybook.store.schema import APPEND_ONLY, METADATA

revision = "0001"
down_revision = None

_REFUSE_CHANGE = """
CREATE TRIGGER {table}_no_{verb_lower} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'append-only: {verb} on {table} is refused (INV-03)'); END
"""

_ENTRY_BALANCES = """
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
"""

_CHAIN_GROWS = """
CREATE TRIGGER chain_grows BEFORE INSERT ON chain
BEGIN
  SELECT RAISE(ABORT, 'the chain grows by one link (INV-15)')
    WHERE NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM chain);
  SELECT RAISE(ABORT, 'an act carries no postings (INV-01)')
    WHERE NEW.kind = 'act' AND EXISTS (SELECT 1 FROM posting WHERE seq = NEW.seq);
END
"""

_ENTRY_IS_SHUT = """
CREATE TRIGGER posting_entry_is_shut BEFORE INSERT ON posting
WHEN EXISTS (SELECT 1 FROM chain WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'append-only: the entry is written (INV-03)'); END
"""

_REVERSED_ONCE = """
CREATE UNIQUE INDEX chain_reversed_once ON chain (corrects) WHERE reason = 'reversal'
"""


def upgrade() -> None:
    METADATA.create_all(op.get_bind())
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(_REFUSE_CHANGE.format(table=table.name, verb=verb, verb_lower=verb.lower()))
    for statement in (
        _ENTRY_BALANCES,
        _CHAIN_GROWS,
        _ENTRY_IS_SHUT,
        _REVERSED_ONCE,
    ):
        op.execute(statement)
