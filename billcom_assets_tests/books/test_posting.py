"""The books of the simulated company are those that a second implementation of the rules works out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.books.posting import post
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.books.comparison import follow
from billcom_assets_tests.books.ledger import CLEARING, POLICY, mirror_ledger, register, set_policy
from billcom_assets_tests.books.reference import ReferenceBooks
from billcom_assets_tests.sync.company import INTEGRATION, Company


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=250, orgs=1)) as server:
        yield Company(server)


@pytest.mark.parametrize(
    ("settings", "cutoff"),
    [
        pytest.param({}, None, id="paid directly"),
        pytest.param({"payments": "clearing"}, None, id="paid through clearing"),
        pytest.param({"approval": "approved"}, date(2026, 1, 1), id="approved alone, from a cutoff on"),
        pytest.param({"closed_through": "2025-12-31"}, None, id="with a closed period"),
        pytest.param({"closed_through": "2025-12-31", "late": "hold"}, None, id="with what is late held"),
        pytest.param({"exchange_gain_loss": None, "accounts_payable": None}, None, id="with settings missing"),
        pytest.param({"home_currency": "EUR"}, None, id="in euros"),
    ],
)
def test_the_simulated_company(
    company: Company, warehouse: Warehouse, settings: dict[str, Any], cutoff: date | None
) -> None:
    with warehouse.write() as connection:
        register(connection, cutoff=cutoff)
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **(POLICY | {"payables_clearing": CLEARING} | settings))
    clock = company.server.clock.now
    assert not post(warehouse, INTEGRATION, clock=clock).is_quiet
    assert post(warehouse, INTEGRATION, clock=clock).is_quiet
    with warehouse.read() as connection:
        assert follow(connection, ReferenceBooks(), clock().date(), cutoff) == []


def test_foreign_documents_of_every_kind_post(company: Company, warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        register(connection)
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **POLICY)
    post(warehouse, INTEGRATION, clock=company.server.clock.now)
    d = ledger_documents.c
    with warehouse.read() as connection:
        foreign = select(d.kind).where(d.currency == "EUR", d.state == "imported", d.home_amount > d.amount)
        assert set(connection.scalars(foreign)) == {"bills", "vendor_credits", "vendor_payments"}
