"""Who answers for an integration, what is left out of it, and when its lists were last looked at without a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "billcom"


def upgrade() -> None:
    """Adds the columns, and names the outcomes of pulls that were not named yet."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if is_postgresql else None
    added = (
        ("integrations", "owner", sa.Text(), "Who answers for it: an e-mail address, or team: and a name"),
        (
            "integrations",
            "excluded_entities",
            sa.Text(),
            "Entities that are left out of its syncs, separated by commas; null for none",
        ),
        ("sync_state", "reread_at", types.UtcTimestamp(), "When unsettled objects were last read again"),
        ("sync_state", "probed_at", types.UtcTimestamp(), "When BILL last said that there is nothing new to pull"),
    )
    for table, name, type_, comment in added:
        op.add_column(table, sa.Column(name, type_, nullable=True, comment=comment), schema=schema)
    if is_postgresql:
        for column, comment in (
            ("kind", "first pull, incremental, full, sweep or re-read; refused for a run that the gate ended"),
            ("status", "running, complete, failed, not_permitted or refused"),
        ):
            op.execute(f"COMMENT ON COLUMN {SCHEMA}.sync_runs.{column} IS '{comment}'")
