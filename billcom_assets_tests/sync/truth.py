"""What the mirror must hold, read plainly from BILL's own objects, and what it does hold.

Nothing here uses the code under test but the declarations and the tables' definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Column, ColumnType, Entity
from billcom_assets.sandbox import Organization
from billcom_assets.sandbox.v2.shapes import v2_rows
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.v2_truth import with_v2

Doc = dict[str, Any]
Rows = dict[Any, dict[str, Any]]

_OURS = (
    *("integration", "deleted_at", "unreadable_since", "first_seen_at", "synced_at", "payload_digest"),
    *("v2_payload", "v2_digest", "v2_read_for"),
)


def objects(organization: Organization, entity: Entity) -> list[Doc]:
    """The entity's objects as BILL's list has them now."""
    if entity.is_of_v2:
        return v2_rows(organization, entity.path.removeprefix("/api/v2/List/").removesuffix(".json"))
    docs = organization.rows(entity.path)
    if entity.name == "funding_accounts":
        return [*docs, *funding_elsewhere(organization)]
    if entity.name == "bills" and organization.readings.settings.approvals_undefined:
        return [doc | {"approvalStatus": "UNDEFINED"} for doc in docs]
    if entity.name == "vendors" and organization.readings.settings.thin_vendor_lists:
        return [{key: value for key, value in doc.items() if key != "paymentInformation"} for doc in docs]
    return docs


def funding_elsewhere(organization: Organization) -> list[Doc]:
    """What pays and is paid into beside the bank accounts: listed cards, and what only payments name."""
    cards = [card | {"kind": "CARD_ACCOUNT"} for listed in organization.cards.values() for card in listed]
    cards += [card | {"kind": "AP_CARD"} for card in organization.ap_cards]
    known = {card["id"] for card in cards}
    named = {}
    for entity, key in (("vendor_payments", "fundingAccount"), ("receivable_payments", "receivablesAccount")):
        for doc in organization.rows(CATALOG[entity].path):
            account = doc.get(key) or {}
            kind = account.get("type", "BANK_ACCOUNT")
            identifier = "WALLET" if kind == "WALLET" else account.get("id")
            if kind != "BANK_ACCOUNT" and identifier not in known:
                named.setdefault(identifier, {"id": identifier, "kind": kind, "namedBy": entity})
    return [*cards, *named.values()]


def expected(entity: Entity, docs: Sequence[Doc], both: Sequence[Doc]) -> dict[str, Rows]:
    """Every row of the entity's tables by its key within the integration.

    Args:
        entity: Which.
        docs: Its objects as v3 has them.
        both: The same with what v2 adds.
    """
    tables: dict[str, Rows] = {name: {} for name in entity.tables()}
    for sent, doc in zip(docs, both, strict=True):
        tables[entity.name][doc["id"]] = {
            "id": doc["id"],
            "archived": doc.get("archived"),
            "created_time": _instant(doc.get("createdTime")),
            "updated_time": _instant(doc.get("updatedTime")),
            **{column.name: _value(doc, column) for column in entity.columns},
            "payload": without_nulls(sent),
        }
        for child in entity.children:
            for position, line in enumerate(_at(doc, child.path) or ()):
                tables[child.table][doc["id"], position] = {
                    entity.id_column: doc["id"],
                    "position": position,
                    **{column.name: _value(line, column) for column in child.columns},
                }
    return tables


def stored(warehouse: Warehouse, entity: Entity, integration: str) -> dict[str, Rows]:
    """The same, as it is in the database."""
    tables: dict[str, Rows] = {}
    with warehouse.read() as connection:
        for name in entity.tables():
            table = warehouse.mirror.table(name)
            rows = connection.execute(select(table).where(table.c.integration == integration)).mappings()
            tables[name] = {_key(table, row): _comparable(row) for row in rows}
    return tables


def differences(
    warehouse: Warehouse,
    integration: str,
    truth: dict[str, dict[str, Rows]],
) -> list[str]:
    """In words, what differs between the mirror and ``truth`` (rows of every table by entity); [] when nothing does."""
    found: list[str] = []
    for name, tables in truth.items():
        mirrored = stored(warehouse, CATALOG[name], integration)
        for table, rows in tables.items():
            if table == "bill_approvals":
                # Who decided a bill stays known where it was pending in an earlier sync.
                pending = {bill for bill, _ in rows}
                mirrored[table] = {key: row for key, row in mirrored[table].items() if key[0] in pending}
            found += [f"{table} {key}: missing" for key in rows.keys() - mirrored[table].keys()]
            found += [f"{table} {key}: not BILL's" for key in mirrored[table].keys() - rows.keys()]
            for key in rows.keys() & mirrored[table].keys():
                ours, theirs = mirrored[table][key], rows[key]
                assert ours.keys() == theirs.keys(), f"{table} has other columns than declared"
                found += [
                    f"{table} {key} {column}: {ours[column]!r} instead of {value!r}"
                    for column, value in theirs.items()
                    if not _same(ours[column], value)
                ]
    return found


def written_at(warehouse: Warehouse, integration: str) -> dict[tuple[str, str], datetime]:
    """When each object's row was last written, by entity and id."""
    found: dict[tuple[str, str], datetime] = {}
    with warehouse.read() as connection:
        for entity in CATALOG:
            table = warehouse.mirror.table(entity.name)
            query = select(table.c.id, table.c.synced_at).where(table.c.integration == integration)
            found |= {(entity.name, row.id): row.synced_at for row in connection.execute(query)}
    return found


