from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.sync.company import Company

Serve = Callable[..., Company]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts simulated BILLs; gives the company in each."""
    with ExitStack() as stack:

        def start(*, bills: int = 150, orgs: int = 1, **settings: Any) -> Company:
            return Company(stack.enter_context(SandboxServer(Settings(bills=bills, orgs=orgs, **settings))))

        yield start


@pytest.fixture
def company(serve: Serve) -> Company:
    """A small company of the test's own."""
    return serve()
