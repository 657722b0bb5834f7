"""Where the Dagster UI of this home is served: for the page of a run, and so that nobody serves a second one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from billcom_assets import private_files
from billcom_assets.environment import UI_FILE, UI_LOCK_FILE, home_folder

_GLANCE_SECONDS = 0.5
"""Longer than another command holds the lock to see whether it is free."""


class AlreadyServed(Exception):
    """The UI of this home is served by another process; the text is its address, empty before it has one."""


@contextmanager
def claimed() -> Iterator[Callable[[str], None]]:
    """Keeps others from serving this home's UI; yields what records its address until the end.

    The lock is freed when the process ends, however it ends.

    Raises:
        AlreadyServed: another process does.
    """
    lock = _lock()
    try:
        lock.acquire(timeout=_GLANCE_SECONDS)
    except Timeout:
        raise AlreadyServed(_read() or "") from None
    try:
        _file().unlink(missing_ok=True)
        yield lambda address: private_files.replace(_file(), address.encode())
    finally:
        with suppress(OSError):
            _file().unlink(missing_ok=True)
        lock.release()


def served_at() -> str | None:
    """Address of the UI; None when none is served."""
    address = _read()
    return address if address and _is_claimed() else None


def page_of(run_id: str) -> str | None:
    """Address of the run's page; None when no UI is served."""
    address = served_at()
    return f"{address}/runs/{run_id}" if address else None


def where(run_id: str) -> str:
    """How a person gets to the run's page."""
    return page_of(run_id) or f"/runs/{run_id} in the Dagster UI, which billcom ui serves"


def _lock() -> FileLock:
    return FileLock(home_folder() / UI_LOCK_FILE, mode=0o600, thread_local=False)


def _file() -> Path:
    return home_folder() / UI_FILE


def _read() -> str | None:
    try:
        return private_files.read(_file())
    except (OSError, ValueError, private_files.ReadableByOthers):
        return None


def _is_claimed() -> bool:
    """Whether the process lives that has recorded the address: one that was killed leaves its file behind."""
    try:
        with _lock().acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False
