"""The drill of ``docs/operating.md``: yesterday's backup and a sync are the truth again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from billcom_assets.books.posting import post
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.books import ledger
from billcom_assets_tests.books.comparison import follow
from billcom_assets_tests.books.reference import ReferenceBooks
from billcom_assets_tests.postgres import Postgres
from billcom_assets_tests.sync.company import INTEGRATION, Company
from billcom_assets_tests.sync.truth import differences, truth_of
from billcom_assets_tests.warehouse.backups import SQLITE, back_up, restore


def brought_up_to_date(company: Company, warehouse: Warehouse) -> None:
    """What an hourly sync does."""
    company.sync(warehouse)
    with warehouse.write() as connection:
        ledger.mirror_ledger(connection, warehouse)
    post(warehouse, INTEGRATION, clock=company.server.clock.now)


def what_differs(company: Company, warehouse: Warehouse, reference: ReferenceBooks) -> list[str]:
    """In the mirror, from BILL; in the books, from a second implementation that did not see the lost day."""
    mirror = differences(warehouse, INTEGRATION, truth_of(company.organization))
    with warehouse.read() as connection:
        return [*map(str, mirror), *follow(connection, reference, company.server.clock.now().date())]


def test_yesterdays_backup_and_a_sync_are_the_truth(
    make_database: Callable[..., str], dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if dialect == "sqlite" and SQLITE is None:
        pytest.skip("sqlite3 is not installed")
    postgres: Postgres | None = request.getfixturevalue("postgres") if dialect == "postgresql" else None
    url = make_database()
    with SandboxServer(Settings(bills=60)) as server:
        company = Company(server)
        warehouse = open_warehouse(url)
        with warehouse.write() as connection:
            ledger.register(connection)
            ledger.set_policy(connection, **ledger.POLICY)
        brought_up_to_date(company, warehouse)
        reference = ReferenceBooks()
        assert what_differs(company, warehouse, reference) == []

        back_up(url, tmp_path / "yesterday")
        server.clock.advance(timedelta(hours=12))
        server.sandbox.change(120, seed=1)
        brought_up_to_date(company, warehouse)
        server.clock.advance(timedelta(hours=12))
        server.sandbox.change(120, seed=2)
        warehouse.close()

        restored_url = restore(tmp_path / "yesterday", tmp_path / "restored", postgres)
        restored = open_warehouse(restored_url)
        try:
            assert differences(restored, INTEGRATION, truth_of(company.organization)) != []
            brought_up_to_date(company, restored)
            assert what_differs(company, restored, reference) == []
        finally:
            restored.close()
            if postgres is not None:
                postgres.drop(restored_url)
