"""Bulk writing of mirror rows: COPY on PostgreSQL, multi-row upsert on SQLite.

Rows that are stored already go through a staging table on PostgreSQL. Both databases end in the same
``INSERT ... ON CONFLICT DO UPDATE``, which never goes back in ``updated_time``. Child rows are replaced together with
their parent, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
)

from billcom_assets.entities.model import Child, Entity
from billcom_assets.entities.rows import MirrorRow, Values
from billcom_assets.warehouse.mirror import BOOKKEEPING, COMMON, V2_BOOKKEEPING, Mirror
from billcom_assets.warehouse.tables import SCHEMA


class Derived(NamedTuple):
    """What the declarations make of one stored object."""

    id: str
    values: Values
    children: dict[str, list[Values]]


class V2Record(NamedTuple):
    """What v2 knows of one stored object, and what the declarations make of that."""

    derived: Derived
    payload: str | None
    digest: str
    """Empty for nothing."""
    read_for: datetime | None
    """Updated time of the stored object."""


class V2Stored(NamedTuple):
    """A stored object as v2's records are added to it."""

    payload: str
    v2_payload: str | None
    v2_digest: str | None
    updated_time: datetime | None
    v2_read_for: datetime | None


class Stored(NamedTuple):
    """What decides whether a stored row changes."""

    updated_time: datetime | None
    digest: str
    is_deleted: bool
    is_unreadable: bool


