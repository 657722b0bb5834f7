"""Objects that cannot be stored are reported, never dropped in silence, and heal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox.kinds import BILLS
from billcom_assets.sync.engine import pull
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import contract_findings, integration_errors
from billcom_assets_tests.bill.scripted import Reply, error
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.plain import at, bill, plain_bill
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
    (found,) = errors(warehouse)
    assert (found["entity"], found["record_id"], found["code"], found["status"]) == (
        "bills",
        broken,
        "unreadable",
        "open",
    )
    assert "due_date" in found["message"]
    assert found["next_step"]

    let_business_happen(company, 25, 1)
    rewrite(company, broken, dueDate=due)
    company.sync(warehouse)
    (found,) = errors(warehouse)
    assert found["status"] == "resolved"
    assert_equal(company, warehouse)


def test_an_ignored_error_stays_ignored_until_its_record_can_be_read(company: Company, warehouse: Warehouse) -> None:
    broken = bill_ids(company)[3]
    due = company.organization.rows(BILLS.path)[3]["dueDate"]
    rewrite(company, broken, dueDate="the day after tomorrow")
    company.sync(warehouse, only=("bills",))
    with warehouse.write() as connection:
        connection.execute(update(integration_errors).values(status="ignored", reason="known"))
    rewrite(company, broken, dueDate="some day")
    company.sync(warehouse, only=("bills",))
    (found,) = errors(warehouse)
    assert (found["status"], found["reason"], "some day" in found["message"]) == ("ignored", "known", True)
    rewrite(company, broken, dueDate=due)
    company.sync(warehouse, only=("bills",))
    (found,) = errors(warehouse)
    assert (found["status"], found["reason"]) == ("resolved", None)


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
    (found,) = errors(warehouse)
    assert found["occurrences"] >= 2
    assert found["first_seen_at"] <= found["last_seen_at"]


def test_one_unreadable_object_does_not_keep_the_others_out(company: Company, warehouse: Warehouse) -> None:
    ids = bill_ids(company)
    for place, nonsense in enumerate(({"amount": "1e999"}, {"dueDate": "2026-99-99"}, {"archived": "perhaps"})):
        rewrite(company, ids[place], **nonsense)
    company.sync(warehouse)
    assert set(stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"]) == set(ids[3:])
    assert {found["record_id"] for found in errors(warehouse)} == set(ids[:3])


def test_no_row_that_a_reader_refuses_costs_the_list(warehouse: Warehouse) -> None:
    deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    hostile = {
        "NaN": b'{"id":"%s","amount":NaN}',
        "nesting": b'{"id":"%s","invoice":' + deep + b"}",
        "a half surrogate": b'{"id":"%s","description":"\\ud800"}',
        "a huge number": b'{"id":"%s","amount":1e99999999}',
        "a wrong escape": b'{"id":"%s","description":"\\x"}',
        "a duplicate key": b'{"id":"%s","id":"%s"}',
    }
    with plain_bill([bill(number) for number in range(150)]) as plain:
        for place, template in enumerate(hostile.values()):
            identifier = plain.docs[place]["id"]
            plain.raw[identifier] = template.replace(b"%s", identifier.encode())
        (report, *_) = plain.sync(warehouse)
        assert report.counts.fetched == 150
        assert report.counts.inserted >= 144
        known = {found["record_id"] for found in errors(warehouse)}
        assert known <= set(plain.raw)
        assert len(known) == report.counts.rejected
        for _ in range(3):
            plain.offset += timedelta(days=1)
            plain.sync(warehouse, refresh=True)
        t = warehouse.mirror.table("bills").c
        with warehouse.read() as connection:
            assert set(connection.scalars(select(t.deleted_at))) == {None}


def test_enum_values_and_field_names_of_any_length_are_noted_in_short(warehouse: Warehouse) -> None:
    strange = bill(1, approvalStatus="X" * 10_000, **{"y" * 10_000: 1, "z\x00z": 2})
    with plain_bill([strange, bill(2)]) as plain:
        plain.sync(warehouse)
    with warehouse.read() as connection:
        found = connection.execute(select(contract_findings.c.place, contract_findings.c.value)).all()
    assert max(len(part) for row in found for part in row) <= 200
    assert len(found) >= 3
    assert stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"].keys() == {
        "00n01000000000000001",
        "00n01000000000000002",
    }


@pytest.mark.parametrize("reference", ["009,01", "009\x0001", "x" * 150, "00901 OR 1=1", "é"])
def test_a_reference_that_is_no_id_is_reported_once_and_spoils_no_later_run(
    reference: str, warehouse: Warehouse
) -> None:
    with plain_bill([bill(number) for number in range(3)]) as plain:
        with plain.run(warehouse) as sync:
            pull(sync, CATALOG["vendors"])
        plain.sync(warehouse)
        plain.docs[1] = bill(1, updated=at(minutes=1), vendorId=reference)
        for _ in range(3):
            (report, *_) = plain.sync(warehouse)
            assert report.counts.rejected == 0
        (found,) = errors(warehouse)
        assert (found["record_id"], found["code"]) == (plain.docs[1]["id"], "bad_reference")


def test_an_id_that_bill_refuses_to_read_again_is_dropped_with_an_error(warehouse: Warehouse) -> None:
    refused = error("BDC_1302", "Invalid id.", status=400)
    with plain_bill([bill(number) for number in range(3)]) as plain:
        with plain.run(warehouse) as sync:
            pull(sync, CATALOG["vendors"])
        plain.sync(warehouse)
        plain.server.always("/connect/v3/vendors", refused).always("/connect/v3/vendors/00901BAD", refused)
        plain.docs[1] = bill(1, updated=at(minutes=1), vendorId="00901BAD")
        plain.sync(warehouse)
        (found,) = errors(warehouse)
        assert (found["entity"], found["record_id"], found["code"]) == ("vendors", "00901BAD", "bad_reference")
        asked = len(plain.server.got)
        plain.sync(warehouse)
        assert "/connect/v3/vendors" not in {got.path for got in plain.server.got[asked:]}


def test_a_re_read_that_fails_does_not_fail_the_run_and_is_made_up_for(warehouse: Warehouse) -> None:
    away = Reply(503, "<html>maintenance</html>")
    vendor = {"id": "00901V", "name": "Ada", "createdTime": at(days=40), "updatedTime": at(days=40)}
    with plain_bill([bill(1)]) as plain:
        with plain.run(warehouse) as sync:
            pull(sync, CATALOG["vendors"])
        plain.sync(warehouse)
        plain.server.always("/connect/v3/vendors", away)
        plain.docs[0] = bill(1, updated=at(minutes=1), vendorId="00901V")
        plain.sync(warehouse)
        plain.server.always("/connect/v3/vendors", Reply(200, {"results": [vendor]}))
        plain.sync(warehouse)
    assert stored(warehouse, CATALOG["vendors"], INTEGRATION)["vendors"].keys() == {"00901V"}
