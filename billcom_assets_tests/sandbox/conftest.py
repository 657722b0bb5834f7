from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from billcom_assets.sandbox import Clock, SandboxServer, Settings
from billcom_assets_tests.sandbox.api import Api

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
Serve = Callable[..., Api]


@pytest.fixture(scope="module")
def company() -> Iterator[Api]:
    """A company of ordinary size that a module reads and does not change."""
    with SandboxServer(Settings(bills=300)) as server:
        yield Api(server).log_in()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts small sandboxes, with a clock that stands at noon; gives a caller that is logged in."""
    with ExitStack() as stack:

        def start(*, log_in: bool = True, bills: int = 40, **settings: Any) -> Api:
            clock = Clock(NOON, source=lambda: 0.0)
            server = stack.enter_context(SandboxServer(Settings(bills=bills, **settings), clock=clock))
            api = Api(server)
            return api.log_in() if log_in else api

        yield start
