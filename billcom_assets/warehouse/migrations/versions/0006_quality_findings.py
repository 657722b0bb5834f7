"""What is known to be wrong with the data, between two looks at everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""


def upgrade() -> None:
    """Creates the table; nothing is known yet, and the next sync of each list looks at everything."""
    op.create_table(
        "quality_findings",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("measure", sa.Text(), nullable=False, comment="What was measured"),
        sa.Column(
            "found",
            sa.Text(),
            nullable=False,
            comment="BILL's id of the object that is missing, deleted, archived, twice or not mapped",
        ),
        sa.Column("found_at", types.UtcTimestamp(), nullable=False, comment="First time"),
        sa.PrimaryKeyConstraint("integration", "entity", "measure", "found", name=op.f("pk_quality_findings")),
        schema=SCHEMA,
        comment="One row per object that something is wrong with, until it is put right",
    )
    # ALTER TABLE is not translated as CREATE TABLE is.
    op.add_column(
        "sync_state",
        sa.Column(
            "checked_at", types.UtcTimestamp(), nullable=True, comment="When every reference of it was last followed"
        ),
        schema=SCHEMA if op.get_bind().dialect.name == "postgresql" else None,
    )
