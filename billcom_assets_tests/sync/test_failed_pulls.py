"""What ``sync_runs`` keeps of a pull that failed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.fetching import Turn
from billcom_assets.sync.pull import EntityPull
from billcom_assets.sync.report import Progress, PullKind
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import sync_runs
from billcom_assets_tests.redaction.every_exception import EVERY_KIND, made
from billcom_assets_tests.sync.company import Company, pull_all

SSN = "987-65-4329"
ONLY = ("bills",)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_kind_of_exception_leaves_a_planted_value_in_sync_runs(company: Company, warehouse: Warehouse) -> None:
    def fail(error: BaseException) -> None:
        raise error

    with company.connected(warehouse) as sync, sync.alone():
        for kind in EVERY_KIND:
            error = made(kind, f"DETAIL: Failing row contains ({SSN})")
            pull = EntityPull(sync, CATALOG["vendors"], PullKind.FULL, sync.state("vendors"), Turn(0))
            with pytest.raises(kind):
                pull.run(lambda error=error: fail(error))  # type: ignore[misc]
    with warehouse.read() as connection:
        kept = list(connection.scalars(select(sync_runs.c.error)))
    assert len(kept) == len(EVERY_KIND)
    assert [one for one in kept if not one or SSN in one] == []


def test_a_run_tells_what_it_has_written_unless_another_began_it(company: Company, warehouse: Warehouse) -> None:
    def changes(**options: Any) -> set[str] | None:
        with company.connected(warehouse, planned=ONLY, **options) as sync, sync.alone():
            pull_all(sync, only=ONLY)
        return sync.changes["bills"]

    def stop(_progress: Progress) -> None:
        raise RuntimeError("stopped after the first page")

    assert changes() is None
    assert changes() == set()
    with pytest.raises(RuntimeError):
        changes(on_progress=stop)
    assert changes() is None
    assert changes() == set()
