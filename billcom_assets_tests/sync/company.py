"""An organization of the simulated BILL, and syncing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from billcom_assets.bill.client import BillClient, CallEvent
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.session import MemorySessionStore, SessionStore
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import Organization, SandboxServer
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import Counts, PullKind, PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import Warehouse

INTEGRATION = "acme-us"
QUICK = RetryPolicy(initial=0.001, maximum=0.01)


@dataclass
class Company:
    """One organization, and the session that its syncs share."""

    server: SandboxServer
    number: int = 0
    integration: str = INTEGRATION
    sessions: SessionStore = field(default_factory=MemorySessionStore)
    on_event: Callable[[CallEvent], None] | None = None
    """Hears of every request."""

    @property
    def organization(self) -> Organization:
        """The truth."""
        return self.server.world.organizations[self.number]

    def credentials(self) -> Credentials:
        """Its administrator's."""
        login = self.organization.user
        return Credentials(
            self.organization.id,
            login.username,
            login.password,
            "sandbox-dev-key",
            base_url=self.server.base_url,
            v2_base_url=self.server.v2_base_url,
        )

    @contextmanager
    def client(self) -> Iterator[BillClient]:
        """A client in the sandbox's own time, which does not wait long."""
        clock = self.server.clock.now
        with BillClient(
            self.credentials(),
            integration=self.integration,
            sessions=self.sessions,
            budget=MemoryBudget(clock, requests=1_000_000),
            retry=QUICK,
            clock=clock,
            on_event=self.on_event,
        ) as client:
            yield client

    @contextmanager
    def connected(self, warehouse: Warehouse, **options: Any) -> Iterator[Sync]:
        """A run of the company's integration; ``options`` go to ``Sync``."""
        with self.client() as client:
            given = {"catalog": CATALOG, "clock": self.server.clock.now} | options
            yield Sync(warehouse=warehouse, client=client, integration=self.integration, **given)

    def sync(
        self,
        warehouse: Warehouse,
        *,
        only: Sequence[str] = (),
        refresh: bool = False,
        wait_seconds: float = 0,
        **options: Any,
    ) -> list[PullReport]:
        """Brings every entity (or ``only`` some) up to date in a run of its own."""
        planned = [entity.name for entity in options.get("catalog", CATALOG) if not only or entity.name in only]
        with self.connected(warehouse, planned=planned, **options) as sync, sync.alone(wait_seconds):
            return pull_all(sync, only=only, refresh=refresh)


def pull_all(sync: Sync, *, only: Sequence[str] = (), refresh: bool = False) -> list[PullReport]:
    """Pulls the entities in sync order; v2's lists unless v2 has refused."""
    wanted = [entity for entity in sync.catalog if not only or entity.name in only]
    reports: list[PullReport] = []
    for entity in wanted:
        if sync.asks_v2 or not entity.is_of_v2:
            reports += pull(sync, entity, refresh=refresh)
    return reports


def total(reports: Sequence[PullReport]) -> Counts:
    """The counts of all that were read from v3."""
    counts = Counts()
    for report in reports:
        if report.kind is not PullKind.V2:
            counts.add(report.counts)
    return counts


def let_business_happen(company: Company, changes: int, seed: int) -> None:
    """Changes spread over some hours, as in a company's day; the sandbox's clock moves with them."""
    step = 25
    for part in range(0, changes, step):
        company.server.clock.advance(timedelta(minutes=11))
        company.server.sandbox.change(
            min(step, changes - part), seed * 1_000 + part, organization=company.organization.id
        )
    company.server.clock.advance(timedelta(minutes=11))
