"""The three database roles on PostgreSQL, as SQL: owner, runner and analyst.

The owner has the tables and upgrades them, the runner reads and writes rows, the analyst reads the views of
:mod:`billcom_assets.warehouse.analysts` and nothing else. The SQL may be run any number of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from psycopg import Error as DriverError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from billcom_assets.warehouse.analysts import (
    ANALYST_SCHEMA,
    identifier,
    literal,
    qualified,
    view_statements,
)
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.ownership import SET_ROLE_NEEDS, run
from billcom_assets.warehouse.tables import SCHEMA
from billcom_assets.warehouse.views import VIEWS

_READS_ONLY = ""
_WRITES: Final[Mapping[str, str]] = {
    "alembic_version": _READS_ONLY,
    "mirror_schema": _READS_ONLY,
    # Filling new columns is the runner's work too, and it notes how far it is; what there is to fill is the owner's.
    "mirror_parts": "UPDATE",
    **dict.fromkeys(VIEWS, _READS_ONLY),
    # Nobody deletes entries; triggers refuse every change but erasing what an entry of a forgotten integration said.
    "audit_log": "INSERT, UPDATE",
    "audit_head": "UPDATE",
}
"""What the runner may do beside reading to relations that it may not do everything to."""
_WRITES_ALL = "INSERT, UPDATE, DELETE"
_LONGEST_NAME = 63
_BOUNDARY_BROKEN = "BC001"
"""SQLSTATE with which the last step ends the transaction."""
_INSUFFICIENT_PRIVILEGE = "42501"


@dataclass(frozen=True)
class Roles:
    """Names of the three roles.

    Raises:
        WarehouseError: a name cannot be a role's, or two are the same.
    """

    owner: str = "billcom_owner"
    runner: str = "billcom_runner"
    analyst: str = "billcom_analyst"

    def __post_init__(self) -> None:
        for name in self.names():
            is_reserved = name.lower() in {"public", "none"} or name.lower().startswith("pg_")
            fits = 0 < len(name.encode()) <= _LONGEST_NAME and name.isprintable() and "\\" not in name
            if is_reserved or not fits:
                raise WarehouseError(
                    f"{name[:_LONGEST_NAME]!r} cannot be the name of a role of ours.",
                    f"Choose one of at most {_LONGEST_NAME} letters, digits and underscores that does not begin with "
                    "pg_.",
                )
        if len(set(self.names())) < len(self.names()):
            raise WarehouseError(
                "The owner, the runner and the analyst must be three roles.", "Give each a name of its own."
            )

    def names(self) -> tuple[str, ...]:
        """All three."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class RoleStep:
    """Some statements and what they are for."""

    title: str
    statements: tuple[str, ...]


def steps(connection: Connection, mirror: Mirror, roles: Roles) -> list[RoleStep]:
    """What makes the roles and gives them their rights in this database, whose tables are up to date."""
    relations = _relations(connection)
    database = identifier(connection.scalar(text("SELECT current_database()")) or "")
    return [
        RoleStep("The roles: groups that nobody logs in as; grant them to the users who do.", _created(roles)),
        RoleStep(
            "The owner has the schemas and the tables, whoever made them. Upgrades act as it.",
            _owned(roles, relations, _routines(connection)),
        ),
        RoleStep("Nobody has a right that is not given below.", _revoked(roles, relations)),
        RoleStep(
            "The runner reads and writes rows, and makes temporary tables to do so. It changes no table.",
            _given_to_the_runner(roles, relations, database),
        ),
        RoleStep(
            "What analysts see: no sensitive column, no payload, no credentials. Upgrades keep these views up to date.",
            (f"SET LOCAL ROLE {identifier(roles.owner)}", *view_statements(connection, mirror), "RESET ROLE"),
        ),
        RoleStep("The analyst reads these views and nothing else.", _given_to_the_analyst(roles, database)),
        RoleStep(
            "The boundary holds, or nothing of this is kept: a role that was there before may have rights of its own.",
            _proven(roles),
        ),
    ]


def script(steps: Iterable[RoleStep]) -> str:
    """The steps as one transaction, to be read and given to psql."""
    lines = ["BEGIN;"]
    for step in steps:
        lines += ["", f"-- {step.title}", *(f"{statement};" for statement in step.statements)]
    return "\n".join([*lines, "", "COMMIT;", ""])


def apply(connection: Connection, steps: Iterable[RoleStep]) -> None:
    """Executes the steps in the caller's transaction.

    Raises:
        WarehouseError: the database user lacks a right, or one of the roles has more rights than it may.
    """
    for step in steps:
        for statement in step.statements:
            try:
                run(connection, statement)
            except DBAPIError as error:
                raise _explained(error, step) from None


def _explained(error: DBAPIError, step: RoleStep) -> Exception:
    driver = error.orig
    state = driver.sqlstate if isinstance(driver, DriverError) else None
    if state == _BOUNDARY_BROKEN and isinstance(driver, DriverError):
        # Our own words: see _proven.
        return WarehouseError(
            f"Nothing was changed: {driver.diag.message_primary}.", "Choose another role, or take that right from it."
        )
    if state == _INSUFFICIENT_PRIVILEGE:
        return WarehouseError(
            f'Nothing was changed: the database user lacks a right. It was refused at: "{step.title}"',
            "Use a user that has CREATEROLE, may create schemas in this database and owns the tables, or a superuser; "
            "or give a database administrator the SQL that billcom database roles prints without --apply.",
        )
    return error


