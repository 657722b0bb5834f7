"""Who upgrades a database with roles, what that leaves everybody with, and what the others are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg import errors

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Entity
from billcom_assets.warehouse import aging
from billcom_assets.warehouse.engine import open_warehouse
from billcom_assets.warehouse.errors import Busy, WarehouseError
from billcom_assets.warehouse.roles import Roles, apply, steps
from billcom_assets.warehouse.waits import Waits
from billcom_assets_tests.postgres import Postgres
from billcom_assets_tests.warehouse.logins import Logins, connected, rows
from billcom_assets_tests.warehouse.test_growth import PURCHASE_ORDERS

ALL = tuple(CATALOG)
MORE = tuple(CATALOG.extended(PURCHASE_ORDERS))
OWNERS = """
    SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('billcom', 'billcom_analyst')
"""
VENDOR = """
    INSERT INTO billcom.vendors (integration, id, name, phone, first_seen_at, synced_at, payload, payload_digest)
    VALUES ('acme', '1', 'Paper & Co', '555-0100', now(), now(), '{}', '')
"""


def changed(name: str, **columns: bool) -> tuple[Entity, ...]:
    """The catalog with some columns of an entity sensitive or not."""
    entity = CATALOG[name]
    marked = tuple(replace(one, sensitive=columns.get(one.name, one.sensitive)) for one in entity.columns)
    return tuple(replace(one, columns=marked) if one is entity else one for one in ALL)


def give_roles(url: str, logins: Logins) -> None:
    warehouse = open_warehouse(url)
    with warehouse.write() as connection:
        roles = Roles(logins.owner, logins.runner, logins.analyst)
        apply(connection, steps(connection, warehouse.mirror, roles))
    warehouse.close()


@pytest.fixture
def logins(postgres: Postgres) -> Iterator[Logins]:
    """A database with roles."""
    url = postgres.create()
    logins = Logins.of(url)
    give_roles(url, logins)
    yield logins
    postgres.drop(url)


def test_the_owner_upgrades_and_runner_and_analyst_find_what_is_new(logins: Logins) -> None:
    open_warehouse(logins.user(logins.owner), entities=MORE).close()
    assert rows(logins.administrator, OWNERS) == [(logins.owner,)]
    rows(logins.user(logins.runner), "UPDATE billcom.purchase_orders SET amount = 1")
    assert rows(logins.user(logins.analyst), "SELECT amount FROM billcom_analyst.purchase_orders") == []
    with pytest.raises(errors.InsufficientPrivilege):
        rows(logins.user(logins.analyst), "SELECT amount FROM billcom.purchase_orders")


def test_what_a_superuser_upgrades_belongs_to_the_owner_all_the_same(logins: Logins) -> None:
    open_warehouse(logins.administrator, entities=MORE).close()
    assert rows(logins.administrator, OWNERS) == [(logins.owner,)]
    assert rows(logins.user(logins.analyst), "SELECT amount FROM billcom_analyst.purchase_orders") == []


def test_a_runner_opens_what_is_up_to_date_and_is_told_who_upgrades_what_is_not(logins: Logins) -> None:
    runner = logins.user(logins.runner)
    open_warehouse(runner).close()
    with pytest.raises(WarehouseError) as caught:
        open_warehouse(runner, entities=MORE)
    assert "may not change them" in caught.value.message
    assert logins.owner in caught.value.next_step
    assert rows(logins.administrator, "SELECT to_regclass('billcom.purchase_orders')") == [(None,)]
    open_warehouse(logins.user(logins.owner), entities=MORE).close()
    open_warehouse(runner, entities=MORE).close()


def test_a_column_that_becomes_sensitive_is_emptied_and_what_analysts_built_on_it_stays(logins: Logins) -> None:
    rows(logins.administrator, VENDOR)
    open_warehouse(logins.administrator, entities=changed("vendors", phone=False)).close()
    assert rows(logins.user(logins.analyst), "SELECT name, phone FROM billcom_analyst.vendors") == [
        ("Paper & Co", "555-0100")
    ]
    reporting = logins.user(logins.analyst)
    rows(logins.administrator, "CREATE SCHEMA reports; GRANT USAGE, CREATE ON SCHEMA reports TO PUBLIC")
    rows(reporting, "CREATE VIEW reports.phones AS SELECT name, phone FROM billcom_analyst.vendors")

    open_warehouse(logins.user(logins.owner)).close()

    assert rows(reporting, "SELECT * FROM reports.phones") == [("Paper & Co", None)]
    assert rows(reporting, "SELECT name, phone FROM billcom_analyst.vendors") == [("Paper & Co", None)]


def test_a_view_of_a_table_that_analysts_no_longer_see_is_emptied(logins: Logins) -> None:
    rows(logins.administrator, "INSERT INTO billcom.request_budget (developer_key, hour) VALUES ('a digest', now())")
    view = "CREATE VIEW billcom_analyst.request_budget AS SELECT developer_key FROM billcom.request_budget"
    rows(logins.user(logins.owner), f"SET ROLE {logins.owner}; {view}")
    analyst = logins.user(logins.analyst)
    assert rows(analyst, "SELECT * FROM billcom_analyst.request_budget") == [("a digest",)]
    open_warehouse(logins.user(logins.owner), entities=MORE).close()
    assert rows(analyst, "SELECT * FROM billcom_analyst.request_budget") == []


def test_without_roles_an_upgrade_makes_no_schema_for_analysts(postgres: Postgres) -> None:
    url = postgres.create()
    open_warehouse(url, entities=MORE).close()
    assert rows(url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'billcom_analyst'") == [(0,)]
    postgres.drop(url)


def test_an_upgrade_leaves_a_schema_of_that_name_alone_that_is_somebody_elses(postgres: Postgres) -> None:
    url = postgres.create(template=None)
    logins = Logins.of(url)
    user = logins.user()
    rows(
        url, "CREATE SCHEMA billcom_analyst; GRANT CREATE ON DATABASE " + url.split("/")[3].split("?")[0] + " TO PUBLIC"
    )
    open_warehouse(user).close()
    assert rows(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'billcom_analyst'::regnamespace") == [(0,)]
    postgres.drop(url)


def without_index(entity: Entity) -> Entity:
    """Bills whose vendor is no reference, or with one column fewer: what a later version indexes and fills."""
    if entity.name != "bills":
        return entity
    kept = (one for one in entity.columns if one.name != "invoice_number")
    return replace(entity, columns=tuple(replace(one, references=None) for one in kept))


@pytest.fixture
def behind(postgres: Postgres) -> Iterator[Logins]:
    """A database with roles, an index and rows behind this version."""
    url = postgres.create(template=None)
    logins = Logins.of(url)
    open_warehouse(url, entities=tuple(map(without_index, CATALOG))).close()
    rows(url, BILL)
    old = open_warehouse(url, entities=tuple(map(without_index, CATALOG)))
    with old.write() as connection:
        apply(connection, steps(connection, old.mirror, Roles(logins.owner, logins.runner, logins.analyst)))
    old.close()
    yield logins
    postgres.drop(url)


BILL = """
    INSERT INTO billcom.bills (integration, id, first_seen_at, synced_at, payload, payload_digest)
    VALUES ('acme', '1', now(), now(), '{"id": "1", "invoice": {"invoiceNumber": "A-1"}}', 'x')
