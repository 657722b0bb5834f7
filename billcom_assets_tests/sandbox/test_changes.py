from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billcom_assets.sandbox import Clock, Sandbox, Settings
from billcom_assets.sandbox.changes import HAPPENINGS
from billcom_assets.sandbox.kinds import KINDS
from billcom_assets_tests.sandbox.proof import sums_hold

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


def sandbox(**changes: Any) -> Sandbox:
    return Sandbox(Settings(**({"orgs": 1, "bills": 150} | changes)), Clock(NOW, source=lambda: 0.0))


def bodies(box: Sandbox) -> dict[str, bytes]:
    organization = box.world.organization()
    return {row.id: row.body for table in organization.tables.values() for row in table}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    bills=st.sampled_from([0, 3, 60]),
    readings=st.fixed_dictionaries(
        {
            "payment_touches_bill": st.booleans(),
            "usage_touches_credit": st.booleans(),
            "balances_touch": st.booleans(),
            "vendor_name_follows": st.booleans(),
            "parent_visible": st.booleans(),
            "numbers": st.sampled_from(["short", "mixed"]),
            "exchange_rate": st.sampled_from(["usd_per_unit", "units_per_usd"]),
        }
    ),
)
def test_whatever_happens_every_sum_still_holds(seed: int, bills: int, readings: dict[str, Any]) -> None:
    box = sandbox(bills=bills, **readings)
    box.change(90, seed)
    sums_hold(box.world.organization())
    for kind in KINDS:
        table = box.world.organization().table(kind)
        assert table.index("updatedTime") == sorted((row.updated, row.id) for row in table)
        assert table.index("createdTime") == sorted((row.created, row.id) for row in table)


@pytest.mark.parametrize("what", HAPPENINGS)
def test_each_kind_of_change_can_happen_and_changes_its_object(what: str) -> None:
    box = sandbox(bills=600)
    if what.startswith("restore"):
        box.change(1, seed=1, only=what.replace("restore", "archive"))
    before = bodies(box)
    (change,) = box.change(1, seed=4, only=what)
    assert change.what == what
    after = bodies(box)
    assert after[change.id] != before.get(change.id)
    assert change.id in {doc["id"] for doc in box.world.organization().rows(change.path)}
    sums_hold(box.world.organization())


def test_the_same_changes_happen_for_the_same_seed() -> None:
    boxes = [sandbox(), sandbox(), sandbox()]
    histories = [box.change(60, seed) for box, seed in zip(boxes, (3, 3, 4), strict=True)]
    assert histories[0] == histories[1] != histories[2]
    assert bodies(boxes[0]) == bodies(boxes[1]) != bodies(boxes[2])


def test_what_changed_carries_the_clocks_time_and_the_rest_is_untouched() -> None:
    box = sandbox(balances_touch=True)
    before = bodies(box)
    box.clock.advance(timedelta(hours=2))
    box.change(50, seed=2)
    organization = box.world.organization()
    for kind in KINDS:
        for doc in organization.rows(kind.path):
            moved = doc["updatedTime"] == "2026-07-14T11:30:00.000+00:00"
            changed = before.get(doc["id"]) != organization.table(kind).rows[doc["id"]].body
            assert changed == moved, doc


@pytest.mark.parametrize("touches", [True, False])
def test_paying_moves_the_update_time_of_a_bill_only_where_so_read(touches: bool) -> None:
    box = sandbox(payment_touches_bill=touches)
    organization = box.world.organization()
    before = {bill["id"]: bill for bill in organization.rows("bills")}
    (change,) = box.change(1, seed=1, only="pay bills")
    payment = next(one for one in organization.rows("payments") if one["id"] == change.id)
    for part in payment["billPayments"]:
        bill = next(one for one in organization.rows("bills") if one["id"] == part["billId"])
        old = before[bill["id"]]
        assert bill["dueAmount"] == old["dueAmount"] - part["amount"]
        assert (bill["updatedTime"] > old["updatedTime"]) == touches


@pytest.mark.parametrize("touches", [True, False])
def test_a_balance_moves_the_update_time_of_its_vendor_only_where_so_read(touches: bool) -> None:
    box = sandbox(balances_touch=touches)
    organization = box.world.organization()
    before = {vendor["id"]: vendor for vendor in organization.rows("vendors")}
    (change,) = box.change(1, seed=1, only="enter a bill")
    bill = next(one for one in organization.rows("bills") if one["id"] == change.id)
    vendor = next(one for one in organization.rows("vendors") if one["id"] == bill["vendorId"])
    old = before[vendor["id"]]
    assert vendor["balance"]["amount"] == old["balance"]["amount"] + bill["amount"]
    assert (vendor["updatedTime"] > old["updatedTime"]) == touches


@pytest.mark.parametrize("touches", [True, False])
def test_using_a_credit_moves_its_update_time_only_where_so_read(touches: bool) -> None:
    box = sandbox(bills=600, usage_touches_credit=touches)
    organization = box.world.organization()
    before = {credit["id"]: credit for credit in organization.rows("vendor-credits")}
    (change,) = box.change(1, seed=1, only="apply a vendor credit")
    credit = next(one for one in organization.rows("vendor-credits") if one["id"] == change.id)
    assert credit["appliedAmount"] > before[credit["id"]]["appliedAmount"]
    assert (credit["updatedTime"] > before[credit["id"]]["updatedTime"]) == touches


@pytest.mark.parametrize("follows", [True, False])
def test_a_renamed_vendor_is_renamed_in_its_documents_only_where_so_read(follows: bool) -> None:
    from billcom_assets.sandbox.books.vendors import update_vendor

    box = sandbox(vendor_name_follows=follows)
    organization = box.world.organization()
    bill = organization.rows("bills")[0]
    update_vendor(organization, bill["vendorId"], {"name": "Renamed Ltd"})
    after = organization.rows("bills")[0]
    assert after["vendorName"] == ("Renamed Ltd" if follows else bill["vendorName"])
    assert after["updatedTime"] == bill["updatedTime"]


def test_what_only_v2_shows_happens_only_when_asked_for() -> None:
    unasked = {name for name, (weight, _, _) in HAPPENINGS.items() if not weight}
    happened = {change.what for change in sandbox().change(400, seed=2)}
    assert "merge two vendors" in unasked
    assert not unasked & happened


def test_an_impossible_change_says_so() -> None:
    with pytest.raises(ValueError, match="is none of"):
        sandbox().change(1, only="buy a yacht")
    with pytest.raises(ValueError, match="nothing of pay bills"):
        sandbox(bills=0).change(1, only="pay bills")
