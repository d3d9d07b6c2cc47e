"""The first tables, and the triggers that keep the journal append-only and balanced."""

from alembic import op

from tallybook.store.guards import drop_functions, keep_append_only, keep_chain
from tallybook.store.removal import remove_tables
from tallybook.store.schema import APPEND_ONLY, METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    METADATA.create_all(op.get_bind())
    keep_append_only(APPEND_ONLY)
    keep_chain()


def downgrade() -> None:
    remove_tables(METADATA.sorted_tables)
    drop_functions()