"""
INDEX = "SELECT tableowner FROM pg_indexes i JOIN pg_tables t USING (tablename) WHERE indexname = 'ix_bills_vendor_id'"


def test_the_owner_fills_rows_and_makes_indexes_and_its_session_is_its_own_again(behind: Logins) -> None:
    warehouse = open_warehouse(behind.user(behind.owner))
    assert warehouse.notices == ()
    with warehouse.read() as connection:
        assert connection.exec_driver_sql("SELECT current_user = session_user").scalar() is True
    warehouse.close()
    assert rows(behind.administrator, INDEX) == [(behind.owner,)]
    assert rows(behind.administrator, "SELECT invoice_number FROM billcom.bills") == [("A-1",)]
    assert rows(behind.administrator, OWNERS) == [(behind.owner,)]


LEFT = """
    DROP INDEX billcom.ix_bills_vendor_id;
    INSERT INTO billcom.mirror_parts VALUES ('index', 'ix_bills_vendor_id', '', false, NULL, NULL, now());
    UPDATE billcom.mirror_parts SET complete = false WHERE name IN ('bills', 'ap_aging');
    UPDATE billcom.bills SET invoice_number = NULL
"""


def test_a_runner_fills_what_is_left_and_is_told_who_makes_the_view_and_the_index(behind: Logins) -> None:
    open_warehouse(behind.user(behind.owner)).close()
    rows(behind.administrator, LEFT)
    by_runner = open_warehouse(behind.user(behind.runner))
    by_runner.close()
    view, index = by_runner.notices
    assert "replace the view ap_aging" in view
    assert "make the index ix_bills_vendor_id" in index
    assert all("may not change" in notice and behind.owner in notice for notice in (view, index))
    assert rows(behind.administrator, "SELECT invoice_number FROM billcom.bills") == [("A-1",)]
    assert rows(behind.administrator, INDEX) == []

    by_owner = open_warehouse(behind.user(behind.owner))
    by_owner.close()
    assert by_owner.notices == ()
    assert rows(behind.administrator, INDEX) == [(behind.owner,)]


def test_a_session_of_an_analyst_in_the_way_of_an_upgrade_is_named(logins: Logins) -> None:
    with connected(logins.user(logins.analyst)) as reader, reader.transaction():
        reader.execute("SELECT * FROM billcom_analyst.vendors")
        with pytest.raises(Busy, match=rf"billcom_analyst\.vendors by session {reader.info.backend_pid}"):
            open_warehouse(logins.user(logins.owner), entities=MORE, waits=Waits(lock_seconds=0.2))
    open_warehouse(logins.user(logins.owner), entities=MORE).close()


def test_a_replaced_view_keeps_its_comment_also_where_one_acts_as_the_owner(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(logins.administrator, "COMMENT ON VIEW billcom.ap_aging IS 'Read on Mondays, 100 %'")
    monkeypatch.setattr(aging, "BUCKETS", aging.BUCKETS[:-1])
    upgraded = open_warehouse(logins.administrator)
    upgraded.close()
    assert upgraded.notices == ()
    kept = "SELECT obj_description('billcom.ap_aging'::regclass)"
    assert rows(logins.administrator, kept) == [("Read on Mondays, 100 %",)]
    assert rows(logins.administrator, OWNERS) == [(logins.owner,)]
