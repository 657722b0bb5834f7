"""Leaving BILL: disconnecting an integration, which keeps its data, and forgetting it, which deletes all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, delete, func, select, tuple_, update

from billcom_assets.warehouse import alignment_tables, audit, books_tables, ledger_tables
from billcom_assets.warehouse.audit import Actor, Decision, What
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import Disconnected, Status, left
from billcom_assets.warehouse.tables import audit_log, bill_sessions, integrations, metadata

_ = alignment_tables, books_tables, ledger_tables  # their tables register themselves in the metadata
_ROWS_AT_ONCE = 10_000
"""Of one transaction, so that others get their turn."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted of an integration."""

    rows: dict[str, int]
    """By table; what an earlier, interrupted forgetting deleted is not in it."""
    audit_entries: int
    """Entries of the audit log whose content was erased."""


@contextmanager
def alone(warehouse: Warehouse, key: str) -> Iterator[None]:
    """Keeps runs of the integration out while it is left.

    Raises:
        Busy: one is going on.
    """
    with warehouse.exclusive(f"run of {key}"), warehouse.exclusive(f"sync of {key}"):
        yield


def disconnect(connection: Connection, key: str, actor: Actor, now: datetime) -> None:
    """Forgets the integration's credentials and session in the caller's transaction; a disconnected one stays so.

    Raises:
        Disconnected: it is being forgotten.
    """
    before = _drop_credentials(connection, key, Status.DISCONNECTED, now)
    if before is not None:
        audit.record(
            connection,
            actor=actor,
            what=What.DISCONNECTED,
            integration=key,
            subject=key,
            before={"status": before},
            after={"status": Status.DISCONNECTED},
            now=now,
        )


def _drop_credentials(connection: Connection, key: str, status: Status, now: datetime) -> str | None:
    """The status before; None when there is no such integration or its status is this one already."""
    found = connection.execute(
        select(integrations.c.status).where(integrations.c.key == key).with_for_update()
    ).scalar_one_or_none()
    connection.execute(delete(bill_sessions).where(bill_sessions.c.integration == key))
    if found is None or found == status:
        return None
    how = left(key, found)
    if how is not None and found == Status.FORGETTING:
        raise Disconnected(key, how)
    values = {"credentials": None, "status": status, "status_code": None, "status_message": None, "updated_at": now}
    connection.execute(update(integrations).where(integrations.c.key == key).values(values))
    return str(found)


def tables_with_data(warehouse: Warehouse) -> list[Table]:
    """Every table that holds rows of integrations, but for the audit log: its entries are erased, not deleted."""
    declared = [*metadata.sorted_tables, *warehouse.mirror.metadata.sorted_tables]
    return [table for table in declared if "integration" in table.c and table is not audit_log]


def contents(warehouse: Warehouse, connection: Connection, key: str) -> dict[str, int]:
    """Rows of the integration by table, those with any."""
    counted = {
        str(table.name): connection.scalar(select(func.count()).select_from(table).where(table.c.integration == key))
        or 0
        for table in tables_with_data(warehouse)
    }
    own = connection.scalar(select(func.count()).select_from(integrations).where(integrations.c.key == key)) or 0
    return {name: rows for name, rows in {**counted, integrations.name: own}.items() if rows}


def begin_forgetting(warehouse: Warehouse, key: str, actor: Actor, now: datetime) -> None:
    """Forgets the credentials and marks the integration, so that nothing but forgetting it is possible any more."""
    with warehouse.write() as connection:
        before = _drop_credentials(connection, key, Status.FORGETTING, now)
        if before is not None:
            change = Decision(What.FORGETTING, key, key, {"status": before}, {"status": Status.FORGETTING})
            audit.record_all(connection, actor, [change], now)


def forget(
    warehouse: Warehouse,
    key: str,
    actor: Actor,
    now: datetime,
    *,
    elsewhere: Callable[[], dict[str, int]] = dict,
) -> Forgotten:
    """Deletes every row of the integration, in transactions of a bounded size, its own row last.

    Interrupted anywhere, it can be begun again and ends the same.

    Args:
        warehouse: Where.
        key: The integration; :func:`begin_forgetting` has marked it.
        actor: Who decided.
        now: When.
        elsewhere: Deletes what is kept of it outside of this database, before the integration itself goes; returns
            what it deleted, for the audit log.
    """
    rows = {str(table.name): _empty(warehouse, table, key) for table in tables_with_data(warehouse)}
    deleted_elsewhere = elsewhere()
    with warehouse.write() as connection:
        gone = connection.execute(delete(integrations).where(integrations.c.key == key)).rowcount
        rows = {name: deleted for name, deleted in {**rows, integrations.name: gone}.items() if deleted}
        erased = audit.erase(connection, key)
        audit.record(
            connection,
            actor=actor,
            what=What.FORGOTTEN,
            subject=key,
            after={"erased_entries": erased, "rows": rows, **deleted_elsewhere},
            now=now,
        )
    return Forgotten(rows, sum(last - first + 1 for first, last in erased))


def _empty(warehouse: Warehouse, table: Table, key: str) -> int:
    identity = list(table.primary_key)
    some = select(*identity).where(table.c.integration == key).limit(_ROWS_AT_ONCE)
    # On both databases a row of columns can be looked up in a query's rows.
    statement = delete(table).where(table.c.integration == key, tuple_(*identity).in_(some))
    total = 0
    while True:
        with warehouse.write() as connection:
            deleted = connection.execute(statement).rowcount
        total += deleted
        if deleted < _ROWS_AT_ONCE:
            return total


def remains_in_free_space(warehouse: Warehouse) -> str:
    """Where deleted rows may still be found in the database's own files, and what overwrites them."""
    if warehouse.file is None:
        return (
            "deleted rows in PostgreSQL's files until they are used again (VACUUM FULL rewrites them at once), and in "
            "archived WAL"
        )
    return (
        "deleted rows in free parts of the SQLite file, because another process used it or the disk is full: stop "
        f"Dagster, then sqlite3 {warehouse.file} 'VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'"
    )
