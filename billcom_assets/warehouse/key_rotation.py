"""Sealing everything again under another key, so that it may be interrupted anywhere and begun again.

All rows change in one transaction. A value names the key that sealed it, so a second run leaves alone what the first
one did. With a key file the new key lies beside the old one until the rows are sealed with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import URL, Connection, Table, select

from billcom_assets.warehouse import audit, bill_access, integrations, tables
from billcom_assets.warehouse.audit import Actor, What
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.keys import KEY_LOCK, file_seal, find_seal, given_seal, replace_key_file
from billcom_assets.warehouse.sealing import KEY_VARIABLE, Purpose, Seal
from billcom_assets.warehouse.sqlite_file import key_file, new_key_file

OLD_KEY_VARIABLE = f"{KEY_VARIABLE}_OLD"
_LOCK_WAIT_SECONDS = 60


@dataclass(frozen=True)
class SealedColumn:
    """Where sealed values are stored."""

    table: Table
    key: str
    """Column that names the integration."""
    value: str
    what: str
    is_replaceable: bool = False
    """A value that cannot be opened is dropped, because the next run makes another."""


SEALED = (
    SealedColumn(tables.integrations, "key", "credentials", integrations.SEALED_AS),
    SealedColumn(tables.bill_sessions, "integration", "session", bill_access.SEALED_AS, is_replaceable=True),
)
"""All there are. Credentials first: whoever keeps a session looks at them first, too, and waits."""


@dataclass
class Rotation:
    """What a change of keys did."""

    key_id: str
    """Of the new key."""
    resealed: int = 0
    already: int = 0
    """Values that were sealed with the new key before."""
    dropped_sessions: int = 0
    """Sessions that could not be opened; the next run signs in again."""
    refused: dict[str, str] = field(default_factory=dict)
    """Integrations whose credentials could not be opened and were left as they are, and why."""


def rotate(warehouse: Warehouse, actor: Actor, environment: Mapping[str, str] | None = None) -> Rotation:
    """Seals everything that is sealed with the old key with the new one, all of it or nothing.

    The new key is ``BILLCOM_SECRET_KEY`` and the old one ``BILLCOM_SECRET_KEY_OLD``. On SQLite without
    either, a new key file is made and takes the place of the old one at the end.

    Args:
        warehouse: Its database.
        actor: Who rotates, for the audit log.
        environment: Variables instead of the process's own.

    Raises:
        WarehouseError: one of the keys is missing or malformed, or both are the same.
        Busy: another process is changing keys or credentials.
    """
    variables = os.environ if environment is None else environment
    with warehouse.exclusive(KEY_LOCK, wait_seconds=_LOCK_WAIT_SECONDS), _keys(warehouse.engine.url, variables) as keys:
        old, new = keys
        rotation = Rotation(new.key_id)
        with warehouse.write() as connection:
            for column in SEALED:
                _reseal(connection, column, old, new, rotation)
            if rotation.resealed:
                audit.record(
                    connection,
                    actor=actor,
                    what=What.KEY_ROTATED,
                    subject="secret key",
                    now=datetime.now(UTC),
                    before={"key": old.key_id},
                    after={"key": new.key_id},
                )
        warehouse.persist()
    return rotation


@contextmanager
def _keys(url: URL, variables: Mapping[str, str]) -> Iterator[tuple[Seal, Seal]]:
    """The old and the new key; at the end without an exception the new one is in place."""
    old, new = given_seal(OLD_KEY_VARIABLE, variables), given_seal(KEY_VARIABLE, variables)
    if old is None and new is None and url.get_backend_name() == "sqlite":
        path, aside = key_file(url), new_key_file(url)
        # The one in use first: without it no new one is made.
        yield file_seal(path, make=False), file_seal(aside, make=True)
        replace_key_file(path, aside)
        return
    if old is None:
        in_file = url.get_backend_name() == "sqlite" and key_file(url).exists()
        used = f"the content of {key_file(url)}" if in_file else "the key in use until now"
        raise WarehouseError(
            f"{OLD_KEY_VARIABLE} is not set, so there is no key to change from.",
            f"Set {OLD_KEY_VARIABLE} to {used} and {KEY_VARIABLE} to a new one (billcom keys make prints one).",
        )
    new = find_seal(url, variables)
    if old == new:
        raise WarehouseError(
            f"{OLD_KEY_VARIABLE} and {KEY_VARIABLE} are the same key.",
            f"Set {KEY_VARIABLE} to a new one (billcom keys make prints one).",
        )
    yield old, new


def _reseal(connection: Connection, column: SealedColumn, old: Seal, new: Seal, rotation: Rotation) -> None:
    t = column.table.c
    key, value = t[column.key], t[column.value]
    rows = connection.execute(select(key, value).where(value.is_not(None)).order_by(key).with_for_update()).all()
    for integration, before in rows:
        mine = key == integration
        try:
            after = _under(new, old, before, Purpose(column.what, integration))
        except WarehouseError as error:
            if column.is_replaceable:
                connection.execute(column.table.delete().where(mine))
                rotation.dropped_sessions += 1
            else:
                rotation.refused[integration] = str(error)
            continue
        if after == before:
            rotation.already += 1
            continue
        connection.execute(column.table.update().where(mine).values({column.value: after}))
        rotation.resealed += 1


def _under(new: Seal, old: Seal, sealed: str, purpose: Purpose) -> str:
    """The value sealed with the new key; raises WarehouseError when neither key opens it."""
    if old.sealed(sealed):
        return new.close(old.open(sealed, purpose), purpose)
    new.open(sealed, purpose)
    return sealed
