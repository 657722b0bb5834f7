"""The catalog grows: tables and columns follow, from stored payloads and without one request."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.entities import model
from billcom_assets.entities.catalog import CATALOG, Catalog
from billcom_assets.entities.model import Entity, Group, Walk
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sync.engine import pull
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets_tests.bill.scripted import DEV_KEY, ORGANIZATION, PASSWORD, USERNAME, Got, Reply, scripted_bill
from billcom_assets_tests.sync.company import INTEGRATION, Company
from billcom_assets_tests.sync.truth import differences, truth_of, written_at

PURCHASE_ORDERS = Entity(
    name="purchase_orders",
    singular="purchase_order",
    path="/v3/purchase-orders",
    id_prefix="por",
    group=Group.PAYABLES,
    walk=Walk.INCREMENTAL,
    description="Orders that the company placed with its vendors.",
    columns=(
        model.reference("vendorId", "vendors", "Vendor that the order was placed with."),
        model.money("amount", "Total of the order in US dollars."),
        model.date("orderDate", "Day on which the order was placed."),
    ),
    children=(
        model.Child(
            "purchase_order_lines",
            "lines",
            "What is ordered.",
            (model.text("description", "What is ordered, in words."), model.number("quantity", "How many.")),
        ),
    ),
)


def order(number: int) -> dict[str, object]:
    return {
        "id": f"por02ABCDEFGHIJ{number:05d}",
        "archived": False,
        "vendorId": "00902ABCDEFGHIJ00001",
        "amount": 100.25 * number,
        "orderDate": "2026-04-01",
        "lines": [{"description": f"Box {line}", "quantity": line + 0.5} for line in range(number)],
        "createdTime": f"2026-04-01T10:00:{number:02d}.000+00:00",
        "updatedTime": f"2026-04-01T10:00:{number:02d}.000+00:00",
    }


def serve_orders(got: Got) -> Reply:
    """Three orders in two pages."""
    if got.query.get("page"):
        return Reply(200, {"results": [order(3)]})
    return Reply(200, {"results": [order(1), order(2)], "nextPage": "more"})


def test_one_declaration_adds_an_entity_with_its_tables_and_pulls(database_url: str) -> None:
    catalog = CATALOG.extended(PURCHASE_ORDERS)
    warehouse = open_warehouse(database_url, entities=tuple(catalog))
    with scripted_bill() as (bill, url):
        bill.always("/connect/v3/purchase-orders", serve_orders)
        who = Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=url)
        with BillClient(who, integration=INTEGRATION) as client:
            sync = Sync(warehouse, client, catalog, INTEGRATION)
            with sync.alone():
                reports = pull(sync, catalog["purchase_orders"])
    assert sum(report.counts.inserted for report in reports) == 3
    orders, lines = (warehouse.mirror.table(name) for name in PURCHASE_ORDERS.tables())
    with warehouse.read() as connection:
        amounts = list(connection.scalars(select(orders.c.amount).order_by(orders.c.id)))
        quantities = list(connection.scalars(select(lines.c.quantity).order_by(lines.c.purchase_order_id, "position")))
    assert amounts == [Decimal("100.25"), Decimal("200.50"), Decimal("300.75")]
    assert quantities == [Decimal(text) for text in ("0.5", "0.5", "1.5", "0.5", "1.5", "2.5")]
    warehouse.close()


def younger(entity: Entity) -> Entity:
    """The entity as an earlier version declared it: without its last columns and without its lists."""
    return replace(entity, columns=entity.columns[:-2], children=(), opening=None)


def before_the_wallet(entity: Entity) -> Entity:
    """The entity as a version declared it that left payments from the balance at BILL without an account."""
    return replace(entity, columns=tuple(replace(one, or_kind=None) for one in entity.columns), stand_ins=())


def test_columns_that_are_now_read_in_another_way_are_filled_again(bare_database_url: str) -> None:
    before = tuple(before_the_wallet(entity) for entity in CATALOG)
    found = []
    with SandboxServer(Settings(bills=60, orgs=1)) as server:
        for entities in (before, tuple(CATALOG)):
            warehouse = open_warehouse(bare_database_url, entities=entities)
            if entities is before:
                Company(server).sync(warehouse, catalog=Catalog(before), only=("vendor_payments",))
            t = warehouse.mirror.table("vendor_payments").c
            with warehouse.read() as connection:
                wallets = select(t.funding_account_id).where(t.funding_account_type == "WALLET")
                found.append(set(connection.scalars(wallets)))
            warehouse.close()
    assert found == [{None}, {"WALLET"}]


def test_new_columns_and_child_tables_are_filled_from_payloads_without_one_request(bare_database_url: str) -> None:
    before = tuple(younger(entity) if entity.children else entity for entity in CATALOG)
    with SandboxServer(Settings(bills=120, orgs=1)) as server:
        company = Company(server)
        old = open_warehouse(bare_database_url, entities=before)
        lists = Catalog(tuple(replace(one, touches=(), settled=()) for one in before))
        company.sync(old, catalog=lists, asks_v2=False)
        stamps = written_at(old, INTEGRATION)
        old.close()
        server.sandbox.stats.reset()
        new = open_warehouse(bare_database_url)
        assert server.sandbox.stats.requests == 0
        assert differences(new, INTEGRATION, truth_of(company.organization, v2=False)) == []
        assert written_at(new, INTEGRATION) == stamps
        company.sync(new, asks_v2=False)
        assert written_at(new, INTEGRATION) == stamps
        new.close()


def test_new_columns_of_v2s_are_asked_for_with_the_next_sync(bare_database_url: str) -> None:
    before = tuple(
        replace(one, columns=tuple(column for column in one.columns if column.name != "gl_posting_date"))
        for one in CATALOG
    )
    with SandboxServer(Settings(bills=60, orgs=1)) as server:
        company = Company(server)
        old = open_warehouse(bare_database_url, entities=before)
        company.sync(old, catalog=Catalog(before))
        old.close()
        new = open_warehouse(bare_database_url)
        assert differences(new, INTEGRATION, truth_of(company.organization)) != []
        company.sync(new)
        assert differences(new, INTEGRATION, truth_of(company.organization)) == []
        new.close()


def test_tables_that_the_catalog_no_longer_has_keep_their_data(bare_database_url: str) -> None:
    catalog = CATALOG.extended(PURCHASE_ORDERS)
    larger = open_warehouse(bare_database_url, entities=tuple(catalog))
    table = larger.mirror.table("purchase_orders")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with larger.write() as connection:
        connection.execute(
            table.insert().values(
                integration=INTEGRATION,
                id="por1",
                amount=Decimal("7.25"),
                first_seen_at=moment,
                synced_at=moment,
                payload=json.dumps({"id": "por1", "amount": 7.25}),
                payload_digest="x",
            )
        )
    larger.close()
    open_warehouse(bare_database_url).close()
    again = open_warehouse(bare_database_url, entities=tuple(catalog))
    with again.read() as connection:
        assert list(connection.scalars(select(table.c.amount))) == [Decimal("7.25")]
    again.close()
