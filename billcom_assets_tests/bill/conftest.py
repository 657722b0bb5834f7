from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets_tests.bill.scripted import DEV_KEY, ORGANIZATION, PASSWORD, USERNAME, ScriptedBill, scripted_bill


@dataclass
class MovableClock:
    """A clock that only moves when told."""

    now: datetime = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Waits:
    """Stands in for ``time.sleep`` and remembers."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def scripted() -> Iterator[tuple[ScriptedBill, str]]:
    with scripted_bill() as both:
        yield both


@pytest.fixture
def bill(scripted: tuple[ScriptedBill, str]) -> ScriptedBill:
    return scripted[0]


@pytest.fixture
def credentials(scripted: tuple[ScriptedBill, str]) -> Credentials:
    return Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=scripted[1])


@pytest.fixture
def connect(credentials: Credentials, clock: MovableClock, waits: Waits) -> Iterator[Callable[..., BillClient]]:
    """Makes clients of the scripted BILL, closed at the end."""
    opened: list[BillClient] = []

    def make(**options: Any) -> BillClient:
        defaults: dict[str, Any] = {"integration": "acme-us", "clock": clock, "retry": RetryPolicy(sleep=waits)}
        opened.append(BillClient(options.pop("credentials", credentials), **defaults | options))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(connect: Callable[..., BillClient]) -> BillClient:
    return connect()
