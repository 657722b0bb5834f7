"""Where things are and how they are opened: the database, its key, and Dagster's home folder.

The command, the Dagster resources and the checks all open things here, so that they mean the same by the same settings.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from billcom_assets import private_files
from billcom_assets.documents.files import VARIABLE as DOCUMENTS_VARIABLE
from billcom_assets.documents.files import DocumentFiles
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.integrations import CredentialCheck, Integrations
from billcom_assets.warehouse.keys import find_seal
from billcom_assets.warehouse.sealing import Seal
from billcom_assets.warehouse.sqlite_file import BESIDE, key_file, lock_folder, new_key_file, sqlite_file

DATABASE_VARIABLE = "BILLCOM_DATABASE_URL"
HOME_VARIABLE = "DAGSTER_HOME"
DEFAULT_HOME = ".billcom"
DATABASE_FILE = "billcom.db"
DOCUMENTS_FOLDER = "documents"
UI_FILE = "ui-address"
"""Where the Dagster UI of a home is served."""
UI_LOCK_FILE = "ui-address.lock"
"""Held by whoever serves it."""
INSTANCE_FILE = "dagster.yaml"
"""The settings of the Dagster instance, in its home."""
_DAGSTERS = (
    INSTANCE_FILE,
    "workspace.yaml",
    "history",
    "schedules",
    "storage",
    "logs",
    ".logs_queue",
    ".telemetry",
    UI_FILE,
    UI_LOCK_FILE,
    DOCUMENTS_FOLDER,
)
"""What Dagster, its UI and we read and keep in the home, beside the database."""


def database_url() -> str:
    """``BILLCOM_DATABASE_URL``, else the SQLite file ``billcom.db`` in :func:`home_folder`."""
    given = os.environ.get(DATABASE_VARIABLE, "").strip()
    # Rendered rather than glued: a folder's name may hold characters that mean something in a URL.
    default = URL.create("sqlite", database=str(home_folder() / DATABASE_FILE))
    return given or default.render_as_string(hide_password=False)


def database_file() -> Path | None:
    """The SQLite file in use, perhaps not there yet; None where the database is no file."""
    try:
        url = make_url(database_url())
    except ArgumentError:
        return None
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return sqlite_file(url).absolute() if is_file else None


def database_kind() -> str:
    """``sqlite`` or ``postgresql``, by the address alone."""
    return "postgresql" if database_url().startswith("postgres") else "sqlite"


def open_database() -> Warehouse:
    """The company's database, its tables up to date.

    Raises:
        WarehouseError: it cannot be reached, written or upgraded.
    """
    return open_warehouse(database_url())


def seal_for(warehouse: Warehouse) -> Seal:
    """What seals the credentials and sessions of this database.

    Raises:
        WarehouseError: ``BILLCOM_SECRET_KEY`` is malformed, or missing on PostgreSQL.
    """
    return find_seal(warehouse.engine.url)


def credential_check(warehouse: Warehouse) -> CredentialCheck:
    """Finds out whether stored credentials can be used; without the key it can say only that. Makes no key file."""
    try:
        return CredentialCheck(Integrations(find_seal(warehouse.engine.url, make=False)))
    except WarehouseError as missing:
        return CredentialCheck(unchecked=str(missing))


def document_files() -> DocumentFiles:
    """``BILLCOM_DOCUMENTS_DIR``, else the folder ``documents`` in :func:`home_folder`.

    Raises:
        WarehouseError: what it takes to reach it is not installed.
    """
    given = os.environ.get(DOCUMENTS_VARIABLE, "").strip()
    return DocumentFiles.at(given or str(home_folder() / DOCUMENTS_FOLDER))


def home_folder() -> Path:
    """``DAGSTER_HOME``, else ``.billcom`` in the working folder; absolute, perhaps not there yet."""
    return Path(os.environ.get(HOME_VARIABLE, "").strip() or DEFAULT_HOME).expanduser().absolute()


def dagster_home() -> Path:
    """:func:`home_folder`, made ready: it exists, has a ``dagster.yaml``, and ``DAGSTER_HOME`` names it.

    A home that is made here is its owner's alone, so that nothing below it can be reached by others, whatever Dagster
    makes there. One that exists keeps its rights, which somebody may have given it on purpose; what is made in it is
    the owner's alone all the same. Several users of one machine share through PostgreSQL, not through files.

    Raises:
        WarehouseError: the folder cannot be made or written.
    """
    home = home_folder()
    try:
        private_files.make_folder(home)
        _write_settings(home / INSTANCE_FILE)
    except OSError as error:
        raise WarehouseError(
            f"The folder {home} cannot be made ready for Dagster: {error.strerror}.",
            f"Set {HOME_VARIABLE} to a folder that you may write to.",
        ) from None
    os.environ[HOME_VARIABLE] = str(home)
    return home


def is_needed(path: Path, url: URL) -> bool:
    """Whether a file is one that this program or Dagster needs, by whatever name it is reached.

    Args:
        path: Any file, perhaps not there yet.
        url: The database in use: its file, those beside it, its key and its locks are needed.
    """
    needed = [home_folder() / name for name in _DAGSTERS]
    if url.get_backend_name() == "sqlite":
        database = sqlite_file(url)
        needed += [database.with_name(database.name + ending) for ending in ("", *BESIDE)]
        needed += [key_file(url), new_key_file(url), lock_folder(url)]
    needed_paths = {path for one in needed for path in (one.absolute(), one.resolve())}
    wanted = path.resolve()
    return any(_is_same(above, one) for above in (wanted, *wanted.parents) for one in needed_paths)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _write_settings(path: Path) -> None:
    if path.exists():
        return
    try:
        private_files.create(path, _instance_settings())
    except FileExistsError:
        # Another process was first; or it is a link to nothing, with which Dagster would go by other settings.
        if not path.exists():
            raise


def _instance_settings() -> bytes:
    """The shipped ``dagster.yaml``: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parent
    shipped = package / INSTANCE_FILE
    source = shipped if shipped.exists() else package.parent / INSTANCE_FILE
    return source.read_bytes()
