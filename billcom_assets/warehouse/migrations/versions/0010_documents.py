"""Files attached in BILL, and which of BILL's APIs an integration reads."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""


def upgrade() -> None:
    """Creates the tables and the columns; integrations read v3 and keep no files, as before."""
    # ALTER TABLE is not translated as CREATE TABLE is.
    schema = SCHEMA if op.get_bind().dialect.name == "postgresql" else None
    settings: tuple[sa.Column[Any], ...] = (
        sa.Column(
            "api", sa.Text(), nullable=False, server_default="v3", comment="Which of BILL's APIs is read: v3 or v2"
        ),
        sa.Column(
            "documents",
            sa.Boolean(),
            nullable=False,
            server_default="0",
            comment="Files attached to bills, invoices and vendor credits are kept",
        ),
    )
    for column in settings:
        op.add_column("integrations", column, schema=schema)
    _create_documents()
    op.create_table(
        "document_reads",
        _text("integration", "Integration key"),
        _text("entity", "Entity"),
        _text("record_id", "BILL's id of the object"),
        _time("updated_time", "Updated time of the object then"),
        _time("read_at", "When BILL was last asked what is attached to it", nullable=False),
        sa.Column("answered", sa.Boolean(), nullable=False, comment="It gave a usable response"),
        sa.PrimaryKeyConstraint("integration", "entity", "record_id", name=op.f("pk_document_reads")),
        schema=SCHEMA,
        comment="One row per object that BILL was asked about what is attached to it",
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        _text("integration", "Integration key"),
        _text("entity", "What it is attached to: bills, invoices or vendor_credits"),
        _text("record_id", "BILL's id of the object that it is attached to"),
        _text("id", "BILL's id of the file; for a page its number"),
        _text("name", "Its name in BILL"),
        _time("created_time", "When it was attached"),
        _text("status", "waiting, stored or failed"),
        _text("sha256", "Digest of the content; null while it is not stored", nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True, comment="Bytes"),
        _text("media_type", "What the content is, by the content itself", nullable=True),
        _text("stored_as", "Where the content is, below the folder for documents", nullable=True),
        _text("problem", "Why it is not stored", nullable=True),
        _time("tried_at", "When it was last asked for"),
        _time("listed_at", "When BILL last listed it", nullable=False),
        _time("detached_at", "When BILL no longer listed it; the content is kept"),
        sa.PrimaryKeyConstraint("integration", "entity", "record_id", "id", name=op.f("pk_documents")),
        sa.CheckConstraint("status in ('waiting', 'stored', 'failed')", name=op.f("ck_documents_status")),
        sa.CheckConstraint("(status = 'stored') = (sha256 is not null)", name=op.f("ck_documents_stored")),
        schema=SCHEMA,
        comment="One row per file attached to a bill, an invoice or a vendor credit",
    )
    op.create_index(op.f("ix_documents_sha256"), "documents", ["sha256"], schema=SCHEMA)


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, types.UtcTimestamp(), nullable=nullable, comment=comment)
