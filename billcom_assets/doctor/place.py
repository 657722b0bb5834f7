"""The installation that is looked at: opened without changing it, each part once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import dagster as dg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from billcom_assets.environment import INSTANCE_FILE, credential_check, database_file, database_url, home_folder
from billcom_assets.resources import keep_connections
from billcom_assets.status.integrations import IntegrationStatus, every_integration
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.engine import Warehouse, connect, unusable
from billcom_assets.warehouse.errors import WarehouseError, describe
from billcom_assets.warehouse.integrations import CredentialCheck
from billcom_assets.warehouse.migrate import is_up_to_date
from billcom_assets.warehouse.waits import Waits

T = TypeVar("T")
MEBIBYTE: Final = 1024 * 1024
_PATIENCE: Final = Waits(lock_seconds=0.5)
"""Whoever locks the database for longer is worth a finding. SQLite waits six times as long."""


class Unavailable(Exception):
    """Something that another check reports as broken; the text says what."""


@dataclass(frozen=True)
class Limits:
    """From where on something is worth a finding."""

    free_bytes: int = 1024 * MEBIBYTE
    """Less free disk space is a warning."""
    least_free_bytes: int = 128 * MEBIBYTE
    """With less, writing is about to fail."""
    queued_seconds: float = 1_800
    """A run may wait so long for another one of its integration."""
    skew_seconds: float = 30
    """BILL's clock may differ by so much: its Date header has whole seconds, and answers travel."""
    broken_skew_seconds: float = 300
    """From here on the clock hours of BILL's limits are not ours any more."""


@dataclass
class Place:
    """The database and Dagster instance that the environment names.

    Args:
        now: The time, UTC.
        stack: Closes what is opened.
        limits: From where on something is worth a finding.
        debug: Exceptions that nobody expected are raised.
    """

    now: datetime
    stack: ExitStack
    limits: Limits = field(default_factory=Limits)
    debug: bool = False

    @property
    def home(self) -> Path:
        """Dagster's home folder, perhaps not there."""
        return home_folder()

    @cached_property
    def engine(self) -> Engine:
        """The database's engine; nothing was asked of it yet.

        Raises:
            WarehouseError: the address cannot be used, or the SQLite file is not there.
        """
        file = database_file()
        if file is not None and not file.exists():
            # SQLite would make an empty one.
            raise WarehouseError(
                f"There is no database {file}.",
                "Set BILLCOM_DATABASE_URL or DAGSTER_HOME to where it is; to make one: billcom connect KEY, or "
                "billcom demo.",
            )
        engine = connect(database_url(), _PATIENCE)
        self.stack.callback(engine.dispose)
        return engine

    @property
    def opened(self) -> Warehouse:
        """The database, which can be reached; its tables may be of another version.

        Raises:
            WarehouseError: it cannot be reached.
        """
        return _or_raise(self._opened)

    @cached_property
    def _opened(self) -> Warehouse | Exception:
        return _tried(self._open)

    def _open(self) -> Warehouse:
        engine = self.engine
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1 FROM sqlite_master" if engine.name == "sqlite" else "SELECT 1"))
        except DBAPIError as error:
            raise unusable(engine, error) from None
        return Warehouse(engine, catalog_mirror(), _PATIENCE, ())

    @cached_property
    def is_up_to_date(self) -> bool:
        """Whether the tables and views are those of this version."""
        return is_up_to_date(self.opened.engine, self.opened.mirror)

    @property
    def warehouse(self) -> Warehouse:
        """The database with the tables of this version.

        Raises:
            Unavailable: it cannot be used as it is.
        """
        try:
            if self.is_up_to_date:
                return self.opened
        except WarehouseError:
            raise Unavailable("Not looked at: the database cannot be used.") from None
        except DBAPIError as error:
            raise Unavailable(f"Not looked at: {describe(error)}") from None
        raise Unavailable("Not looked at: the tables are not those of this version.")

    @property
    def credential_check(self) -> CredentialCheck:
        """Opens credentials where the key is at hand; makes no key."""
        return credential_check(self.warehouse)

    @cached_property
    def integrations(self) -> list[IntegrationStatus]:
        """Those that are in use."""
        with self.warehouse.read() as connection:
            return [one for one in every_integration(connection) if one.left is None]

    def read(self) -> Connection:
        """A reading connection, closed at the end."""
        return self.stack.enter_context(self.warehouse.read())

    @property
    def loaded(self) -> dg.DagsterInstance:
        """The Dagster instance of the home folder.

        Raises:
            WarehouseError: there is none.
            Exception: whatever Dagster raises for one that it cannot load.
        """
        return _or_raise(self._loaded)

    @cached_property
    def _loaded(self) -> dg.DagsterInstance | Exception:
        return _tried(self._load)

    def _load(self) -> dg.DagsterInstance:
        if not (self.home / INSTANCE_FILE).is_file():
            # Dagster would go on with settings of its own, without any limit.
            raise WarehouseError(
                f"There is no {INSTANCE_FILE} in {self.home}.",
                "Set DAGSTER_HOME to the folder that has it; a new one is made by billcom connect KEY, or billcom "
                "demo.",
            )
        instance = self.stack.enter_context(dg.DagsterInstance.from_config(str(self.home)))
        keep_connections(instance)
        return instance

    @property
    def instance(self) -> dg.DagsterInstance:
        """The same, for checks of what is in it.

        Raises:
            Unavailable: it cannot be loaded.
        """
        try:
            return self.loaded
        except Exception:  # noqa: BLE001 - the instance's own check says which
            raise Unavailable("Not looked at: the Dagster instance cannot be opened.") from None


def _tried(make: Callable[[], T]) -> T | Exception:
    """What was made, or why it was not: a server that is away is waited for once, not by every check."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - raised where it is asked for
        return error


def _or_raise(made: T | Exception) -> T:
    if isinstance(made, Exception):
        raise made
    return made
