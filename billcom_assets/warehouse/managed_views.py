"""Putting views of ours in place without taking anything from those who use them.

A view is replaced where it stands when it only grows at its end. Where PostgreSQL wants it dropped, what was granted on
it is granted again; and while views of others read it, it stays as it is.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from billcom_assets.warehouse.tables import SCHEMA


@dataclass(frozen=True)
class ManagedView:
    """A view that follows its definition in this package."""

    name: str
    query: str
    """Its SELECT, without parameters."""
    columns: tuple[str, ...]
    schema: str = SCHEMA
    """On PostgreSQL; SQLite has none."""
    about: str = ""
    """What a row is, for people; PostgreSQL keeps it."""
    comments: tuple[tuple[str, str], ...] = ()
    """The same of columns, by name."""

    @property
    def definition(self) -> str:
        """Digest of the definition."""
        whole = repr((self.query, self.about, self.comments)) if self.about or self.comments else self.query
        return hashlib.sha256(whole.encode()).hexdigest()


class InUse(Exception):
    """Views (or whatever else) of others read the view, which would have to be dropped."""

    def __init__(self, dependents: list[str]) -> None:
        super().__init__(", ".join(dependents))
        self.dependents = dependents


def exists(connection: Connection, view: ManagedView) -> bool:
    """True when there is something of its name."""
    if connection.dialect.name == "postgresql":
        place = _place(connection, view)
        return bool(connection.scalar(text("SELECT to_regclass(:place) IS NOT NULL"), {"place": place}))
    return bool(connection.scalar(text("SELECT 1 FROM sqlite_master WHERE name = :name"), {"name": view.name}))


def put_in_place(connection: Connection, view: ManagedView) -> None:
    """Makes the view what its definition says; the caller's transaction is to be rolled back after an exception.

    Raises:
        InUse: it cannot be changed as it stands, and others read it.
    """
    if connection.dialect.name == "postgresql":
        _on_postgresql(connection, view)
        _describe(connection, view)
    else:
        _on_sqlite(connection, view)


def _place(connection: Connection, view: ManagedView) -> str:
    quote = connection.dialect.identifier_preparer.quote
    name = quote(view.name)
    return f"{quote(view.schema)}.{name}" if connection.dialect.name == "postgresql" else name


# SQLite -------------------------------------------------------------------------------------------------------------


def _on_sqlite(connection: Connection, view: ManagedView) -> None:
    others = text("SELECT name FROM sqlite_master WHERE type = 'view' AND name <> :name ORDER BY name")
    working = [name for name in connection.scalars(others, {"name": view.name}).all() if _compiles(connection, name)]
    place = _place(connection, view)
    connection.exec_driver_sql(f"DROP VIEW IF EXISTS {place}")
    connection.exec_driver_sql(f"CREATE VIEW {place} AS {view.query}")
    broken = [name for name in working if not _compiles(connection, name)]
    if broken:
        raise InUse(broken)


def _compiles(connection: Connection, name: str) -> bool:
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    # Another text each time: SQLite does not compile an EXPLAIN again when the schema has changed.
    statement = f"EXPLAIN SELECT * FROM {quoted} -- {time.monotonic_ns()}"  # noqa: S608 - quoted
    try:
        connection.exec_driver_sql(statement).close()
    except DBAPIError:
        return False
    return True


# PostgreSQL ---------------------------------------------------------------------------------------------------------

_COLUMNS: Final = text("""
    SELECT attname, atttypid FROM pg_attribute
    WHERE attrelid = to_regclass(:place) AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
""")
_DEPENDENTS: Final = text("""
    SELECT DISTINCT coalesce(
        (
            SELECT format('%I.%I', n.nspname, c.relname)
            FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE d.classid = CAST('pg_rewrite' AS regclass) AND r.oid = d.objid
        ),
        pg_describe_object(d.classid, d.objid, d.objsubid)
    )
    FROM pg_depend d
    WHERE d.deptype = 'n'
        AND (
            (d.refclassid = CAST('pg_class' AS regclass) AND d.refobjid = to_regclass(:place))
            OR (
                d.refclassid = CAST('pg_type' AS regclass)
                AND d.refobjid IN (SELECT oid FROM pg_type WHERE typrelid = to_regclass(:place))
            )
        )
    ORDER BY 1
