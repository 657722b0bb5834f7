"""A BILL that misbehaves in every way at once ends in the same tables as a friendly one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import Fault, FaultPlan
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.tables import contract_findings, integration_errors
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen, total
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.test_equality import assert_equal
from billcom_assets_tests.sync.truth import stored

EVERY_FAULT = (
    "all=0.08,moving_rows=0.2,duplicate_rows=0.5,repeated_cursor=0.6,empty_page=0.3,cursor_refused=0.4,slow=0.02"
)
DATA_ODDITIES = "nulls=0.08,unknown_fields=0.08,unknown_enum=0.08"


def declared(company: Company, warehouse: Warehouse) -> dict[str, object]:
    """Every table's rows as declared, so without the payload."""
    return {
        table: {key: {name: value for name, value in row.items() if name != "payload"} for key, row in rows.items()}
        for entity in CATALOG
        for table, rows in stored(warehouse, entity, INTEGRATION).items()
    }


def test_every_fault_at_once_ends_in_the_tables_of_a_friendly_bill(
    serve: Serve, warehouse: Warehouse, make_database: Callable[..., str]
) -> None:
    twins = FaultPlan.parse("case_twin_ids=0.2")
    company = serve(bills=500, slow_ms=20, latency_ms=1, faults=twins)
    sandbox = company.server.sandbox
    sandbox.set_faults(FaultPlan.parse(f"{EVERY_FAULT},case_twin_ids=0.2", seed=11))
    company.sync(warehouse)
    for seed in (1, 2):
        let_business_happen(company, 150, seed)
        company.sync(warehouse)
    fired = dict(sandbox.faults.fired)
    rarely = {fault for fault in Fault if fault is not Fault.CASE_TWIN_IDS and fired.get(fault, 0) < 2}
    assert rarely == set()

    # Rows that moved after they were read come with the next sync; the rest of the trouble goes on.
    calmer = FaultPlan.parse(f"{EVERY_FAULT},moving_rows=0", seed=11)
    sandbox.set_faults(calmer)
    let_business_happen(company, 25, 3)
    company.sync(warehouse)
    assert_equal(company, warehouse)
    assert max(sandbox.limits.peak.values()) <= 3

    sandbox.set_faults(FaultPlan.parse(DATA_ODDITIES, seed=11))
    friendly = open_warehouse(make_database())
    company.sync(friendly)
    assert declared(company, warehouse) == declared(company, friendly)
    friendly.close()

    with warehouse.read() as connection:
        assert connection.scalar(select(func.count()).select_from(integration_errors)) == 0
        kinds = set(connection.scalars(select(contract_findings.c.kind)))
    assert kinds == {"field", "value"}


def test_ids_that_differ_only_in_case_are_two_rows(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(faults=FaultPlan.parse("case_twin_ids=0.5"))
    company.sync(warehouse)
    assert_equal(company, warehouse)
    ids = list(stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"])
    twins = [one for one in ids if sum(one.lower() == other.lower() for other in ids) == 2]
    assert len(twins) >= 2


def test_rows_moving_during_every_walk_are_neither_lost_nor_doubled(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=600, faults=FaultPlan.parse("moving_rows=0.5"), cursor_kind="offset")
    for seed in (1, 2, 3):
        let_business_happen(company, 200, seed)
        company.sync(warehouse)
    company.server.sandbox.set_faults(FaultPlan())
    reports = company.sync(warehouse)
    assert_equal(company, warehouse)
    assert total(reports).is_conserved
