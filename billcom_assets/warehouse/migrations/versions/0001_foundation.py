"""The tables that are ours: integrations, sync state and history, errors, ledger reference data, mappings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""


def upgrade() -> None:
    """Creates them."""
    op.create_table(
        "bill_sessions",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("session", sa.Text(), nullable=False, comment="Sealed session id"),
        sa.Column("user_id", sa.Text(), nullable=True, comment="BILL user behind the session; syu... for a sync token"),
        sa.Column("organization_id", sa.Text(), nullable=True, comment="Organization the session was opened for"),
        sa.Column("is_token", sa.Boolean(), nullable=False, comment="Opened with a sync token"),
        sa.Column("last_used_at", types.UtcTimestamp(), nullable=False, comment="Last call that renewed it"),
        sa.PrimaryKeyConstraint("integration", name=op.f("pk_bill_sessions")),
        schema=SCHEMA,
        comment="One row per integration with a live BILL session, shared between runs",
    )
    op.create_table(
        "contract_findings",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("kind", sa.Text(), nullable=False, comment="field or value"),
        sa.Column("place", sa.Text(), nullable=False, comment="Where in BILL's object"),
        sa.Column("value", sa.Text(), nullable=False, comment="The unknown enum value; empty for an unknown field"),
        sa.Column("first_seen_at", types.UtcTimestamp(), nullable=False, comment="First time"),
        sa.Column("last_seen_at", types.UtcTimestamp(), nullable=False, comment="Last time"),
        sa.PrimaryKeyConstraint("integration", "entity", "kind", "place", "value", name=op.f("pk_contract_findings")),
        schema=SCHEMA,
        comment="One row per field or enum value that BILL sends and the catalog does not know",
    )
    op.create_table(
        "integration_errors",
        sa.Column("id", sa.Integer(), nullable=False, comment="Number of the error"),
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("record_id", sa.Text(), nullable=False, comment="BILL's id of the record; empty when it has none"),
        sa.Column("code", sa.Text(), nullable=False, comment="What kind of error"),
        sa.Column("message", sa.Text(), nullable=False, comment="What happened"),
        sa.Column("next_step", sa.Text(), nullable=False, comment="How to fix it"),
        sa.Column("status", sa.Text(), nullable=False, comment="open, resolved or ignored"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why it is ignored"),
        sa.Column("occurrences", sa.Integer(), server_default="1", nullable=False, comment="How often it was seen"),
        sa.Column("first_seen_at", types.UtcTimestamp(), nullable=False, comment="First time"),
        sa.Column("last_seen_at", types.UtcTimestamp(), nullable=False, comment="Last time"),
        sa.CheckConstraint("status in ('open', 'resolved', 'ignored')", name=op.f("ck_integration_errors_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_errors")),
        sa.UniqueConstraint(
            "integration",
            "entity",
            "record_id",
            "code",
            name=op.f("uq_integration_errors_integration_entity_record_id_code"),
        ),
        schema=SCHEMA,
        comment="One row per record and reason why it could not be brought in",
    )
    op.create_table(
        "integrations",
        sa.Column("key", sa.Text(), nullable=False, comment="Slug of the integration; its Dagster partition key"),
        sa.Column(
            "company", sa.Text(), nullable=False, comment="The company whose ledger this BILL organization belongs to"
        ),
        sa.Column("organization_id", sa.Text(), nullable=False, comment="BILL's id of the organization"),
        sa.Column("environment", sa.Text(), nullable=False, comment="production or stage"),
        sa.Column("base_url", sa.Text(), nullable=True, comment="API address used instead of the environment's own"),
        sa.Column(
            "v2_base_url", sa.Text(), nullable=True, comment="Legacy API address used instead of the environment's own"
        ),
        sa.Column(
            "credentials", sa.Text(), nullable=False, comment="Sealed credentials, or names of environment variables"
        ),
        sa.Column(
            "cutoff",
            sa.Date(),
            nullable=True,
            comment="Bills, vendor credits and vendor payments dated before are not brought in",
        ),
        sa.Column(
            "history_start",
            sa.Date(),
            nullable=True,
            comment="Earliest update time of the very first pull; null = everything",
        ),
        sa.Column(
            "time_zone", sa.Text(), server_default="UTC", nullable=False, comment="IANA zone in which schedules run"
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="pending, connected or error"),
        sa.Column("status_code", sa.Text(), nullable=True, comment="BILL's error code, when status is error"),
        sa.Column("status_message", sa.Text(), nullable=True, comment="What BILL said last, and the next step"),
        sa.Column("checked_at", types.UtcTimestamp(), nullable=True, comment="When authentication was last tried"),
        sa.Column(
            "created_at", types.UtcTimestamp(), nullable=False, comment="When the integration was first connected"
        ),
        sa.Column("updated_at", types.UtcTimestamp(), nullable=False, comment="When its settings last changed"),
        sa.CheckConstraint("status in ('pending', 'connected', 'error')", name=op.f("ck_integrations_status")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_integrations")),
        sa.UniqueConstraint("company", name=op.f("uq_integrations_company")),
        schema=SCHEMA,
        comment="One row per integration: a BILL organization bound to one company",
    )
    op.create_table(
        "ledger_accounts",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column(
            "id", sa.Text(), nullable=False, comment="The ledger's own id: the number, or the full name without one"
        ),
        sa.Column("number", sa.Text(), nullable=True, comment="Account number"),
        sa.Column("name", sa.Text(), nullable=False, comment="Account name without its parents"),
        sa.Column("type", sa.Text(), nullable=False, comment="One of BILL's 17 account types"),
        sa.Column("parent_id", sa.Text(), nullable=True, comment="Id of the parent account"),
        sa.Column("description", sa.Text(), nullable=True, comment="Description"),
        sa.Column(
            "active", sa.Boolean(), nullable=False, comment="In use; false when marked inactive or gone from the import"
        ),
        sa.Column("imported_at", types.UtcTimestamp(), nullable=False, comment="When an import last changed it"),
        sa.PrimaryKeyConstraint("integration", "id", name=op.f("pk_ledger_accounts")),
        schema=SCHEMA,
        comment="One row per account of the company's chart of accounts",
    )
    op.create_table(
        "ledger_customers",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("id", sa.Text(), nullable=False, comment="The ledger's own id: its number, or the name without one"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("tax_id", sa.Text(), nullable=True, comment="Tax id, as imported"),
        sa.Column("email", sa.Text(), nullable=True, comment="E-mail"),
        sa.Column("currency", sa.Text(), nullable=True, comment="ISO-4217 code"),
        sa.Column(
            "active", sa.Boolean(), nullable=False, comment="In use; false when marked inactive or gone from the import"
        ),
        sa.Column("imported_at", types.UtcTimestamp(), nullable=False, comment="When an import last changed it"),
        sa.PrimaryKeyConstraint("integration", "id", name=op.f("pk_ledger_customers")),
        schema=SCHEMA,
        comment="One row per customer of the company's ledger",
    )
    op.create_table(
        "ledger_dimensions",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="departments, jobs, locations, accounting_classes or employees"
        ),
        sa.Column(
            "id", sa.Text(), nullable=False, comment="The ledger's own id: its code, or the full name without one"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="Name without its parents"),
        sa.Column("parent_id", sa.Text(), nullable=True, comment="Id of the parent"),
        sa.Column("email", sa.Text(), nullable=True, comment="E-mail, for employees"),
        sa.Column(
            "active", sa.Boolean(), nullable=False, comment="In use; false when marked inactive or gone from the import"
        ),
        sa.Column("imported_at", types.UtcTimestamp(), nullable=False, comment="When an import last changed it"),
        sa.PrimaryKeyConstraint("integration", "kind", "id", name=op.f("pk_ledger_dimensions")),
        schema=SCHEMA,
        comment="One row per department, job, location, accounting class or employee of the company's ledger",
    )
    op.create_table(
        "ledger_items",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column(
            "id", sa.Text(), nullable=False, comment="The ledger's own id: its number (SKU), or the name without one"
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("description", sa.Text(), nullable=True, comment="Description"),
        sa.Column("account_id", sa.Text(), nullable=True, comment="Ledger account that it posts to"),
        sa.Column(
            "active", sa.Boolean(), nullable=False, comment="In use; false when marked inactive or gone from the import"
        ),
        sa.Column("imported_at", types.UtcTimestamp(), nullable=False, comment="When an import last changed it"),
        sa.PrimaryKeyConstraint("integration", "id", name=op.f("pk_ledger_items")),
        schema=SCHEMA,
        comment="One row per product or service of the company's ledger",
    )
    op.create_table(
        "ledger_vendors",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("id", sa.Text(), nullable=False, comment="The ledger's own id: its number, or the name without one"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name"),
        sa.Column("tax_id", sa.Text(), nullable=True, comment="Tax id, as imported"),
        sa.Column("email", sa.Text(), nullable=True, comment="E-mail"),
        sa.Column("currency", sa.Text(), nullable=True, comment="ISO-4217 code"),
        sa.Column(
            "active", sa.Boolean(), nullable=False, comment="In use; false when marked inactive or gone from the import"
        ),
        sa.Column("imported_at", types.UtcTimestamp(), nullable=False, comment="When an import last changed it"),
        sa.PrimaryKeyConstraint("integration", "id", name=op.f("pk_ledger_vendors")),
        schema=SCHEMA,
        comment="One row per vendor of the company's ledger",
    )
    op.create_table(
        "mappings",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("kind", sa.Text(), nullable=False, comment="Entity of the BILL object"),
        sa.Column("bill_id", sa.Text(), nullable=False, comment="BILL's id"),
        sa.Column(
            "ledger_id",
            sa.Text(),
            nullable=True,
            comment="Id of the ledger counterpart; null when left unmapped by hand",
        ),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="mapped; suggested, waiting for a decision; unmapped by hand"
        ),
        sa.Column("method", sa.Text(), nullable=False, comment="manual, exact or likely"),
        sa.Column(
            "score", types.Exact(), nullable=True, comment="0 to 100: how likely it is; null for exact and manual ones"
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why the two belong together"),
        sa.Column("decided_by", sa.Text(), nullable=True, comment="Who decided; null while it is only suggested"),
        sa.Column("decided_at", types.UtcTimestamp(), nullable=False, comment="When it was suggested or decided"),
        sa.CheckConstraint("(state = 'unmapped') = (ledger_id is null)", name=op.f("ck_mappings_ledger_id")),
        sa.CheckConstraint("method in ('manual', 'exact', 'likely')", name=op.f("ck_mappings_method")),
        sa.CheckConstraint("state in ('mapped', 'suggested', 'unmapped')", name=op.f("ck_mappings_state")),
        sa.PrimaryKeyConstraint("integration", "kind", "bill_id", name=op.f("pk_mappings")),
        schema=SCHEMA,
        comment="One row per BILL object that is linked to a ledger object, is proposed to be, or shall not be",
    )
    op.create_index(
        op.f("ix_mappings_integration_kind_ledger_id"),
        "mappings",
        ["integration", "kind", "ledger_id"],
        unique=False,
        schema=SCHEMA,
    )
    op.create_table(
        "mirror_schema",
        sa.Column(
            "fingerprint", sa.Text(), nullable=False, comment="Digest of the catalog the mirror tables were built from"
        ),
        sa.Column("built_at", types.UtcTimestamp(), nullable=False, comment="When"),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_mirror_schema")),
        schema=SCHEMA,
        comment="One row: the shape that the mirror tables have",
    )
    op.create_table(
        "request_budget",
        sa.Column("developer_key", sa.Text(), nullable=False, comment="SHA-256 of the developer key"),
        sa.Column("hour", types.UtcTimestamp(), nullable=False, comment="Start of the clock hour"),
        sa.Column(
            "requests", sa.Integer(), server_default="0", nullable=False, comment="Requests reserved in the hour"
        ),
        sa.Column("logins", sa.Integer(), server_default="0", nullable=False, comment="Logins made in the hour"),
        sa.PrimaryKeyConstraint("developer_key", "hour", name=op.f("pk_request_budget")),
        schema=SCHEMA,
        comment="One row per developer key and clock hour: BILL's limits are counted over all organizations",
    )
    op.create_table(
        "sync_missing",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("id", sa.Text(), nullable=False, comment="BILL's id"),
        sa.Column(
            "missed_at",
            types.UtcTimestamp(),
            nullable=False,
            comment="End of the first complete sweep that did not see it",
        ),
        sa.PrimaryKeyConstraint("integration", "entity", "id", name=op.f("pk_sync_missing")),
        schema=SCHEMA,
        comment="One row per object that the last complete sweep did not see; a second one on another day marks it deleted",
    )
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.Text(), nullable=False, comment="Id of this pull"),
        sa.Column("run_id", sa.Text(), nullable=True, comment="Dagster run"),
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("kind", sa.Text(), nullable=False, comment="first pull, incremental, full or sweep"),
        sa.Column("status", sa.Text(), nullable=False, comment="running, complete or failed"),
        sa.Column("started_at", types.UtcTimestamp(), nullable=False, comment="Start"),
        sa.Column("finished_at", types.UtcTimestamp(), nullable=True, comment="End"),
        sa.Column("fetched", sa.Integer(), server_default="0", nullable=False, comment="Objects that BILL returned"),
        sa.Column("inserted", sa.Integer(), server_default="0", nullable=False, comment="Rows that were new"),
        sa.Column("updated", sa.Integer(), server_default="0", nullable=False, comment="Rows that changed"),
        sa.Column(
            "unchanged", sa.Integer(), server_default="0", nullable=False, comment="Objects already stored as they are"
        ),
        sa.Column(
            "skipped_by_cutoff", sa.Integer(), server_default="0", nullable=False, comment="Dated before the cutoff"
        ),
        sa.Column(
            "rejected", sa.Integer(), server_default="0", nullable=False, comment="Unreadable; see integration_errors"
        ),
        sa.Column(
            "deleted", sa.Integer(), server_default="0", nullable=False, comment="Rows that two sweeps did not see"
        ),
        sa.Column("requests", sa.Integer(), server_default="0", nullable=False, comment="Requests to BILL"),
        sa.Column("retries", sa.Integer(), server_default="0", nullable=False, comment="Requests that were repeated"),
        sa.Column("logins", sa.Integer(), server_default="0", nullable=False, comment="Logins"),
        sa.Column("seconds", sa.Integer(), nullable=True, comment="Whole seconds from start to end"),
        sa.Column("watermark_from", types.UtcTimestamp(), nullable=True, comment="Watermark before"),
        sa.Column("watermark_to", types.UtcTimestamp(), nullable=True, comment="Watermark after"),
        sa.Column("error", sa.Text(), nullable=True, comment="Why it failed, and the next step"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_runs")),
        schema=SCHEMA,
        comment="One row per pull of one entity: fetched = inserted + updated + unchanged + skipped_by_cutoff + rejected",
    )
    op.create_index(op.f("ix_sync_runs_integration"), "sync_runs", ["integration"], unique=False, schema=SCHEMA)
    op.create_table(
        "sync_second_looks",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("id", sa.Text(), nullable=False, comment="BILL's id"),
        sa.PrimaryKeyConstraint("integration", "entity", "id", name=op.f("pk_sync_second_looks")),
        schema=SCHEMA,
        comment="One row per object to be read again by id, because one that changed names it",
    )
    op.create_table(
        "sync_sightings",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column("id", sa.Text(), nullable=False, comment="BILL's id"),
        sa.PrimaryKeyConstraint("integration", "entity", "id", name=op.f("pk_sync_sightings")),
        schema=SCHEMA,
        comment="One row per object that the sweep under way has seen; emptied at its end",
    )
    op.create_table(
        "sync_state",
        sa.Column("integration", sa.Text(), nullable=False, comment="Integration key"),
        sa.Column("entity", sa.Text(), nullable=False, comment="Entity"),
        sa.Column(
            "watermark",
            types.UtcTimestamp(),
            nullable=True,
            comment="Everything BILL changed before this instant is in the mirror",
        ),
        sa.Column("walk", types.Json(), nullable=True, comment="Checkpoint of the walk under way; null when none is"),
        sa.Column("cutoff", sa.Date(), nullable=True, comment="Cutoff that the stored rows were selected with"),
        sa.Column(
            "time_filter_refused",
            sa.Boolean(),
            server_default="0",
            nullable=False,
            comment="BILL refuses its time filter",
        ),
        sa.Column(
            "second_look_after",
            sa.Text(),
            nullable=True,
            comment="Id after which the second look at unsettled objects goes on",
        ),
        sa.Column("first_pulled_at", types.UtcTimestamp(), nullable=True, comment="When the first complete pull ended"),
        sa.Column("swept_at", types.UtcTimestamp(), nullable=True, comment="When the last complete sweep ended"),
        sa.Column("synced_at", types.UtcTimestamp(), nullable=True, comment="When the last pull ended"),
        sa.PrimaryKeyConstraint("integration", "entity", name=op.f("pk_sync_state")),
        schema=SCHEMA,
        comment="One row per integration and entity: how far the mirror is",
    )
