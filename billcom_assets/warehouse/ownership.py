"""Who may change the tables on PostgreSQL: their owner, or somebody who may act as it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    owner = _owner_to_be(connection)
    if owner is not None:
        run(connection, f"SET LOCAL ROLE {identifier(owner)}")


@contextmanager
def acting_as_owner(connection: Connection) -> Iterator[None]:
    """The same on a connection that commits each statement by itself, for what no transaction takes.

    Raises:
        WarehouseError: the database user may not change the tables.
    """
    owner = _owner_to_be(connection)
    if owner is None:
        yield
        return
    run(connection, f"SET ROLE {identifier(owner)}")
    try:
        yield
    finally:
        run(connection, "RESET ROLE")


def _owner_to_be(connection: Connection) -> str | None:
    """Whom to act as; None: the user itself may do it. Makes the schema when it is missing."""
    found = connection.execute(_OWNER, {"schema": SCHEMA}).first()
    if found is None:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        return None
    if found.may_act_as_owner:
        return None if found.owner == found.username else str(found.owner)
    if not found.may_create:
        raise WarehouseError(
            f"The tables in schema {SCHEMA} are not those of this version of billcom-assets, and the database user "
            f"{found.username} may not change them.",
            f"Run a command such as billcom status once with a BILLCOM_DATABASE_URL whose user belongs to their owner "
            f"{found.owner}; it upgrades the tables and keeps the data.",
        )
    return None


def refresh_analyst_views(connection: Connection, mirror: Mirror) -> None:
    """Lets the analysts' views follow the tables, where ``billcom database roles`` has made their schema."""
    is_ours = text("SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = :schema")
    if connection.scalar(is_ours, {"schema": ANALYST_SCHEMA}):
        for statement in view_statements(connection, mirror):
            run(connection, statement)


def run(connection: Connection, statement: str) -> None:
    """Executes a statement that has no parameters; a percent sign in it is one."""
    # For this statement alone: the connection's own options would stay for those that follow.
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
