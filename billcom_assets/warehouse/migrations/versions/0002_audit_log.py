"""The audit log, and integrations that were disconnected: without credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from billcom_assets.warehouse import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "billcom"
"""Translated to none on SQLite by the engine."""
_STATUS = "status in ('pending', 'connected', 'error', 'disconnected', 'forgetting')"
_CREDENTIALS = "(credentials is null) = (status in ('disconnected', 'forgetting'))"
_FIRST_HASH = "0" * 64

_KEPT = ("id", "at", "user_id", "user_name", "as_name", "how", "what", "content_hash", "previous_hash", "hash")
_ERASED = ("integration", "subject", "before", "after", "salt")


def upgrade() -> None:
    """Creates the log with the triggers that keep it, and lets integrations be without credentials."""
    if op.get_bind().dialect.name == "postgresql":
        _open_integrations_on_postgresql()
    else:
        _open_integrations_on_sqlite()
    _create_tables()
    op.execute(f"INSERT INTO {_name('audit_head')} (id, entries, hash) VALUES (1, 0, '{_FIRST_HASH}')")
    for statement in _postgresql_triggers() if op.get_bind().dialect.name == "postgresql" else _sqlite_triggers():
        op.execute(statement)


def _name(table: str) -> str:
    return f"{SCHEMA}.{table}" if op.get_bind().dialect.name == "postgresql" else table


def _open_integrations_on_postgresql() -> None:
    op.drop_constraint(op.f("ck_integrations_status"), "integrations", schema=SCHEMA)
    op.create_check_constraint(op.f("ck_integrations_status"), "integrations", _STATUS, schema=SCHEMA)
    op.create_check_constraint(op.f("ck_integrations_credentials"), "integrations", _CREDENTIALS, schema=SCHEMA)
    op.alter_column(
        "integrations",
        "credentials",
        nullable=True,
        comment="Sealed credentials, or names of environment variables; null once forgotten",
        existing_type=sa.Text(),
        schema=SCHEMA,
    )
    op.alter_column(
        "integrations",
        "status",
        comment="pending, connected, error, disconnected or forgetting",
        existing_type=sa.Text(),
        schema=SCHEMA,
    )


def _open_integrations_on_sqlite() -> None:
    # A check can only be replaced by making the table again; alembic copies the rows.
    table = sa.Table("integrations", sa.MetaData(), autoload_with=op.get_bind())
    table.constraints -= {one for one in table.constraints if isinstance(one, sa.CheckConstraint)}
    checks = (
        sa.CheckConstraint(_STATUS, name=op.f("ck_integrations_status")),
        sa.CheckConstraint(_CREDENTIALS, name=op.f("ck_integrations_credentials")),
    )
    with op.batch_alter_table("integrations", recreate="always", copy_from=table, table_args=checks) as batch:
        batch.alter_column("credentials", nullable=True, existing_type=sa.Text())


def _create_tables() -> None:
    op.create_table(
        "audit_log",
        sa.Column(
            "id",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Number of the entry: 1, 2, 3 without a gap",
        ),
        sa.Column(
            "integration",
            sa.Text(),
            nullable=True,
            comment="Integration key; null for the whole database, or once erased",
        ),
        sa.Column("at", types.UtcTimestamp(), nullable=False, comment="When"),
        sa.Column("user_id", sa.BigInteger(), nullable=False, comment="Who: the operating system's number of the user"),
        sa.Column("user_name", sa.Text(), nullable=False, comment="Who: the operating system's name of the user"),
        sa.Column(
            "as_name", sa.Text(), nullable=True, comment="Name given with --as, beside the system's; nobody checks it"
        ),
        sa.Column("how", sa.Text(), nullable=False, comment="command, ui, sensor or import"),
        sa.Column("what", sa.Text(), nullable=False, comment="What was done"),
        sa.Column("subject", sa.Text(), nullable=True, comment="What it was done to; null once erased"),
        sa.Column(
            "before",
            sa.Text(),
            nullable=True,
            comment="JSON of what was there before; null when nothing was, or once erased",
        ),
        sa.Column(
            "after",
            sa.Text(),
            nullable=True,
            comment="JSON of what is there since; null when nothing is, or once erased",
        ),
        sa.Column(
            "salt",
            sa.Text(),
            nullable=True,
            comment="Random; keeps erased content from being guessed from its hash; null once erased",
        ),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="SHA-256 of salt, integration, subject, before and after"
        ),
        sa.Column("previous_hash", sa.Text(), nullable=False, comment="Hash of the entry before"),
        sa.Column(
            "hash", sa.Text(), nullable=False, comment="SHA-256 of the previous hash, the content hash and the rest"
        ),
        sa.CheckConstraint("how in ('command', 'ui', 'sensor', 'import')", name=op.f("ck_audit_log_how")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        schema=SCHEMA,
        comment="One row per decision, chained by hash; only forgetting an integration erases what its entries were about",
    )
    op.create_index(op.f("ix_audit_log_integration"), "audit_log", ["integration"], schema=SCHEMA)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1"),
        sa.Column("entries", sa.Integer(), nullable=False, comment="How many entries the audit log has"),
        sa.Column("hash", sa.Text(), nullable=False, comment="Hash of the last one"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        schema=SCHEMA,
        comment="One row: the end of the audit log, so that entries missing there show",
    )


def _is_erasure(same: str) -> str:
    """What an UPDATE may do to an entry: erase its content, and only once its integration is gone.

    Args:
        same: The operator that also takes two nulls for equal.
    """
    kept = [f'NEW."{column}" {same} OLD."{column}"' for column in _KEPT]
    erased = [f'NEW."{column}" IS NULL' for column in _ERASED]
    gone = f"NOT EXISTS (SELECT 1 FROM {_name('integrations')} WHERE key = OLD.integration)"
    return " AND ".join([*kept, *erased, "OLD.integration IS NOT NULL", gone])


def _sqlite_triggers() -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    return [
        f"CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log {refuse}",
        f"CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log WHEN NOT ({_is_erasure('IS')}) {refuse}",
        # INSERT OR REPLACE would delete the entry that is there without asking the trigger above.
        "CREATE TRIGGER audit_log_insert BEFORE INSERT ON audit_log "
        f"WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id) {refuse}",
        f"CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head {refuse}",
        f"CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head WHEN NEW.entries <= OLD.entries {refuse}",
        f"CREATE TRIGGER audit_head_insert BEFORE INSERT ON audit_head WHEN EXISTS (SELECT 1 FROM audit_head) {refuse}",
    ]


def _postgresql_triggers() -> list[str]:
    refuse = "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';"
    statements = []
    for table, allowed in (
        ("audit_log", _is_erasure("IS NOT DISTINCT FROM")),
        ("audit_head", "NEW.entries > OLD.entries"),
    ):
        function = f"{SCHEMA}.{table}_guard()"
        statements += [
            f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' THEN IF {allowed} THEN RETURN NEW; END IF; END IF; {refuse} END $$",
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {SCHEMA}.{table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}",
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {SCHEMA}.{table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}",
        ]
    return statements
