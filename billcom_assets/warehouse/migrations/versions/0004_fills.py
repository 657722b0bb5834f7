"""What follows the catalog, part by part: which definition it has, and how far an upgrade has come with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "mirror_parts",
        sa.Column("kind", sa.Text(), nullable=False, comment="table, view or index"),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name"),
        sa.Column("definition", sa.Text(), nullable=False, comment="Digest of the definition that it follows"),
        sa.Column(
            "complete",
            sa.Boolean(),
            nullable=False,
            comment="False while rows are still to be filled, or while it waits to be made",
        ),
        sa.Column("after_integration", sa.Text(), nullable=True, comment="Filled up to this integration"),
        sa.Column("after_id", sa.Text(), nullable=True, comment="And in it up to this id of BILL's"),
        sa.Column("changed_at", types.UtcTimestamp(), nullable=False, comment="When this row last changed"),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_mirror_parts")),
        schema=SCHEMA,
        comment="One row per table and view that follows the catalog, and per index that is still to be made",
    )
