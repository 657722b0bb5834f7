"""Where the Dagster UI of this home is served, so that other commands can name the page of a run."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from billcom_assets import private_files
from billcom_assets.environment import UI_FILE, home_folder

_ANSWERS_SECONDS = 0.5


@contextmanager
def recorded(address: str) -> Iterator[None]:
    """Keeps the address in the home folder as long as the UI is served."""
    file = _file()
    with suppress(OSError):
        file.unlink(missing_ok=True)
        private_files.create(file, address.encode())
    try:
        yield
    finally:
        # The file of another process that serves by now stays.
        if _read(file) == address:
            with suppress(OSError):
                file.unlink()


def page_of(run_id: str) -> str | None:
    """Address of the run's page; None when no UI is served."""
    address = _read(_file())
    return f"{address}/runs/{run_id}" if address is not None and _answers(address) else None


def where(run_id: str) -> str:
    """How a person gets to the run's page."""
    return page_of(run_id) or f"/runs/{run_id} in the Dagster UI, which billcom ui serves"


def _file() -> Path:
    return home_folder() / UI_FILE


def _read(file: Path) -> str | None:
    try:
        return private_files.read(file)
    except (OSError, ValueError, private_files.ReadableByOthers):
        return None


def _answers(address: str) -> bool:
    """Whether anybody listens there: a process that was killed leaves its file behind."""
    try:
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_ANSWERS_SECONDS):
            return True
    except (OSError, ValueError):
        return False
