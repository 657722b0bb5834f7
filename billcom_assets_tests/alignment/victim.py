"""What runs in a process that a test kills; importable, so that a fork server can have it ready."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, event

from billcom_assets.alignment.applying import apply_plan
from billcom_assets.alignment.undoing import undo_plan
from billcom_assets.alignment.work import Work
from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets_tests.alignment.world import ADA, CONSENT, QUICK
from billcom_assets_tests.sync.company import INTEGRATION


@dataclass(frozen=True)
class Orders:
    """Where to write, and when to die."""

    database_url: str
    organization_id: str
    username: str
    password: str
    base_url: str
    v2_base_url: str
    now: datetime
    commit: int
    """The commit, from 1, that does not come about."""
    is_undo: bool = False


def write(orders: Orders) -> None:
    """Applies the approved plan, or undoes it."""
    who = Credentials(
        orders.organization_id,
        orders.username,
        orders.password,
        "sandbox-dev-key",
        base_url=orders.base_url,
        v2_base_url=orders.v2_base_url,
    )
    warehouse = open_warehouse(orders.database_url)
    with BillClient(who, integration=INTEGRATION, budget=MemoryBudget(), retry=QUICK) as client:
        sync = Sync(warehouse, client, CATALOG, INTEGRATION, clock=lambda: orders.now)
        commits: list[int] = []

        def die(_connection: Connection) -> None:
            commits.append(1)
            if len(commits) == orders.commit:
                os.kill(os.getpid(), signal.SIGKILL)

        with sync.alone(wait_seconds=10):
            event.listen(warehouse.engine, "commit", die)
            work = Work(sync, ADA, CONSENT, pauses=(0.0,))
            if orders.is_undo:
                undo_plan(work)
            else:
                apply_plan(work)
