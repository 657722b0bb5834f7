"""Working on the books of an integration while no sync does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from billcom_assets.clock import utc_now
from billcom_assets.sync.fence import Fence
from billcom_assets.sync.run import lock_name
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.known_integrations import require_integration

_WAIT_SECONDS: Final = 10


@contextmanager
def alone(warehouse: Warehouse, integration: str, clock: Callable[[], datetime] = utc_now) -> Iterator[Fence]:
    """Keeps syncs of the integration, which post, out; gives what tells whether one has taken over all the same.

    Raises:
        UnknownIntegration: there is no such integration.
        Busy: a sync goes on for longer than a moment.
    """
    with warehouse.read() as connection:
        require_integration(connection, integration)
    fence = Fence(integration)
    with warehouse.exclusive(lock_name(integration), wait_seconds=_WAIT_SECONDS):
        with warehouse.write() as connection:
            fence.raise_up(connection, clock())
        yield fence
