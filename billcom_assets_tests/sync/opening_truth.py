"""What must be kept of documents before the cutoff, read plainly from BILL's own objects, and what is kept.

Nothing here uses the code under test but the tables' definitions: every field is named once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import literal_column, select

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import Organization
from billcom_assets.warehouse.books_tables import opening_applications, opening_documents
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.truth import Doc, objects

DATED = ("bills", "vendor_credits", "vendor_payments")
Found = tuple[dict[tuple[str, str], tuple[Any, ...]], dict[tuple[str, str, int], tuple[str, Decimal]]]
"""Documents by entity and id, and applications by entity, id and position."""

_DATES: dict[str, Callable[[Doc], str]] = {
    "bills": lambda doc: str(doc["invoice"]["invoiceDate"]),
    "vendor_credits": lambda doc: str(doc["creditDate"]),
    "vendor_payments": lambda doc: str(doc["processDate"]),
}
_NUMBERS: dict[str, Callable[[Doc], str | None]] = {
    "bills": lambda doc: doc["invoice"].get("invoiceNumber"),
    "vendor_credits": lambda doc: doc.get("referenceNumber"),
    "vendor_payments": lambda doc: doc.get("transactionNumber"),
}
_OPEN: dict[str, Callable[[Doc], Decimal]] = {
    "bills": lambda doc: _money(doc["dueAmount"]) + _money(doc["scheduledAmount"]),
    "vendor_credits": lambda doc: _money(doc["amount"]) - _money(doc["appliedAmount"]),
    "vendor_payments": lambda _doc: Decimal(0),
}
_PARTS = {"bills": None, "vendor_credits": "usage", "vendor_payments": "billPayments"}
_NOTHING = ("VOID", "CANCELLED", "CANCELED", "SCHEDULED", "APPROVING", "DRAFT", "DRAFT_DELETED")


def dated(entity: str, doc: Doc) -> date:
    """The date that the cutoff looks at."""
    return date.fromisoformat(_DATES[entity](doc)[:10])


def is_left_out(entity: str, doc: Doc, cutoff: date) -> bool:
    """Dated before the cutoff, and no payment that was voided since."""
    return dated(entity, doc) < cutoff and not any(day >= cutoff for day in _voids(doc))


def _voids(doc: Doc) -> Iterator[date]:
    if doc.get("status") in ("VOID", "CANCELLED", "CANCELED"):
        for request in doc.get("voidInfo", ()):
            if request["status"] == "ACCEPTED":
                yield datetime.fromisoformat(request["updatedTime"]).astimezone(UTC).date()


def opening(organization: Organization, cutoff: date, mirrored: Collection[str] = (), home: str = "USD") -> Found:
    """What must be kept.

    Args:
        organization: BILL's truth.
        cutoff: In force.
        mirrored: Ids of documents that the mirror has whatever the cutoff says.
        home: The company's currency.
    """
    currencies = {doc["id"]: doc.get("billCurrency") for doc in objects(organization, CATALOG["vendors"])}
    found: Found = {}, {}
    for entity in DATED:
        for doc in objects(organization, CATALOG[entity]):
            if doc["id"] in mirrored or not is_left_out(entity, doc, cutoff):
                continue
            if doc.get("archived") or {doc.get("recordStatus"), doc.get("status")} & set(_NOTHING):
                continue
            found[0][entity, doc["id"]] = (
                doc["vendorId"],
                _NUMBERS[entity](doc),
                dated(entity, doc),
                currencies.get(doc["vendorId"]) or home,
                _money(doc["amount"]),
                _OPEN[entity](doc),
            )
            for position, part in enumerate(doc.get(_PARTS[entity] or "", ())):
                found[1][entity, doc["id"], position] = part["billId"], _money(part["amount"])
    return found


def kept(warehouse: Warehouse, integration: str) -> Found:
    """What is kept."""
    d, a = opening_documents.c, opening_applications.c
    with warehouse.read() as connection:
        documents = connection.execute(select(opening_documents).where(d.integration == integration)).all()
        applications = connection.execute(select(opening_applications).where(a.integration == integration)).all()
    return (
        {(row.entity, row.id): tuple(row)[3:] for row in documents},
        {(row.entity, row.document_id, row.position): (row.settled_id, row.amount) for row in applications},
    )


def versions(warehouse: Warehouse) -> set[tuple[Any, ...]]:
    """Which version of which row is stored, as the database itself numbers them."""
    number = literal_column("ctid::text" if warehouse.is_postgresql else "rowid")
    with warehouse.read() as connection:
        return {
            (table.name, *row)
            for table in (opening_documents, opening_applications)
            for row in connection.execute(select(*table.primary_key, number))
        }


def _money(value: Any) -> Decimal:
    return Decimal(str(value))
