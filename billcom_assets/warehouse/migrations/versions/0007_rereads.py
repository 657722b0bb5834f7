"""What is read again by id is called a re-read everywhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "billcom"


def upgrade() -> None:
    """Renames the table, the column and the kind of pull; rows and views of others stay."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if is_postgresql else None
    place = f"{SCHEMA}." if is_postgresql else ""
    op.rename_table("sync_second_looks", "sync_rereads", schema=schema)
    op.execute(f"ALTER TABLE {place}sync_state RENAME COLUMN second_look_after TO reread_after")
    runs = sa.table("sync_runs", sa.column("kind", sa.Text), schema=schema)
    op.execute(runs.update().where(runs.c.kind == "second look").values(kind="re-read"))
    if is_postgresql:
        op.execute(f"ALTER TABLE {SCHEMA}.sync_rereads RENAME CONSTRAINT pk_sync_second_looks TO pk_sync_rereads")
        op.execute(
            f"COMMENT ON COLUMN {SCHEMA}.sync_state.reread_after IS "
            "'Id after which the re-reads of unsettled objects go on'"
        )
        op.execute(f"COMMENT ON COLUMN {SCHEMA}.sync_runs.kind IS 'first pull, incremental, full, sweep or re-read'")
