"""Runs that a command carries out in its own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from billcom_assets.warehouse.engine import Warehouse

COMMAND_TAG = "billcom/launched_by"
COMMAND = "command"


@contextmanager
def holding(warehouse: Warehouse, integration: str) -> Iterator[None]:
    """What a command holds while it carries out a run; freed when the process ends, however it ends.

    Raises:
        Busy: another command is running this integration.
    """
    with warehouse.exclusive(f"run of {integration}"):
        yield
