"""What gateways did at limits: a table that only grows."""

from alembic import op

from tallybook.store.guards import keep_append_only
from tallybook.store.notice_tables import NOTICE_TABLES
from tallybook.store.removal import remove_tables
from tallybook.store.schema import METADATA

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    METADATA.create_all(op.get_bind(), tables=list(NOTICE_TABLES))
    keep_append_only(NOTICE_TABLES)


def downgrade() -> None:
    remove_tables(NOTICE_TABLES)
