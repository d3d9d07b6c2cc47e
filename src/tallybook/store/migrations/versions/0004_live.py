"""What `live` adds up as usage comes in, and the alerts that it gave."""

from alembic import op

from tallybook.store.removal import remove_tables
from tallybook.store.schema import ALERT, LIVE_BUCKET, LIVE_MONTH, LIVE_TOLD, LIVE_TRACE, METADATA

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # New books were made by 0001 from the tables of today: only what is not there yet is added.
    tables = [LIVE_MONTH, LIVE_BUCKET, LIVE_TRACE, LIVE_TOLD, ALERT]
    METADATA.create_all(op.get_bind(), tables=tables)


def downgrade() -> None:
    remove_tables([ALERT])
    remove_tables([LIVE_MONTH, LIVE_BUCKET, LIVE_TRACE, LIVE_TOLD], is_made_again=True)
