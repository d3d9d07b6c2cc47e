"""Soft-closed periods; adjusting entries before they are posted; disputed lines."""

from alembic import op

from tallybook.store.close_tables import CLOSE_TABLES
from tallybook.store.guards import drop_soft_closed, keep_append_only, keep_soft_closed
from tallybook.store.removal import refuse_rows, remove_tables
from tallybook.store.schema import METADATA

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    METADATA.create_all(op.get_bind(), tables=list(CLOSE_TABLES))
    keep_append_only(CLOSE_TABLES)
    keep_soft_closed()


def downgrade() -> None:
    refuse_rows("chain", "reason = 'soft_close'", "soft closes")
    drop_soft_closed()
    remove_tables(CLOSE_TABLES)
