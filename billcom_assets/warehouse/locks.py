"""Locks between processes that cannot outlive their holder: advisory locks on PostgreSQL, file locks beside SQLite."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from billcom_assets import private_files
from billcom_assets.warehouse.errors import Busy, WarehouseError
from billcom_assets.warehouse.sqlite_file import lock_folder

_POLL_SECONDS = 0.2


@contextmanager
def exclusive(engine: Engine, name: str, *, wait_seconds: float) -> Iterator[None]:
    """Holds the lock called ``name``; raises Busy when somebody else keeps it for longer than ``wait_seconds``."""
    holder = _advisory if engine.dialect.name == "postgresql" else _file
    with holder(engine, name, wait_seconds):
        yield


def _busy(name: str) -> Busy:
    return Busy(f"Another process is busy with {name}.", "Wait until it has ended, then try again.")


@contextmanager
def _file(engine: Engine, name: str, wait_seconds: float) -> Iterator[None]:
    folder = lock_folder(engine.url)
    # A digest, because the name may hold what a file name may not.
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.lock"
    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        private_files.make_own_folder(folder)
        lock.acquire(timeout=wait_seconds, poll_interval=_POLL_SECONDS)
    except Timeout:
        raise _busy(name) from None
    except OSError as error:
        raise WarehouseError(
            f"Nothing can be locked in {folder}: {error.strerror}.", "Make that a folder of your own, or remove it."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory(engine: Engine, name: str, wait_seconds: float) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(f"billcom:{name}".encode()).digest()[:8], "big", signed=True)
    # A connection of its own: the lock lives exactly as long as the server sees this connection.
    lone = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with lone.connect() as connection:
        deadline = time.monotonic() + wait_seconds
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            if time.monotonic() >= deadline:
                raise _busy(name)
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            # With the connection the lock is gone, too; whoever writes under it finds that out by the fence.
            with suppress(DBAPIError):
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
