"""What analysts may see is decided for every table and column, and closed where nobody decided."""

from __future__ import annotations

from dataclasses import replace

from billcom_assets.entities import model
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import ColumnType, Entity
from billcom_assets.warehouse.analysts import WITHHELD, fingerprint, our_tables, shown
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.types import Json
from billcom_assets_tests.warehouse.test_growth import PURCHASE_ORDERS

NEVER = {
    *("payload", "payload_digest", "credentials", "session", "developer_key", "tax_id", "email", "walk"),
    *("message", "status_message", "error", "reason", "decided_by", "base_url", "v2_base_url"),
}
"""Columns that no table shows, however it comes by one."""
HARMLESS = {"ledger_documents": {"reason"}}
"""Columns of such a name that hold nothing but codes of ours."""


def columns_shown(*entities: Entity) -> dict[str, set[str]]:
    return {one.table: set(one.columns) for one in shown(Mirror.of(entities or tuple(CATALOG)))}


def test_every_table_of_ours_is_either_shown_or_withheld_for_a_reason() -> None:
    visible = columns_shown().keys()
    undecided = our_tables().keys() - visible - WITHHELD.keys()
    assert undecided == set(), "decide in warehouse/analysts.py what analysts see of these"
    assert visible & WITHHELD.keys() == set()
    assert all(WITHHELD.values())


def test_every_table_of_the_mirror_is_shown_without_sensitive_columns_and_json() -> None:
    visible = columns_shown()
    for entity in CATALOG:
        for table, columns in ((entity.name, entity.columns), *((one.table, one.columns) for one in entity.children)):
            secret = {one.name for one in columns if one.sensitive or one.type is ColumnType.JSON}
            assert visible[table] & secret == set(), table
            assert visible[table] >= {one.name for one in columns} - secret, table


def test_no_table_shows_what_none_may() -> None:
    for table, columns in columns_shown().items():
        assert columns & NEVER - HARMLESS.get(table, set()) == set(), table
        if table in our_tables():
            nested = {column.name for column in our_tables()[table].columns if isinstance(column.type, Json)}
            assert columns & nested == set(), table


def test_a_new_entity_is_shown_by_the_same_rules() -> None:
    secret = model.text("contact.email", "Somebody's address.", sensitive=True)
    entity = replace(PURCHASE_ORDERS, columns=(*PURCHASE_ORDERS.columns, secret, model.nested("terms", "Terms.")))
    visible = columns_shown(*CATALOG, entity)
    assert {"vendor_id", "amount", "order_date", "synced_at"} <= visible["purchase_orders"]
    assert {"contact_email", "terms", "payload"} & visible["purchase_orders"] == set()
    assert visible["purchase_order_lines"] == {
        *("integration", "purchase_order_id", "position", "description", "quantity")
    }


def test_a_changed_rule_makes_an_upgrade() -> None:
    mirror = Mirror.of(tuple(CATALOG))
    assert fingerprint(mirror) == fingerprint(Mirror.of(tuple(CATALOG)))
    assert fingerprint(mirror) != fingerprint(Mirror.of((*CATALOG, PURCHASE_ORDERS)))
