"""Provider invoices, their lines, and decisions on variances: tables that only grow."""

from alembic import op

from tallybook.store.guards import keep_append_only
from tallybook.store.invoice_tables import INVOICE_TABLES
from tallybook.store.removal import remove_tables
from tallybook.store.schema import METADATA

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    METADATA.create_all(op.get_bind(), tables=list(INVOICE_TABLES))
    keep_append_only(INVOICE_TABLES)


def downgrade() -> None:
    remove_tables(INVOICE_TABLES)