@dataclass(frozen=True)
class MirrorTable:
    """Reads and writes one entity's tables for one integration."""

    mirror: Mirror
    entity: Entity
    integration: str

    @property
    def table(self) -> Table:
        """The entity's own table."""
        return self.mirror.table(self.entity.name)

    @property
    def version(self) -> ColumnElement[str]:
        """Says what a row was derived from: other payloads, another version."""
        t = self.table.c
        return t.payload_digest + func.coalesce(t.v2_digest if self.entity.v2 else literal(""), "")

    def stored(self, connection: Connection, ids: Collection[str]) -> dict[str, Stored]:
        """Those of ``ids`` that are stored."""
        t = self.table
        marks = (t.c.deleted_at.is_not(None), t.c.unreadable_since.is_not(None))
        query = select(t.c.id, t.c.updated_time, t.c.payload_digest, *marks).where(
            t.c.integration == self.integration, is_among_ids(connection, t.c.id)
        )
        rows = connection.execute(query, {"ids": list(ids)})
        return {row[0]: Stored(row[1], row[2], bool(row[3]), bool(row[4])) for row in rows}

    def v2_stored(self, connection: Connection, ids: Collection[str]) -> dict[str, V2Stored]:
        """Those of ``ids`` that are stored, with their payloads as JSON, of an entity that v2 adds something to."""
        t = self.table.c
        columns = (cast(t.payload, Text), cast(t.v2_payload, Text), t.v2_digest, t.updated_time, t.v2_read_for)
        query = select(t.id, *columns).where(t.integration == self.integration, is_among_ids(connection, t.id))
        return {row[0]: V2Stored(*row[1:]) for row in connection.execute(query, {"ids": list(ids)})}

    def v2_payloads(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        """Of those of ``ids`` about which v2 knows something, its records as JSON."""
        t = self.table.c
        mine = (t.integration == self.integration, t.v2_payload.is_not(None), is_among_ids(connection, t.id))
        query = select(t.id, cast(t.v2_payload, Text)).where(*mine)
        return {row[0]: row[1] for row in connection.execute(query, {"ids": list(ids)})}

    def mark_unreadable(self, connection: Connection, ids: Collection[str], now: datetime) -> None:
        """Marks those of ``ids`` that are stored and not marked yet; their rows stay as they are."""
        t = self.table
        connection.execute(
            t.update()
            .where(
                t.c.integration == self.integration, is_among_ids(connection, t.c.id), t.c.unreadable_since.is_(None)
            )
            .values(unreadable_since=now, synced_at=now),
            {"ids": list(ids)},
        )

    def upsert(
        self,
        connection: Connection,
        rows: Sequence[MirrorRow],
        known: Collection[str],
        now: datetime,
        *,
        may_go_back: bool = False,
    ) -> None:
        """Writes the rows and replaces their children.

        Args:
            connection: The caller's transaction; it keeps other writers of this integration out.
            rows: One per object.
            known: Ids of those that are stored already, and of no others.
            now: What ``synced_at`` becomes.
            may_go_back: What BILL shows now counts even where its updated time is older than the stored one.
        """
        if not rows:
            return
        columns = self._columns()
        if connection.dialect.name == "postgresql":
            # What is not stored cannot conflict: it needs no stage. The stamp is written out once, not for every row.
            stamp = now.isoformat()
            _copy(connection, self.table, columns, self._values((one for one in rows if one.id not in known), stamp))
            replacing = self._values((one for one in rows if one.id in known), stamp)
            _merge(connection, self.table, columns, replacing, may_go_back=may_go_back)
        else:
            ending = _on_conflict(connection, self.table, columns, may_go_back=may_go_back)
            _insert_sqlite(connection, self.table, columns, self._values(rows, now), ending)
        replaced = [row.id for row in rows if row.id in known]
        self.replace_children(connection, rows, replaced)

    def replace_children(self, connection: Connection, rows: Sequence[MirrorRow], replaced: list[str]) -> None:
        """Writes the rows' lists, after removing what is stored for the parents in ``replaced``."""
        for child in self.entity.children:
            self._replace_list(connection, child, rows, replaced)

    def claim(self, connection: Connection, digests: Mapping[str, str]) -> tuple[set[str], set[str]]:
        """Locks rows for the rest of the transaction, without waiting for any.

        Args:
            connection: The caller's transaction.
            digests: The ``version`` that is known of each id.

        Returns:
            The ids whose payloads are still those, now locked; and the ids of rows that others have locked.
        """
        t, ids = self.table.c, list(digests)
        mine = (t.integration == self.integration, is_among_ids(connection, t.id))
        query = select(t.id, self.version).where(*mine).with_for_update(skip_locked=True, key_share=True)
        locked = {row[0]: row[1] for row in connection.execute(query, {"ids": ids})}
        others = [identifier for identifier in ids if identifier not in locked]
        taken = set(connection.scalars(select(t.id).where(*mine), {"ids": others})) if others else set()
        return {one for one, digest in locked.items() if digest == digests[one]}, taken

    def rewrite(self, connection: Connection, rows: Sequence[Derived]) -> None:
        """Writes the entity's declared columns of rows that are stored, and their lists."""
        names = [column.name for column in self.entity.columns]
        if names:
            self._update(connection, names, [(self.integration, row.id, *row.values) for row in rows])
        self._rewrite_lists(connection, rows)

    def write_v2(self, connection: Connection, records: Sequence[V2Record], now: datetime) -> None:
        """Keeps v2's records, and writes what the entity declares to depend on them."""
        names = [*(column.name for column in self.entity.columns), *V2_BOOKKEEPING, "synced_at"]
        rows = [
            (self.integration, one.derived.id, *one.derived.values, one.payload, one.digest, one.read_for, now)
            for one in records
        ]
        self._update(connection, names, rows)
        self._rewrite_lists(connection, [one.derived for one in records])

    def note_v2_read(self, connection: Connection, ids: Collection[str]) -> None:
        """Notes that v2 was asked about these objects as they are stored, and had nothing new."""
        t = self.table
        connection.execute(
            t.update()
            .where(t.c.integration == self.integration, is_among_ids(connection, t.c.id))
            .values(v2_read_for=t.c.updated_time, v2_digest=func.coalesce(t.c.v2_digest, "")),
            {"ids": list(ids)},
        )

    def forget_v2_read(self, connection: Connection, ids: Collection[str]) -> None:
        """Has v2 asked again about these objects: columns may need what was not kept of its records."""
        t = self.table
        mine = (t.c.integration == self.integration, is_among_ids(connection, t.c.id))
        connection.execute(t.update().where(*mine).values(v2_digest=None), {"ids": list(ids)})

    def _update(self, connection: Connection, names: Sequence[str], rows: list[Values]) -> None:
        if rows:
            update = _update_postgresql if connection.dialect.name == "postgresql" else _update_sqlite
            update(connection, self.table, names, rows)

    def _rewrite_lists(self, connection: Connection, rows: Sequence[Derived]) -> None:
        for child in self.entity.children:
            self._replace_list(connection, child, rows, [row.id for row in rows])

    def _values(self, rows: Iterable[MirrorRow], stamp: datetime | str) -> list[Values]:
        bookkeeping = (None, None, stamp, stamp)
        return [
            (
                self.integration,
                row.id,
                row.archived,
                row.created_time,
                row.updated_time,
                *row.values,
                *bookkeeping,
                row.payload,
                row.digest,
            )
            for row in rows
        ]

    def _columns(self) -> list[str]:
        return [*COMMON, *(column.name for column in self.entity.columns), *BOOKKEEPING]

    def _replace_list(
        self, connection: Connection, child: Child, rows: Sequence[MirrorRow | Derived], replaced: list[str]
    ) -> None:
        table = self.mirror.table(child.table)
        if replaced:
            parent = table.c[self.entity.id_column]
            connection.execute(
                delete(table).where(table.c.integration == self.integration, is_among_ids(connection, parent)),
                {"ids": replaced},
            )
        lines = [(self.integration, row.id, *line) for row in rows for line in row.children.get(child.table, ())]
        columns = ["integration", self.entity.id_column, "position", *(column.name for column in child.columns)]
        insert_rows(connection, table, columns, lines)


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: list[Values]) -> None:
    """Inserts rows of which none is there; the database refuses one that is."""
    if rows:
        insert = _copy if connection.dialect.name == "postgresql" else _insert_sqlite
        insert(connection, table, columns, rows)


