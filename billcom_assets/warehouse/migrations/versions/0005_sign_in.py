"""When an integration may sign in again after BILL refused it for now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""


def upgrade() -> None:
    """Adds both columns; nobody waits yet."""
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    op.add_column(
        "integrations",
        sa.Column(
            "sign_in_failures",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Sign-ins in a row that BILL refused for now",
        ),
        schema=schema,
    )
    op.add_column(
        "integrations",
        sa.Column(
            "sign_in_not_before",
            types.UtcTimestamp(),
            nullable=True,
            comment="When the next sign-in may be tried, after such a refusal",
        ),
        schema=schema,
    )
