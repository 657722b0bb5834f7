"""Who may change the tables on PostgreSQL: their owner, or somebody who may act as it."""

from __future__ import annotations

from sqlalchemy import Connection, text

from billcom_assets.warehouse.analysts import ANALYST_SCHEMA, identifier, view_statements
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import SCHEMA

SET_ROLE_NEEDS = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"
"""The right that SET ROLE asks for, in SQL: PostgreSQL 16 made one of its own out of membership."""
_OWNER = text(f"""
    SELECT
        current_user AS username,
        pg_get_userbyid(owner) AS owner,
        pg_has_role(owner, {SET_ROLE_NEEDS}) AS may_act_as_owner,
        has_schema_privilege(:schema, 'CREATE') AS may_create
    FROM (
        SELECT coalesce(c.relowner, n.nspowner) AS owner
        FROM pg_namespace n
        LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'alembic_version'
        WHERE n.nspname = :schema
    ) AS found
""")  # noqa: S608 - a constant of this module


def act_as_owner(connection: Connection) -> None:
    """Makes the schema when it is missing; until the transaction ends, what is made belongs to the tables' owner.

    Raises:
        WarehouseError: the database user may not change the tables.
    """
    found = connection.execute(_OWNER, {"schema": SCHEMA}).first()
    if found is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    elif found.may_act_as_owner:
        if found.owner != found.username:
            run(connection, f"SET LOCAL ROLE {identifier(found.owner)}")
    elif not found.may_create:
        raise WarehouseError(
            f"The tables in schema {SCHEMA} are not those of this version of billcom-assets, and the database user "
            f"{found.username} may not change them.",
            f"Run a command such as billcom status once with a BILLCOM_DATABASE_URL whose user belongs to their owner "
            f"{found.owner}; it upgrades the tables and keeps the data.",
        )


def refresh_analyst_views(connection: Connection, mirror: Mirror) -> None:
    """Lets the analysts' views follow the tables, where ``billcom database roles`` has made their schema."""
    is_ours = text("SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = :schema")
    if connection.scalar(is_ours, {"schema": ANALYST_SCHEMA}):
        for statement in view_statements(connection, mirror):
            run(connection, statement)


def run(connection: Connection, statement: str) -> None:
    """Executes a statement that has no parameters; a percent sign in it is one."""
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)
