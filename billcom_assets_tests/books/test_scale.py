"""Four times the documents are four times the work, also on SQLite, which joins by nested loops alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from billcom_assets.books.posting import post
from billcom_assets.books.reconciliation import reconcile
from billcom_assets.clock import utc_now
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.books.copies import copy_documents
from billcom_assets_tests.books.ledger import BANK, POLICY, mirror_ledger, register, set_policy
from billcom_assets_tests.sync.company import INTEGRATION, Company

_COUNTED = 1_000
"""Steps of SQLite's virtual machine that count as one."""


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(POLICY | {"payments": "clearing", "receivables_clearing": BANK}, id="posted"),
        pytest.param({"payments": "direct"}, id="held"),
    ],
)
def test_work_grows_with_the_number_of_documents_alone(tmp_path: Path, policy: dict[str, str]) -> None:
    with SandboxServer(Settings(bills=60, orgs=1)) as server:
        company = Company(server)
        few, many = (_work(tmp_path / f"{times}.db", company, policy, times) for times in (5, 20))
    assert {what: many[what] / few[what] for what in few if many[what] > 5 * few[what]} == {}


def _work(file: Path, company: Company, policy: dict[str, str], times: int) -> dict[str, int]:
    """What it takes to post each of the company's documents so many times, and to look at the identities."""
    warehouse = open_warehouse(f"sqlite:///{file}")
    with warehouse.write() as connection:
        register(connection)
    company.sync(warehouse)
    with warehouse.write() as connection:
        mirror_ledger(connection, warehouse)
        set_policy(connection, **policy)
        copy_documents(connection, warehouse, times - 1)
    counter = _Counter(warehouse)
    post(warehouse, INTEGRATION)
    work = {"posting": counter.taken()}
    for outcome in reconcile(warehouse, INTEGRATION, utc_now()).outcomes:
        assert outcome.holds
    work["reconciling"] = counter.taken()
    warehouse.close()
    return work


class _Counter:
    """Counts what SQLite does."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._steps = 0
        event.listen(warehouse.engine, "checkout", self._watch)

    def _watch(self, driver: sqlite3.Connection, *_: Any) -> None:
        driver.set_progress_handler(self._count, _COUNTED)

    def _count(self) -> None:
        self._steps += 1

    def taken(self) -> int:
        """Since it was last asked."""
        steps, self._steps = self._steps, 0
        return steps
