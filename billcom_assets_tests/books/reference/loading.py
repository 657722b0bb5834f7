"""Loading what is known of one integration from a warehouse: whole tables, picked apart here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, select

from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
    mappings,
)
from billcom_assets.warehouse.tables import integrations, sync_state
from billcom_assets_tests.books.reference.snapshot import (
    ALL_KINDS,
    DIMENSIONS,
    Bill,
    BillObject,
    CreditMemo,
    Document,
    DocumentLine,
    FundingAccount,
    Invoice,
    Item,
    LedgerAccount,
    LedgerObject,
    MoneyMovement,
    Party,
    ReceivedPayment,
    Settled,
    Snapshot,
    VendorCredit,
    VendorPayment,
    VoidRequest,
)

_Row = RowMapping
_Children = Mapping[str, list[_Row]]
_CLASSIFIED = {column: f"classifications_{column}_id" for column in DIMENSIONS}


def load_snapshot(conn: Connection, integration: str) -> Snapshot:
    """What is known of the integration now; raises LookupError when there is none."""
    found = [row for row in _all(conn, integrations) if row["key"] == integration]
    if not found:
        raise LookupError(integration)
    return Snapshot(
        documents=tuple(one for kind in ALL_KINDS for one in _documents(conn, integration, kind)),
        objects={entity: _objects(conn, integration, entity) for entity in _OBJECTS},
        mappings=_mappings(conn, integration),
        ledger=_ledger(conn, integration),
        pulled=_pulled(conn, integration),
        cutoff=found[0]["cutoff"],
        home_currency=found[0]["home_currency"],
    )


def _all(conn: Connection, table: Table) -> list[_Row]:
    return list(conn.execute(select(table)).mappings())


def _of(conn: Connection, table: Table, integration: str) -> list[_Row]:
    return [row for row in _all(conn, table) if row["integration"] == integration]


def _mappings(conn: Connection, integration: str) -> dict[tuple[str, str], str | None]:
    return {
        (row["kind"], row["bill_id"]): row["ledger_id"] if row["state"] == "mapped" else None
        for row in _of(conn, mappings, integration)
    }


def _pulled(conn: Connection, integration: str) -> frozenset[str]:
    rows = _of(conn, sync_state, integration)
    return frozenset(row["entity"] for row in rows if row["first_pulled_at"] is not None)


def _ledger(conn: Connection, integration: str) -> dict[str, dict[str, LedgerObject]]:
    lists: dict[str, dict[str, LedgerObject]] = defaultdict(dict)
    for row in _of(conn, ledger_accounts, integration):
        lists["accounts"][row["id"]] = LedgerAccount(active=row["active"], type=row["type"], postable=row["postable"])
    for name, table in (("vendors", ledger_vendors), ("customers", ledger_customers), ("items", ledger_items)):
        lists[name] = {row["id"]: LedgerObject(active=row["active"]) for row in _of(conn, table, integration)}
    for row in _of(conn, ledger_dimensions, integration):
        lists[row["kind"]][row["id"]] = LedgerObject(active=row["active"])
    return lists


def _objects(conn: Connection, integration: str, entity: str) -> dict[str, BillObject]:
    make = _OBJECTS[entity]
    rows = _of(conn, catalog_mirror().table(entity), integration)
    return {row["id"]: make(row) for row in rows}


def _identity(row: _Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "deleted": row["deleted_at"] is not None,
        "merged_into": row.get("merged_into_id"),
    }


_OBJECTS: dict[str, Callable[[_Row], BillObject]] = {
    "vendors": lambda row: Party(**_identity(row), currency=row["bill_currency"]),
    "customers": lambda row: Party(**_identity(row), currency=row["invoice_currency"]),
    "accounts": lambda row: BillObject(**_identity(row)),
    "items": lambda row: Item(
        **_identity(row),
        sales_account=row["chart_of_account_id"],
        purchase_account=row["expense_chart_of_account_id"],
    ),
    "funding_accounts": lambda row: FundingAccount(
        **_identity(row), kind=row["kind"], account=row["chart_of_account_id"]
    ),
    **dict.fromkeys(DIMENSIONS.values(), lambda row: BillObject(**_identity(row))),
}


def _documents(conn: Connection, integration: str, kind: str) -> list[Document]:
    make, child, owner = _DOCUMENTS[kind]
    mirror = catalog_mirror()
    children = _grouped(_of(conn, mirror.table(child), integration), owner) if child else {}
    others = _USAGES.get(kind)
    usages = _grouped(_of(conn, mirror.table(others), integration), owner) if others else {}
    return [
        make(row, children.get(row["id"], []), usages.get(row["id"], []))
        for row in _of(conn, mirror.table(kind), integration)
    ]


def _grouped(rows: list[_Row], owner: str) -> _Children:
    groups: dict[str, list[_Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["position"]):
        groups[row[owner]].append(row)
    return groups


def _common(row: _Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "created": row["created_time"],
        "updated": row["updated_time"],
        "archived": row["archived"] is True,
        "deleted": row["deleted_at"] is not None,
        "status": row.get("status"),
        "record_status": row.get("record_status"),
        "party": row.get("vendor_id") or row.get("customer_id"),
        "amount": row.get("amount"),
    }


def _lines(rows: list[_Row]) -> tuple[DocumentLine, ...]:
    return tuple(
        DocumentLine(
            amount=row.get("amount"),
            price=row.get("price"),
            quantity=row.get("quantity"),
            account=row["classifications_chart_of_account_id"],
            item=row["classifications_item_id"],
            **{column: row.get(name) for column, name in _CLASSIFIED.items()},
        )
        for row in rows
    )


def _settled(rows: list[_Row], document: str) -> tuple[Settled, ...]:
    return tuple(
        Settled(
            document=row[document],
            amount=row["amount"],
            payment=row.get("payment_id"),
            credits=tuple(_number(one.get("amount") or 0) for one in row.get("vendor_credits") or ()),
        )
        for row in rows
    )


def _number(value: Any) -> Decimal:
    return Decimal(str(value))


def _moment(value: str | None) -> datetime | None:
    if not value:
        return None
    found = datetime.fromisoformat(value)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _bill(row: _Row, lines: list[_Row], usages: list[_Row]) -> Bill:
    return Bill(
        **_common(row),
        number=row["invoice_number"],
        date=row["invoice_date"],
        lines=_lines(lines),
        exchange_rate=row["exchange_rate"],
        approval_status=row["approval_status"],
        gl_posting_date=row["gl_posting_date"],
        funding_amount=row["funding_amount"],
        header_account=row["classifications_chart_of_account_id"],
    )


def _vendor_credit(row: _Row, lines: list[_Row], usages: list[_Row]) -> VendorCredit:
    return VendorCredit(
        **_common(row),
        number=row["reference_number"],
        date=row["credit_date"],
        lines=_lines(lines),
        exchange_rate=row["exchange_rate"],
        approval_status=row["approval_status"],
        gl_posting_date=row["gl_posting_date"],
        usages=_settled(usages, "bill_id"),
    )


def _vendor_payment(row: _Row, parts: list[_Row], usages: list[_Row]) -> VendorPayment:
    return VendorPayment(
        **_common(row),
        number=row["transaction_number"],
        date=row["process_date"],
        bill=row["bill_id"],
        parts=_settled(parts, "bill_id"),
        funding_amount=row["funding_amount"],
        exchange_rate=row["exchange_rate"],
        online=row["online_payment"],
        funding_type=row["funding_account_type"],
        funding_id=row["funding_account_id"],
        bank_account=row["bank_account_id"],
        card_account=row["card_account_id"],
        account=row["chart_of_account_id"],
        recorded_account=row["classifications_chart_of_account_id"],
        void_requests=tuple(
            VoidRequest(status=one.get("status"), updated=_moment(one.get("updatedTime")))
            for one in row["void_info"] or ()
        ),
        voided=row["voided_time"],
    )


def _invoice(row: _Row, lines: list[_Row], usages: list[_Row]) -> Invoice:
    return Invoice(
        **_common(row) | {"amount": row["total_amount"]},
        number=row["invoice_number"],
        date=row["invoice_date"],
        lines=_lines(lines),
        exchange_rate=row["exchange_rate"],
        tax=row["sales_tax_total"],
        tax_item=row["sales_tax_item_id"],
    )


def _credit_memo(row: _Row, lines: list[_Row], usages: list[_Row]) -> CreditMemo:
    return CreditMemo(
        **_common(row),
        number=row["reference_number"],
        date=row["credit_date"],
        lines=_lines(lines),
        tax=row["sales_tax_total"],
        tax_item=row["sales_tax_item_id"],
        usages=_settled(usages, "invoice_id"),
    )


def _received_payment(row: _Row, parts: list[_Row], usages: list[_Row]) -> ReceivedPayment:
    return ReceivedPayment(
        **_common(row),
        number=row["reference_number"],
        date=row["payment_date"],
        parts=_settled(parts, "invoice_id"),
        unapplied=row["unapplied_amount"],
        online=row["online_payment"],
        funding_type=row["receivables_account_type"],
        funding_id=row["receivables_account_id"],
    )


def _movement(row: _Row, items: list[_Row], usages: list[_Row]) -> MoneyMovement:
    return MoneyMovement(
        **_common(row),
        number=row["name"],
        date=row["process_date"],
        type=row["type"],
        bank_account=row["bank_account_id"],
    )


_DOCUMENTS: dict[str, tuple[Callable[[_Row, list[_Row], list[_Row]], Document], str | None, str]] = {
    "bills": (_bill, "bill_line_items", "bill_id"),
    "vendor_credits": (_vendor_credit, "vendor_credit_line_items", "vendor_credit_id"),
    "vendor_payments": (_vendor_payment, "vendor_payment_bills", "vendor_payment_id"),
    "invoices": (_invoice, "invoice_line_items", "invoice_id"),
    "credit_memos": (_credit_memo, "credit_memo_line_items", "credit_memo_id"),
    "receivable_payments": (_received_payment, "receivable_payment_invoices", "receivable_payment_id"),
    "money_movements": (_movement, None, ""),
}
"""How a document is made, and the table of its lines or parts with the column that names their owner."""
_USAGES = {"vendor_credits": "vendor_credit_usages", "credit_memos": "credit_memo_usages"}
