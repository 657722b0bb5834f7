"""Where Dagster keeps runs and events: SQLite under DAGSTER_HOME, or PostgreSQL when the environment names one.

YAML can neither branch nor give an environment variable a default, so ``dagster.yaml`` names this class.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from billcom_assets.dagster_internals import (
    ConfigurableClass,
    ConfigurableClassData,
    DagsterSqliteStorage,
    DagsterStorage,
)
from billcom_assets.environment import home_folder
from billcom_assets.private_files import restrict_umask
from billcom_assets.warehouse.address import read_address
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tls import refusal, with_tls

URL_VARIABLE = "BILLCOM_DAGSTER_DATABASE_URL"


class EnvironmentStorage(DagsterStorage, ConfigurableClass):
    """Resolves to Dagster's own PostgreSQL or SQLite storage; nothing of it is ever instantiated."""

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """Always None: the instance holds the storage that ``from_config_value`` made."""
        return None

    @classmethod
    def config_type(cls) -> Any:
        """``base_dir``: folder of the SQLite files; the instance's own by default."""
        return {"base_dir": dg.Field(dg.StringSource, is_required=False)}

    @classmethod
    def from_config_value(  # type: ignore[override] # stands for the storage that the environment asks for
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """The storage that the environment asks for.

        Webserver, daemon, code server, run worker and our own command all come by here before Dagster writes a file.
        """
        restrict_umask()
        url = os.environ.get(URL_VARIABLE, "").strip()
        if url:
            # Dagster's storage speaks to psycopg2; a bare URL would pick another driver with newer SQLAlchemy.
            named = read_address(url, URL_VARIABLE).set(drivername="postgresql+psycopg2")
            return _on_postgresql(with_tls(named), inst_data)
        base = config_value.get("base_dir") or str(home_folder())
        return DagsterSqliteStorage.from_local(base, inst_data=inst_data)


def _on_postgresql(url: URL, inst_data: ConfigurableClassData | None) -> DagsterStorage:
    try:
        return DagsterPostgresStorage(url.render_as_string(hide_password=False), inst_data=inst_data)
    except DagsterPostgresException as error:
        refused = refusal(error.__cause__, URL_VARIABLE) if isinstance(error.__cause__, DBAPIError) else None
        if refused is None:
            raise
        raise WarehouseError(f"The server in {URL_VARIABLE} cannot be trusted: {refused[0]}.", refused[1]) from None
