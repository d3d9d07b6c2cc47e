"""Observations of one call: what kind of rows a sealed file holds, aliases, members, suspects."""

import sqlalchemy as sa
from alembic import op

from tallybook.store.removal import refuse_rows, remove_tables
from tallybook.store.schema import ALIAS, MEMBER, METADATA, STANDING, SUSPECT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # New books were made by 0001 from the tables of today: only what is not there yet is added.
    bind = op.get_bind()
    columns = {column["name"] for column in sa.inspect(bind).get_columns("sealed_file")}
    if "kind" not in columns:
        kind = sa.Column("kind", sa.Text, nullable=False, server_default="events")
        op.add_column("sealed_file", kind)
    METADATA.create_all(bind, tables=[ALIAS, MEMBER, STANDING, SUSPECT])


def downgrade() -> None:
    refuse_rows("sealed_file", "kind <> 'events'", "sealed files of evidence")
    remove_tables([ALIAS, MEMBER, STANDING, SUSPECT])
    op.drop_column("sealed_file", "kind")
