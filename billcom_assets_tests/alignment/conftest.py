from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from billcom_assets.sandbox import Clock, SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.alignment.world import World

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(warehouse: Warehouse) -> Iterator[MakeWorld]:
    """Starts simulated BILLs beside the test's warehouse, their clocks at noon."""
    with ExitStack() as stack:

        def make(*, bills: int = 0, **settings: Any) -> World:
            server = SandboxServer(Settings(bills=bills, orgs=1, **settings), clock=Clock(NOON, source=lambda: 0.0))
            return World(stack.enter_context(server), warehouse)

        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A company in whose BILL and ledger the same chart stands."""
    made = make_world()
    made.copy_chart()
    return made
