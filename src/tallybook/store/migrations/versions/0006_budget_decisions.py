"""What people ask about budgets, and what approvers decide: tables that only grow."""

from alembic import op

from tallybook.store.budget_tables import BUDGET_TABLES
from tallybook.store.schema import METADATA

revision = "0006"
down_revision = "0005"

_REFUSE_CHANGE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_{verb_lower} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'append-only: {verb} on {table} is refused (INV-03)'); END
"""


def upgrade() -> None:
    METADATA.create_all(op.get_bind(), tables=list(BUDGET_TABLES))
    for table in BUDGET_TABLES:
        for verb in ("UPDATE", "DELETE"):
            op.execute(_REFUSE_CHANGE.format(table=table.name, verb=verb, verb_lower=verb.lower()))
