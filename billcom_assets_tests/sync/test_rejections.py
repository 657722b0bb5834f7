"""Objects that cannot be stored are reported, never dropped in silence, and heal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.test_equality import assert_equal
from billcom_assets_tests.sync.truth import stored


def rewrite(company: Company, identifier: str, **changes: Any) -> None:
    """Changes members of a bill in BILL."""
    organization = company.organization
    with company.server.sandbox.lock:
        row = organization.table(BILLS).get(identifier)
        assert row is not None
        organization.write(BILLS, row.doc() | changes)


def errors(warehouse: Warehouse) -> list[Mapping[str, Any]]:
    with warehouse.read() as connection:
        return [dict(row) for row in connection.execute(select(integration_errors)).mappings()]


def bill_ids(company: Company) -> list[str]:
    return [doc["id"] for doc in company.organization.rows(BILLS.path)]


def test_an_unreadable_object_is_rejected_with_an_error_and_heals(company: Company, warehouse: Warehouse) -> None:
    broken = bill_ids(company)[3]
    due = company.organization.rows(BILLS.path)[3]["dueDate"]
    rewrite(company, broken, dueDate="the day after tomorrow")
    first = company.sync(warehouse)
    pulled = next(one for one in first if one.entity == "bills")
    assert pulled.counts.rejected == 1
    assert all(one.counts.is_conserved for one in first)
    assert broken not in stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"]
    (error,) = errors(warehouse)
    assert (error["entity"], error["record_id"], error["code"], error["status"]) == (
        "bills",
        broken,
        "unreadable",
        "open",
    )
    assert "due_date" in error["message"]
    assert error["next_step"]

    let_business_happen(company, 25, 1)
    rewrite(company, broken, dueDate=due)
    company.sync(warehouse)
    (error,) = errors(warehouse)
    assert error["status"] == "resolved"
    assert_equal(company, warehouse)


def test_a_stored_row_keeps_its_last_readable_state_while_bill_sends_nonsense(
    company: Company, warehouse: Warehouse
) -> None:
    company.sync(warehouse)
    broken = bill_ids(company)[3]
    let_business_happen(company, 25, 1)
    company.sync(warehouse)
    before = stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"][broken]
    for _ in range(2):
        rewrite(company, broken, amount="a lot")
        report = next(one for one in company.sync(warehouse) if one.entity == "bills")
        assert report.counts.rejected == 1
    assert stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"][broken] == before
    (error,) = errors(warehouse)
    assert error["occurrences"] >= 2
    assert error["first_seen_at"] <= error["last_seen_at"]


def test_one_unreadable_object_does_not_keep_the_others_out(company: Company, warehouse: Warehouse) -> None:
    ids = bill_ids(company)
    for place, nonsense in enumerate(({"amount": "1e999"}, {"dueDate": "2026-99-99"}, {"archived": "perhaps"})):
        rewrite(company, ids[place], **nonsense)
    company.sync(warehouse)
    assert set(stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"]) == set(ids[3:])
    assert {error["record_id"] for error in errors(warehouse)} == set(ids[:3])
