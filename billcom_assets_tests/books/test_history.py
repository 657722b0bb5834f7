"""Whatever happens in BILL and in the ledger, after every run the books are those of the second implementation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.books.posting import post
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.books_tables import ledger_entries, ledger_lines
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets_tests.books.comparison import follow
from billcom_assets_tests.books.ledger import POLICY, map_to, mirror_ledger, register, set_cutoff, set_policy
from billcom_assets_tests.books.reference import ReferenceBooks
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen

_RARE = (
    "void a payment",
    "archive a bill",
    "restore a bill",
    "edit a bill",
    "move a posting date",
    "merge two vendors",
    "decide on a vendor credit",
    "confirm a money movement",
    "void a money movement",
    "apply a vendor credit",
)


@pytest.fixture
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=120, orgs=1)) as server:
        yield Company(server)


@dataclass
class History:
    """A company whose books are followed step by step."""

    company: Company
    warehouse: Warehouse
    chance: random.Random
    cutoff: date | None = None
    closed_through: date | None = None
    reference: ReferenceBooks = field(default_factory=ReferenceBooks)

    @property
    def today(self) -> date:
        return self.company.server.clock.now().date()

    def begin(self, **policy: str) -> None:
        with self.warehouse.write() as connection:
            register(connection)
        self.company.sync(self.warehouse)
        with self.warehouse.write() as connection:
            mirror_ledger(connection, self.warehouse)
            set_policy(connection, **POLICY, **policy)

    def live(self, changes: int = 30) -> None:
        """Business goes on, rare things happen, and BILL is read again."""
        let_business_happen(self.company, changes, self.chance.randrange(1_000_000))
        for what in self.chance.sample(_RARE, 4):
            try:
                seed = self.chance.randrange(1_000_000)
                self.company.server.sandbox.change(1, seed, organization=self.company.organization.id, only=what)
            except ValueError:
                continue
        self.company.server.clock.advance(timedelta(hours=self.chance.choice((1, 30, 200))))
        self.company.sync(self.warehouse, cutoff=self.cutoff)

    def map_what_is_new(self) -> None:
        with self.warehouse.write() as connection:
            mirror_ledger(connection, self.warehouse)

    def unmap_something(self) -> None:
        with self.warehouse.write() as connection:
            kind = self.chance.choice(("vendors", "accounts", "departments", "items"))
            m = mappings.c
            ids = sorted(connection.scalars(select(m.bill_id).where(m.integration == INTEGRATION, m.kind == kind)))
            for one in self.chance.sample(ids, min(3, len(ids))):
                map_to(connection, kind, one, None)

    def close_a_month(self) -> None:
        day = self.closed_through or self.today - timedelta(days=400)
        self.closed_through = min(day + timedelta(days=90), self.today - timedelta(days=1))
        with self.warehouse.write() as connection:
            set_policy(connection, closed_through=self.closed_through.isoformat())

    def move_the_cutoff(self) -> None:
        self.cutoff = self.chance.choice((None, *(self.today - timedelta(days=days) for days in (60, 200, 400))))
        with self.warehouse.write() as connection:
            set_cutoff(connection, self.cutoff)
        self.company.sync(self.warehouse, cutoff=self.cutoff)

    def post(self) -> None:
        """Posts, and asserts that the books are right and that closed months did not change."""
        before = self.closed_balances()
        clock = self.company.server.clock.now
        post(self.warehouse, INTEGRATION, clock=clock)
        with self.warehouse.read() as connection:
            assert follow(connection, self.reference, self.today, self.cutoff) == []
        assert self.closed_balances() == before
        assert post(self.warehouse, INTEGRATION, clock=clock).is_quiet

    def closed_balances(self) -> dict[str, Decimal]:
        """Balance per account of all that counts in the closed period."""
        e, line = ledger_entries.c, ledger_lines.c
        if self.closed_through is None:
            return {}
        query = (
            select(line.ledger_account_id, MoneySum(line.debit - line.credit))
            .join(ledger_entries, (e.integration == line.integration) & (e.id == line.entry_id))
            .where(e.posting_date <= self.closed_through)
            .group_by(line.ledger_account_id)
        )
        with self.warehouse.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("payments", ["direct", "clearing"])
def test_any_history(company: Company, warehouse: Warehouse, seed: int, payments: str) -> None:
    history = History(company, warehouse, random.Random(f"{seed} {payments}"))
    history.begin(payments=payments)
    history.post()
    steps: list[Any] = [
        *(history.live, history.live, history.map_what_is_new),
        *(history.unmap_something, history.close_a_month, history.move_the_cutoff),
    ]
    for _ in range(6):
        for step in history.chance.sample(steps, 3):
            step()
        history.post()
    history.map_what_is_new()
    history.post()