def is_among_ids(connection: Connection, column: Column[Any]) -> ColumnElement[bool]:
    """True for the values of the parameter ``ids``."""
    if connection.dialect.name == "postgresql":
        # One array is planned and sent as one value, however many ids it holds.
        return column == any_(bindparam("ids", type_=ARRAY(Text)))
    return column.in_(bindparam("ids", expanding=True))


def _quoted(connection: Connection, names: Iterable[str]) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote
    return [quote(name) for name in names]


def _on_conflict(connection: Connection, table: Table, columns: Sequence[str], *, may_go_back: bool) -> str:
    keys = {column.name for column in table.primary_key}
    kept = keys | {"first_seen_at"}
    assignments = ", ".join(
        f"{name} = excluded.{name}" for name in _quoted(connection, (c for c in columns if c not in kept))
    )
    target = ", ".join(_quoted(connection, (column.name for column in table.primary_key)))
    stored = f"{table.name}.updated_time"
    update = f"ON CONFLICT ({target}) DO UPDATE SET {assignments}"
    if may_go_back:
        return update
    # A row read from an older page must not undo what a newer one brought; one that was marked deleted has returned.
    return (
        f"{update} WHERE {stored} IS NULL OR excluded.updated_time IS NULL OR excluded.updated_time >= {stored} "
        f"OR {table.name}.deleted_at IS NOT NULL"
    )


def _merge(
    connection: Connection, table: Table, columns: Sequence[str], rows: list[Values], *, may_go_back: bool
) -> None:
    if not rows:
        return
    stage = f"stage_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE IF NOT EXISTS {stage} (LIKE {SCHEMA}.{table.name}) ON COMMIT DELETE ROWS"
    )
    _copy_into(connection, stage, columns, rows)
    names = ", ".join(_quoted(connection, columns))
    connection.exec_driver_sql(
        f"INSERT INTO {SCHEMA}.{table.name} ({names}) SELECT {names} FROM {stage} "  # noqa: S608 - names of ours
        + _on_conflict(connection, table, columns, may_go_back=may_go_back)
    )
    connection.exec_driver_sql(f"TRUNCATE {stage}")


def _update_postgresql(connection: Connection, table: Table, columns: Sequence[str], rows: list[Values]) -> None:
    stage = f"fill_{table.name}"
    keys, names = ["integration", "id"], _quoted(connection, columns)
    place = f"{SCHEMA}.{table.name}"
    selected = f"SELECT {', '.join([*keys, *names])} FROM {place}"  # noqa: S608 - names of ours
    connection.exec_driver_sql(f"CREATE TEMP TABLE {stage} ON COMMIT DROP AS {selected} WITH NO DATA")
    _copy_into(connection, stage, [*keys, *columns], rows)
    ours, new = (", ".join(f"{whose}.{name}" for name in names) for whose in ("t", "s"))
    connection.exec_driver_sql(
        f"UPDATE {place} AS t SET {', '.join(f'{name} = s.{name}' for name in names)} FROM {stage} AS s "  # noqa: S608
        # What stays as it is costs no new row version.
        f"WHERE t.integration = s.integration AND t.id = s.id AND ({ours}) IS DISTINCT FROM ({new})"
    )


def _update_sqlite(connection: Connection, table: Table, columns: Sequence[str], rows: list[Values]) -> None:
    assignments = ", ".join(f"{name} = ?" for name in _quoted(connection, columns))
    connection.exec_driver_sql(
        f"UPDATE {table.name} SET {assignments} WHERE integration = ? AND id = ?",  # noqa: S608 - names of ours
        [tuple(map(_sqlite_value, (*values, integration, identifier))) for integration, identifier, *values in rows],
    )


def _copy(connection: Connection, table: Table, columns: Sequence[str], rows: list[Values]) -> None:
    _copy_into(connection, f"{SCHEMA}.{table.name}", columns, rows)


def _copy_into(connection: Connection, place: str, columns: Sequence[str], rows: list[Values]) -> None:
    if not rows:
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the engine was opened with psycopg
    names = ", ".join(_quoted(connection, columns))
    with driver.cursor() as cursor, cursor.copy(f"COPY {place} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert_sqlite(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Values], ending: str = ""
) -> None:
    names = ", ".join(_quoted(connection, columns))
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {ending}"  # noqa: S608 - names of ours
    connection.exec_driver_sql(statement, [tuple(map(_sqlite_value, row)) for row in rows])


def _sqlite_value(value: Any) -> Any:
    """The value in the form in which SQLAlchemy's SQLite types read it back."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"SQLite cannot hold a {type(value).__name__}")
