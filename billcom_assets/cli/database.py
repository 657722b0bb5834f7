"""The database of the command that runs."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from billcom_assets.cli.failures import CommandFailed, ExitCode
from billcom_assets.environment import DATABASE_VARIABLE, HOME_VARIABLE, database_file, open_database
from billcom_assets.redaction.close_matches import listed
from billcom_assets.status.integrations import every_integration
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError

_BEGIN = ("billcom connect KEY", "billcom demo")
"""The commands that make a database."""


def opened(*, make: bool = False) -> Warehouse:
    """The company's database, closed when the command ends.

    Args:
        make: Whether a SQLite database that is not there yet is made; of a mistyped folder nobody wants an empty one.

    Raises:
        CommandFailed: there is none.
        WarehouseError: it cannot be used.
    """
    file = database_file()
    if not make and file is not None and not file.exists():
        raise _missing(file)
    return click.get_current_context().with_resource(closing(open_database()))


def known_keys() -> str:
    """The integrations there are, in a sentence with a space before it; empty where nobody can know."""
    file = database_file()
    if file is not None and not file.exists():
        return ""
    try:
        with closing(open_database()) as warehouse, warehouse.read() as connection:
            keys = [one.key for one in every_integration(connection)]
    except (WarehouseError, SQLAlchemyError):
        return ""
    return f" There is: {listed(keys)}." if keys else " There is none yet."


def _missing(file: Path) -> CommandFailed:
    if os.environ.get(DATABASE_VARIABLE, "").strip():
        looked = f"{DATABASE_VARIABLE} names it"
    elif os.environ.get(HOME_VARIABLE, "").strip():
        looked = f"{HOME_VARIABLE} names its folder"
    else:
        looked = f"neither {DATABASE_VARIABLE} nor {HOME_VARIABLE} is set, so it would be in the working folder"
    return CommandFailed(
        f"There is no database {file}: {looked}. Change to the folder that it is in, or set {DATABASE_VARIABLE} or "
        f"{HOME_VARIABLE}. To make a new one here: {' or '.join(_BEGIN)}",
        ExitCode.WRONG_USE,
        database=str(file),
        next_steps=_BEGIN,
    )
