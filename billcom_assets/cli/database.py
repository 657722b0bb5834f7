"""The database of the command that runs."""

from __future__ import annotations

from contextlib import closing

import click

from billcom_assets.environment import open_database
from billcom_assets.warehouse.engine import Warehouse


def opened() -> Warehouse:
    """The company's database, closed when the command ends.

    Raises:
        WarehouseError: it cannot be used.
    """
    return click.get_current_context().with_resource(closing(open_database()))
