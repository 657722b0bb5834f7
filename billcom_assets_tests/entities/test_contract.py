"""The contract: what BILL sends beyond the catalog is found and named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.contract import Contract
from billcom_assets.entities.model import Entity
from billcom_assets_tests.entities import worlds
from billcom_assets_tests.entities.test_extract import spoiled_objects

BILLS = Contract(CATALOG["bills"])


@pytest.mark.parametrize("entity", CATALOG, ids=lambda entity: entity.name)
@pytest.mark.parametrize("kind", ["sample", "full"])
def test_known_objects_hold_nothing_unknown(entity: Entity, kind: str):
    obj = worlds.sample(entity.name) if kind == "sample" else worlds.full(entity)
    contract = Contract(entity)
    assert contract.unknown_fields(obj) == set()
    assert contract.unknown_values(obj) == set()


def test_new_fields_are_named_by_their_place():
    bill = worlds.sample("bills")
    bill["newField"] = 1
    bill["invoice"]["series"] = "A"
    bill["billLineItems"][1]["newField"] = "x"
    bill["billLineItems"][0]["classifications"]["projectId"] = "p"
    assert BILLS.unknown_fields(bill) == {
        "newField",
        "invoice.series",
        "billLineItems.newField",
        "billLineItems.classifications.projectId",
    }


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_new_field_without_a_value_is_not_news(nothing: Any):
    assert BILLS.unknown_fields({"id": "b", "newField": nothing, "invoice": nothing, "billLineItems": nothing}) == set()


def test_a_place_that_changed_its_shape_is_news():
    odd = {"invoice": "202601", "billLineItems": {"id": "x"}, "approvers": ["somebody", None]}
    assert BILLS.unknown_fields(odd) == {"invoice", "billLineItems", "approvers"}


def test_what_is_kept_as_json_is_not_looked_into():
    payment = {"voidInfo": [{"anything": 1}], "billPayments": [{"vendorCredits": [{"new": 1}]}]}
    assert Contract(CATALOG["vendor_payments"]).unknown_fields(payment) == set()


def test_new_enum_values_are_named_with_their_column():
    bill = worlds.sample("bills")
    bill["paymentStatus"] = "HALF_PAID"
    bill["approvers"][0]["status"] = "SLEEPING"
    assert BILLS.unknown_values(bill) == {
        ("payment_status", "HALF_PAID"),
        ("bill_approvals.status", "SLEEPING"),
    }


def test_an_enum_without_a_value_is_not_news():
    assert BILLS.unknown_values({"paymentStatus": None, "approvalStatus": "", "approvers": [None, {}]}) == set()


def test_an_enum_that_is_no_text_is_news():
    assert BILLS.unknown_values({"paymentStatus": 4, "approvalStatus": {"a": 1}}) == {
        ("payment_status", "4"),
        ("approval_status", "an object"),
    }


def test_findings_can_be_stored():
    found = BILLS.unknown_fields({"a\x00b": 1}) | {
        value for _, value in BILLS.unknown_values({"paymentStatus": "X\x00"})
    }
    assert found == {"ab", "X"}


def test_exact_numbers_are_no_obstacle():
    assert BILLS.unknown_fields({"amount": Decimal("1.00")}) == set()


@given(spoiled_objects())
@settings(max_examples=200, deadline=None)
def test_garbage_never_stops_the_comparison(spoiled: tuple[Entity, dict[str, Any]]):
    entity, obj = spoiled
    contract = Contract(entity)
    assert all(isinstance(place, str) for place in contract.unknown_fields(obj))
    assert all(isinstance(value, str) for _, value in contract.unknown_values(obj))