def _created(roles: Roles) -> tuple[str, ...]:
    return tuple(
        _block(
            f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(name)}) THEN "
            f"CREATE ROLE {identifier(name)} NOLOGIN; END IF;"
        )
        for name in roles.names()
    )


def _owned(roles: Roles, relations: Iterable[str], routines: Iterable[str]) -> tuple[str, ...]:
    owner = identifier(roles.owner)
    return (
        # Lets an administrator who is no superuser give things to the owner, and act as it later on.
        _block(
            f"IF NOT pg_has_role({literal(roles.owner)}, {SET_ROLE_NEEDS}) THEN GRANT {owner} TO CURRENT_USER; END IF;"
        ),
        f"ALTER SCHEMA {SCHEMA} OWNER TO {owner}",
        f"CREATE SCHEMA IF NOT EXISTS {ANALYST_SCHEMA}",
        f"ALTER SCHEMA {ANALYST_SCHEMA} OWNER TO {owner}",
        *(f"ALTER TABLE {qualified(SCHEMA, name)} OWNER TO {owner}" for name in relations),
        *(f"ALTER ROUTINE {routine} OWNER TO {owner}" for routine in routines),
    )


def _relations(connection: Connection) -> list[str]:
    """Every table and view, also those that no declaration of this version names."""
    query = text("""
        SELECT c.relname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        ORDER BY c.relname
    """)
    return list(connection.scalars(query, {"schema": SCHEMA}))


def _routines(connection: Connection) -> list[str]:
    query = text("""
        SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = :schema
        ORDER BY 1
    """)
    return list(connection.scalars(query, {"schema": SCHEMA}))


def _revoked(roles: Roles, relations: Iterable[str]) -> tuple[str, ...]:
    whom = f"PUBLIC, {identifier(roles.runner)}, {identifier(roles.analyst)}"
    return (
        f"REVOKE ALL ON SCHEMA {SCHEMA}, {ANALYST_SCHEMA} FROM {whom}",
        f"REVOKE ALL ON {_listed(relations)}\n    FROM {whom}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {SCHEMA} FROM {whom}",
        f"REVOKE ALL ON ALL ROUTINES IN SCHEMA {SCHEMA} FROM {whom}",
    )


def _given_to_the_runner(roles: Roles, relations: Iterable[str], database: str) -> tuple[str, ...]:
    owner, runner = identifier(roles.owner), identifier(roles.runner)
    by_rights: dict[str, list[str]] = {}
    for name in relations:
        by_rights.setdefault(_WRITES.get(name, _WRITES_ALL), []).append(name)
    future = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {SCHEMA}\n    GRANT"
    return (
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {runner}",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {runner}",
        f"GRANT SELECT ON {_listed(relations)}\n    TO {runner}",
        *(
            f"GRANT {rights} ON {_listed(names)}\n    TO {runner}"
            for rights, names in by_rights.items()
            if rights != _READS_ONLY
        ),
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {runner}",
        f"{future} SELECT, {_WRITES_ALL} ON TABLES TO {runner}",
        f"{future} USAGE, SELECT ON SEQUENCES TO {runner}",
    )


def _given_to_the_analyst(roles: Roles, database: str) -> tuple[str, ...]:
    owner, analyst = identifier(roles.owner), identifier(roles.analyst)
    return (
        f"GRANT CONNECT ON DATABASE {database} TO {analyst}",
        f"GRANT USAGE ON SCHEMA {ANALYST_SCHEMA} TO {analyst}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {ANALYST_SCHEMA} TO {analyst}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {ANALYST_SCHEMA}\n"
        f"    GRANT SELECT ON TABLES TO {analyst}",
    )


def _proven(roles: Roles) -> tuple[str, ...]:
    owner, runner, analyst = map(literal, roles.names())
    broken = (
        (roles.analyst, "schema billcom", f"has_schema_privilege({analyst}, '{SCHEMA}', 'USAGE, CREATE')"),
        (roles.analyst, "its own views", f"has_schema_privilege({analyst}, '{ANALYST_SCHEMA}', 'CREATE')"),
        (
            roles.analyst,
            "more than its views, by an attribute or by a role that it belongs to",
            f"EXISTS (SELECT FROM pg_roles r\n    WHERE (r.rolname = {analyst} AND"
            " (r.rolsuper OR r.rolcreaterole OR r.rolreplication))\n"
            f"    OR (starts_with(r.rolname, 'pg_') AND pg_has_role({analyst}, r.oid, 'MEMBER')))",
        ),
        (roles.runner, "everything that the owner has", f"pg_has_role({runner}, {owner}, 'MEMBER')"),
        (roles.runner, "the tables themselves", f"has_schema_privilege({runner}, '{SCHEMA}', 'CREATE')"),
    )
    return tuple(
        _block(
            f"IF {condition} THEN RAISE EXCEPTION USING ERRCODE = '{_BOUNDARY_BROKEN}', "
            f"MESSAGE = {literal(f'the role {name} has rights on {what}')}; END IF;"
        )
        for name, what, condition in broken
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(qualified(SCHEMA, name) for name in names)


def _block(body: str) -> str:
    tag = "$do$"
    while tag in body:
        tag = f"${tag[1:-1]}o$"
    return f"DO {tag} BEGIN {body} END {tag}"
