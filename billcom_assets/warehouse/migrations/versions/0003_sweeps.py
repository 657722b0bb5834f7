"""Sightings of one sweep each, how often an object was missed, whose writes count, when a filter was refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""


def upgrade() -> None:
    """Adds them; an interrupted sweep begins again."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if is_postgresql else None
    if is_postgresql:
        _add_sweep_on_postgresql()
    else:
        op.drop_table("sync_sightings")
        _create_sightings()
    op.add_column(
        "sync_missing",
        sa.Column(
            "sweeps",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="Complete sweeps in a row that missed it",
        ),
        schema=schema,
    )
    if is_postgresql:
        op.create_table_comment(
            "sync_missing",
            "One row per object that the last complete sweep did not see; later ones that agree mark it deleted",
            schema=schema,
        )
    op.create_table(
        "sync_locks",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column(
            "holder",
            sa.Text(),
            nullable=False,
            comment="Token of the run that may write; a new run puts its own in place",
        ),
        sa.Column("acquired_at", types.UtcTimestamp(), nullable=False, comment="When the run began"),
        sa.PrimaryKeyConstraint("integration", name=op.f("pk_sync_locks")),
        schema=SCHEMA,
        comment="One row per integration: whose writes count. A run that has lost its lock finds another token here",
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "time_filter_probed_at",
            types.UtcTimestamp(),
            nullable=True,
            comment="When BILL last refused the time filter that it refuses",
        ),
        schema=schema,
    )
    state = sa.table("sync_state", sa.column("entity"), sa.column("walk"), schema=schema)
    op.execute(state.update().where(sa.cast(state.c.walk, sa.Text).like('%"sweep"%')).values(walk=None))


_SIGHTINGS = "One row per object that the sweep under way has seen, readable or not; emptied at its end"


def _create_sightings() -> None:
    op.create_table(
        "sync_sightings",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("sweep", sa.Text(), nullable=False, comment="Id of the sweep"),
        sa.Column("id", sa.Text(), nullable=False, comment="BILL's id"),
        sa.PrimaryKeyConstraint("integration", "entity", "sweep", "id", name=op.f("pk_sync_sightings")),
        comment=_SIGHTINGS,
    )


def _add_sweep_on_postgresql() -> None:
    """The same without dropping the table: views of others may read it, those of analysts do."""
    op.execute(sa.table("sync_sightings", schema=SCHEMA).delete())
    sweep = sa.Column("sweep", sa.Text(), nullable=False, comment="Id of the sweep")
    op.add_column("sync_sightings", sweep, schema=SCHEMA)
    op.drop_constraint(op.f("pk_sync_sightings"), "sync_sightings", schema=SCHEMA)
    key = ["integration", "entity", "sweep", "id"]
    op.create_primary_key(op.f("pk_sync_sightings"), "sync_sightings", key, schema=SCHEMA)
    op.create_table_comment("sync_sightings", _SIGHTINGS, schema=SCHEMA)
