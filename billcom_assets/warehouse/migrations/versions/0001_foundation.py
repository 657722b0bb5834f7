"""The tables that are ours: integrations, sync state and history, errors, ledger reference data, mappings."""

from __future__ import annotations

from alembic import op

from billcom_assets.warehouse.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates them."""
    metadata.create_all(op.get_bind())