def truth_of(organization: Organization, *, v2: bool = True) -> dict[str, dict[str, Rows]]:
    """Every row of every table by entity, as BILL is now; without ``v2`` as far as v3 shows it."""
    listed = {entity: objects(organization, entity) for entity in CATALOG if v2 or not entity.is_of_v2}
    return {
        entity.name: expected(entity, docs, with_v2(organization, entity.name, docs, is_asked=v2))
        for entity, docs in listed.items()
    }


def payloads(organization: Organization) -> dict[str, dict[str, Doc]]:
    """Every object by entity and id, nulls removed."""
    return {entity.name: {doc["id"]: without_nulls(doc) for doc in objects(organization, entity)} for entity in CATALOG}


def changed_ids(before: dict[str, dict[str, Doc]], after: dict[str, dict[str, Doc]]) -> set[tuple[str, str]]:
    """(entity, id) of every object that is new or no longer the same."""
    return {
        (name, identifier)
        for name, docs in after.items()
        for identifier, doc in docs.items()
        if before[name].get(identifier) != doc
    }


def without_nulls(value: Any) -> Any:
    """The value without the null members of its objects."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value


def _at(node: Any, path: str) -> Any:
    for key in path.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _instant(text: Any) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _value(node: Doc, column: Column) -> Any:
    value = _at(node, column.path)
    if value in (None, {}, "0" * 20):
        if column.or_kind and _at(node, column.or_kind[0]) == column.or_kind[1]:
            return column.or_kind[1]
        return column.absent
    match column.type:
        case ColumnType.MONEY | ColumnType.NUMBER:
            return Decimal(str(value))
        case ColumnType.DATE:
            return date.fromisoformat(value[:10])
        case ColumnType.TIMESTAMP:
            return _instant(value)
        case ColumnType.JSON:
            return without_nulls(value)
    return value


def _key(table: Table, row: Any) -> Any:
    key = tuple(row[column.name] for column in table.primary_key if column.name != "integration")
    return key[0] if len(key) == 1 else key


def _comparable(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _OURS}


def _same(ours: Any, theirs: Any) -> bool:
    # A float would equal a Decimal now and then: it must not come out of the database at all.
    return ours == theirs and not isinstance(ours, float)
