"""Backups as ``docs/operating.md`` makes them, with the databases' own tools."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from billcom_assets_tests.postgres import PSQL, Postgres

SQLITE = shutil.which("sqlite3")


def back_up(url: str, file: Path) -> None:
    """While others may read and write."""
    if url.startswith("sqlite"):
        assert SQLITE is not None
        run(SQLITE, str(make_url(url).database), f".backup '{file}'")
    else:
        run(_tool("pg_dump"), "--format=custom", f"--file={file}", url)


def restore(file: Path, folder: Path, postgres: Postgres | None) -> str:
    """Into a database that was not there before; gives its URL."""
    if postgres is None:
        folder.mkdir()
        shutil.copy(file, folder / "billcom.db")
        return f"sqlite:///{folder / 'billcom.db'}"
    url = postgres.create(template=None)
    run(_tool("pg_restore"), "--exit-on-error", f"--dbname={url}", str(file))
    return url


def _tool(name: str) -> str:
    """The newest there is: an older one refuses the server."""
    found = PSQL.parents[2].glob(f"*/bin/{name}")
    return max(map(str, found), key=lambda tool: int(run(tool, "--version").split()[-1].partition(".")[0]))


def run(*command: str) -> str:
    """What the command printed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
