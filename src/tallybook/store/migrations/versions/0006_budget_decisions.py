"""What people ask about budgets, and what approvers decide: tables that only grow."""

from alembic import op

from tallybook.store.budget_tables import BUDGET_TABLES
from tallybook.store.guards import keep_append_only
from tallybook.store.removal import remove_tables
from tallybook.store.schema import METADATA

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    METADATA.create_all(op.get_bind(), tables=list(BUDGET_TABLES))
    keep_append_only(BUDGET_TABLES)


def downgrade() -> None:
    remove_tables(BUDGET_TABLES)
