"""Bringing a database up to date without losing data and without keeping others from working.

An upgrade has two halves. The first, ``structure``, brings what this version cannot work without: tables and columns,
in short transactions, each repeated while readers are in its way and given up with an error in words when they stay
there. The second, ``finishing``, fills new columns from the stored payloads, makes indexes on tables in use and
replaces views. It goes on while others read and sync; what is in its way is left for the next opening.
``mirror_parts`` says what is still to be done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import Dialect, Engine, inspect, select

from billcom_assets.warehouse import analysts, locks, parts, revisions
from billcom_assets.warehouse.errors import Busy
from billcom_assets.warehouse.finishing import Finishing
from billcom_assets.warehouse.managed_views import ManagedView
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.tables import SCHEMA, mirror_schema
from billcom_assets.warehouse.views import managed_views
from billcom_assets.warehouse.waits import Waits

_LOCK_WAIT_SECONDS = 120


def migrate(engine: Engine, mirror: Mirror, waits: Waits) -> tuple[str, ...]:
    """Creates or upgrades every table and view; does nothing when they are up to date.

    A pull may run while another process finishes an upgrade: what it writes has the new columns, and the fill leaves
    such rows alone. Until then the new columns of other rows are empty.

    Returns:
        In words, what stays as it was or is left for the next opening.

    Raises:
        Busy: tables that have to change stay locked, or another process is changing them.
        WarehouseError: they have to change, and the database user may not change them.
    """
    dialect: Callable[[], Dialect] = type(engine.dialect)
    views, fingerprint = _wanted(dialect, mirror)
    notices: list[str] = []
    if not _is_in_place(engine, fingerprint):
        from billcom_assets.warehouse.structure import Structure  # noqa: PLC0415 - imports Alembic, for upgrades alone

        with locks.exclusive(engine, "migration", wait_seconds=_LOCK_WAIT_SECONDS):
            if not _is_in_place(engine, fingerprint):
                notices += Structure(engine, mirror, views, waits).bring_in_place(fingerprint)
    return (*notices, *_finish(engine, mirror, views, waits))


def is_up_to_date(engine: Engine, mirror: Mirror) -> bool:
    """Whether tables and views are those of this version, as far as :func:`migrate` would leave them alone.

    Raises:
        DBAPIError: the database cannot be read.
    """
    dialect: Callable[[], Dialect] = type(engine.dialect)
    return _is_in_place(engine, _wanted(dialect, mirror)[1])


@lru_cache(maxsize=4)  # a daemon's process opens the same database again and again
def _wanted(dialect: Callable[[], Dialect], mirror: Mirror) -> tuple[tuple[ManagedView, ...], str]:
    """The views, and the digest of everything that the database is to be like."""
    views = tuple(managed_views(dialect(), mirror))
    definitions = [(view.schema, view.name, view.definition) for view in views]
    return views, hashlib.sha256(repr((analysts.fingerprint(mirror), definitions)).encode()).hexdigest()


def _is_in_place(engine: Engine, fingerprint: str) -> bool:
    schema = SCHEMA if engine.dialect.name == "postgresql" else None
    with engine.connect() as connection:
        return (
            inspect(connection).has_table("mirror_schema", schema=schema)
            and revisions.current(connection) == revisions.head()
            and connection.scalar(select(mirror_schema.c.fingerprint)) == fingerprint
        )


def _finish(engine: Engine, mirror: Mirror, views: tuple[ManagedView, ...], waits: Waits) -> list[str]:
    with engine.connect() as connection:
        left = parts.unfinished(connection)
    if not left:
        return []
    try:
        with locks.exclusive(engine, "the end of an upgrade", wait_seconds=0):
            return Finishing(engine, mirror, views, waits).run()
    except Busy:
        names = ", ".join(part.name for part in left)
        return [
            f"Another process is finishing an upgrade ({names}). Until it has ended, new columns are empty in some "
            "rows."
        ]
