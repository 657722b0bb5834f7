"""The check that fails when the mirror shows less than BILL has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.quality.completeness import SWEEP_OVERDUE_AFTER, completeness
from billcom_assets.quality.measures import Quality, Severity
from billcom_assets.status.integrations import entity_states
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import INTEGRATION
from billcom_assets_tests.sync.plain import PlainBill, bill, plain_bill


@pytest.fixture
def plain(warehouse: Warehouse) -> Iterator[PlainBill]:
    with plain_bill([bill(number) for number in range(120)]) as made:
        made.sync(warehouse)
        made.sync(warehouse, refresh=True)
        yield made


def check(plain: PlainBill, warehouse: Warehouse) -> Quality:
    with warehouse.read() as connection:
        state = entity_states(connection, INTEGRATION).get("bills")
        return completeness(connection, INTEGRATION, CATALOG["bills"], state, plain.clock())


def test_a_mirror_that_holds_everything_passes(plain: PlainBill, warehouse: Warehouse) -> None:
    assert check(plain, warehouse).passed


def test_unreadable_rows_are_counted_with_their_amount_and_reasons(plain: PlainBill, warehouse: Warehouse) -> None:
    for number in range(3):
        plain.docs[number]["dueDate"] = "2026-02-30"
    plain.docs.append(bill(900, amount={"value": 5}))
    plain.sync(warehouse, refresh=True)
    found = check(plain, warehouse)
    assert (found.passed, found.severity, found.count) == (False, Severity.ERROR, 4)
    assert "4 bills cannot be read" in found.description
    assert "3 show their last readable version, which stand for 300.00" in found.description
    assert any("due_date" in reason for reason in found.sample)
    for number in range(3):
        plain.docs[number]["dueDate"] = "2026-02-15"
    plain.docs[-1]["amount"] = 5
    plain.sync(warehouse, refresh=True)
    assert check(plain, warehouse).passed


def test_a_mass_disappearance_in_doubt_fails_with_the_command_that_confirms_it(
    plain: PlainBill, warehouse: Warehouse
) -> None:
    gone, plain.docs = plain.docs, []
    plain.sync(warehouse, refresh=True)
    found = check(plain, warehouse)
    assert (found.passed, found.severity) == (False, Severity.ERROR)
    assert "leaves out 120 of 120" in found.description
    assert "--confirm-deletions" in found.fix
    plain.docs = gone
    plain.sync(warehouse, refresh=True)
    assert check(plain, warehouse).passed


def test_an_overdue_sweep_is_a_warning(plain: PlainBill, warehouse: Warehouse) -> None:
    plain.offset += SWEEP_OVERDUE_AFTER + timedelta(minutes=1)
    plain.sync(warehouse)
    found = check(plain, warehouse)
    assert (found.passed, found.severity) == (False, Severity.WARN)
    assert "no complete sweep since" in found.description
    plain.sync(warehouse, refresh=True)
    assert check(plain, warehouse).passed
