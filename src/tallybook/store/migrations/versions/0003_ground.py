"""What decided the lines of a cost sheet, so that a run may build on it."""

from alembic import op

from tallybook.store.removal import remove_tables
from tallybook.store.schema import GROUND, METADATA

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # New books were made by 0001 from the tables of today: only what is not there yet is added.
    METADATA.create_all(op.get_bind(), tables=[GROUND])


def downgrade() -> None:
    remove_tables([GROUND], is_made_again=True)