""")
_HEAD: Final = text("""
    SELECT
        quote_ident(pg_get_userbyid(relowner)) AS owner,
        pg_get_userbyid(relowner) = current_user AS is_mine,
        array_to_string(reloptions, ', ') AS options,
        obj_description(oid, 'pg_class') AS comment
    FROM pg_class WHERE oid = to_regclass(:place)
""")
_COMMENTED: Final = text("""
    SELECT coalesce(a.attname, '') FROM pg_description d
    LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
    WHERE d.classoid = CAST('pg_class' AS regclass) AND d.objoid = to_regclass(:place)
""")
_GRANTS: Final = text("""
    SELECT '' AS column_name, g.privilege_type, g.grantee, pg_get_userbyid(g.grantee) AS grantee_name,
        g.is_grantable
    FROM pg_class c, aclexplode(c.relacl) g
    WHERE c.oid = to_regclass(:place) AND g.grantee <> c.relowner
    UNION ALL
    SELECT a.attname, g.privilege_type, g.grantee, pg_get_userbyid(g.grantee) AS grantee_name,
        g.is_grantable
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
    WHERE c.oid = to_regclass(:place) AND g.grantee <> c.relowner
""")


def _on_postgresql(connection: Connection, view: ManagedView) -> None:
    place = _place(connection, view)
    before = [tuple(row) for row in connection.execute(_COLUMNS, {"place": place})]
    if not before:
        connection.exec_driver_sql(f"CREATE VIEW {place} AS {view.query}")
        return
    head = connection.execute(_HEAD, {"place": place}).one()
    options = f" WITH ({head.options})" if head.options else ""
    if _columns_of(connection, view)[: len(before)] == before:
        connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {place}{options} AS {view.query}")
        return
    dependents = list(connection.scalars(_DEPENDENTS, {"place": place}))
    if dependents:
        raise InUse(dependents)
    grants = _grants(connection, place)
    connection.exec_driver_sql(f"DROP VIEW {place}")
    connection.exec_driver_sql(f"CREATE VIEW {place}{options} AS {view.query}")
    if not head.is_mine:
        connection.exec_driver_sql(f"ALTER VIEW {place} OWNER TO {head.owner}")
    if head.comment is not None:
        # COMMENT takes no parameter.
        comment = connection.scalar(text("SELECT quote_literal(:comment)"), {"comment": head.comment})
        connection.exec_driver_sql(f"COMMENT ON VIEW {place} IS {comment}".replace("%", "%%"))
    _grant_again(connection, place, grants)


def _describe(connection: Connection, view: ManagedView) -> None:
    """Comments on the view and its columns, where nobody else has written any."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    place = _place(connection, view)
    said = [("", f"VIEW {place}", view.about)] if view.about else []
    said += [(name, f"COLUMN {place}.{quote(name)}", comment) for name, comment in view.comments]
    written = {row[0] for row in connection.execute(_COMMENTED, {"place": place})}
    for name, what, comment in said:
        if name not in written:
            # COMMENT takes no parameter.
            quoted = connection.scalar(text("SELECT quote_literal(:comment)"), {"comment": comment})
            connection.exec_driver_sql(f"COMMENT ON {what} IS {quoted}".replace("%", "%%"))


def _columns_of(connection: Connection, view: ManagedView) -> list[tuple[Any, ...]]:
    """Names and types of the definition's columns, without touching the view."""
    found = connection.exec_driver_sql(f"SELECT * FROM ({view.query}) AS defined LIMIT 0")  # noqa: S608 - SQL of ours
    return [(column[0], column[1]) for column in found.cursor.description]


def _grants(connection: Connection, place: str) -> list[Any]:
    return list(connection.execute(_GRANTS, {"place": place}))


def _grant_again(connection: Connection, place: str, grants: list[Any]) -> None:
    """Leaves exactly these, also where default privileges have given others to the new view."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    names = {0: "PUBLIC"} | {
        one.grantee: quote(one.grantee_name) for one in [*_grants(connection, place), *grants] if one.grantee
    }
    present = {row[0] for row in connection.execute(_COLUMNS, {"place": place})}
    for name in names.values():
        connection.exec_driver_sql(f"REVOKE ALL ON {place} FROM {name}")
    for one in grants:
        if one.column_name and one.column_name not in present:
            continue
        column = f" ({quote(one.column_name)})" if one.column_name else ""
        passing_on = " WITH GRANT OPTION" if one.is_grantable else ""
        connection.exec_driver_sql(f"GRANT {one.privilege_type}{column} ON {place} TO {names[one.grantee]}{passing_on}")
