"""Small upserts into tables of ours; mirror rows go through ``bulk``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str] | None = None,
    keep: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Inserts the rows; where one of the same key exists, updates it.

    Args:
        connection: The caller's transaction.
        table: Where to.
        rows: Values by column, the same columns in each.
        keys: Columns of a unique constraint; the primary key when None.
        keep: Columns that an existing row keeps.
        add: Columns whose values are added to the existing row's.
    """
    if not rows:
        return
    keys = list(keys or [column.name for column in table.primary_key])
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    changed = [name for name in rows[0] if name not in {*keys, *keep}]
    if changed:
        values = {
            name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name] for name in changed
        }
        statement = insert.on_conflict_do_update(index_elements=keys, set_=values)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, [dict(row) for row in rows])
