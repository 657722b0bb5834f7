"""The asset ``integrations``: every company in a line, and totals that plot."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import insert

from billcom_assets.assets.integrations import integrations
from billcom_assets.clock import utc_now
from billcom_assets.resources import Billcom
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets_tests.automation.conftest import World
from billcom_assets_tests.conftest import DIALECTS
from billcom_assets_tests.small_company import Books


def looked_over(world: World) -> dict[str, Any]:
    done = dg.materialize([integrations], resources={"billcom": Billcom()}, instance=world.instance)
    (made,) = done.get_asset_materialization_events()
    return {name: one.value for name, one in made.materialization.metadata.items() if name != "preview"} | {
        "lines": [record.data for record in made.materialization.metadata["preview"].records]
    }


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_every_company_has_a_line_and_those_that_are_not_ready_come_first(world: World) -> None:
    world.routine("acme-us")
    world.integration("zebra-llc")
    world.integration("gone", status="disconnected", credentials=None)
    found = looked_over(world)
    assert [line["integration"] for line in found["lines"]] == ["gone", "zebra-llc", "acme-us"]
    gone, zebra, acme = found["lines"]
    assert gone["readiness"].startswith("it is disconnected")
    assert (zebra["readiness"], zebra["next step"]) == (
        "Vendors: vendors have not been pulled",
        "billcom seed zebra-llc",
    )
    assert (acme["readiness"], acme["up to date (UTC)"], acme["next step"]) == (
        "ready",
        "2026-03-01 09:00",
        "billcom sync acme-us",
    )
    assert (found["integrations"], found["ready"]) == (3, 1)


@pytest.mark.parametrize("dialect", DIALECTS, indirect=True)
def test_documents_of_all_companies_are_counted_and_added_up(world: World) -> None:
    for key in ("acme-us", "other-inc"):
        world.routine(key)
        with world.warehouse.write() as connection:
            books = Books(connection, key)
            books.bill("vendors", "009eur", name="A vendor", bill_currency="EUR")
            books.bill("bills", "00n1", payment_status="UNPAID", due_amount=Decimal("10.10"))
            books.bill("bills", "00n2", payment_status="PARTIALLY_PAID", due_amount=Decimal("5.25"), vendor_id="009eur")
            books.bill("bills", "00n3", payment_status="PAID", due_amount=Decimal(0))
            books.bill("vendor_credits", "vcr1")
    with world.warehouse.write() as connection:
        held = {"integration": "acme-us", "kind": "bills", "id": "00n1", "state": "held", "payload_digest": ""}
        times = {"first_seen_at": utc_now(), "changed_at": utc_now()}
        connection.execute(insert(ledger_documents).values(**held, **times))
    found = looked_over(world)
    assert {name: value for name, value in found.items() if name != "lines"} == {
        "integrations": 2,
        "ready": 2,
        "bills": 6,
        "bills_open": 4,
        "bills_paid": 2,
        "vendor_credits": 2,
        "documents_held": 1,
        "open_payables_eur": 10.5,
        "open_payables_usd": 20.2,
    }
