"""Names of what the journal names by id: accounts, vendors and customers, items, dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Table, select

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.hierarchy import full_names
from billcom_assets.warehouse.books_tables import DIMENSIONS
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
)

VENDORS: Final = "vendors"
CUSTOMERS: Final = "customers"
_OF_CUSTOMERS: Final = frozenset({"invoices", "credit_memos", "receivable_payments"})
_LEDGER_PARTIES: Final[Mapping[str, Table]] = {VENDORS: ledger_vendors, CUSTOMERS: ledger_customers}
_KINDS: Final = {"accounting_class": "accounting_classes"} | {
    one: f"{one}s" for one in DIMENSIONS if one != "accounting_class"
}
UNKNOWN_TYPE: Final = "UNSPECIFIED"


def party_entity(kind: str) -> str:
    """Whom documents of the kind are from or for: ``vendors`` or ``customers``."""
    return CUSTOMERS if kind in _OF_CUSTOMERS else VENDORS


def control_entity(account_type: str) -> str:
    """Who stands on a control account of the type."""
    return CUSTOMERS if account_type == AccountType.ACCOUNTS_RECEIVABLE else VENDORS


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account of the company's ledger."""

    id: str
    number: str
    name: str
    full_name: str
    """With its parents before it: ``Utilities:Electricity``."""
    type: str
    """One of BILL's 17 account types."""
    parent_id: str | None
    active: bool


@dataclass(frozen=True)
class Names:
    """The names by id; what has none goes by its id."""

    accounts: Mapping[str, NamedAccount]
    bill_parties: Mapping[tuple[str, str], str]
    """By entity and BILL's id."""
    ledger_parties: Mapping[tuple[str, str], str]
    """By entity and the ledger's id."""
    items: Mapping[str, str]
    dimensions: Mapping[tuple[str, str], str]
    """Full names by the column of ``ledger_lines`` and the ledger's id."""

    def account(self, id_: str) -> NamedAccount:
        """The account, also one that the ledger does not have."""
        return self.accounts.get(id_) or NamedAccount(id_, "", id_, id_, UNKNOWN_TYPE, None, active=False)

    def party(self, entity: str, party: str | None, ledger_party: str | None) -> str:
        """What the company calls the vendor or customer, else what BILL does; empty for none."""
        own = self.ledger_parties.get((entity, ledger_party)) if ledger_party else None
        return own or (self.bill_party(entity, party) if party else ledger_party or "")

    def bill_party(self, entity: str, party: str) -> str:
        """What BILL calls the vendor or customer."""
        return self.bill_parties.get((entity, party)) or party

    def item(self, id_: str | None) -> str:
        """The item's name; empty for none."""
        return self.items.get(id_, id_) if id_ else ""

    def dimension(self, column: str, id_: str | None) -> str:
        """The full name of a department, job, ...; empty for none."""
        return self.dimensions.get((column, id_), id_) if id_ else ""


def names(connection: Connection, integration: str) -> Names:
    """The names of one integration; memory grows with its lists, not with the journal."""
    return Names(
        accounts=_accounts(connection, integration),
        bill_parties=_bill_parties(connection, integration),
        ledger_parties={
            (entity, id_): name
            for entity, table in _LEDGER_PARTIES.items()
            for id_, name in _by_id(connection, integration, table).items()
        },
        items=_by_id(connection, integration, ledger_items),
        dimensions=_dimensions(connection, integration),
    )


def _by_id(connection: Connection, integration: str, table: Table) -> dict[str, str]:
    rows = connection.execute(select(table.c.id, table.c.name).where(table.c.integration == integration))
    return {row.id: row.name for row in rows}


def _accounts(connection: Connection, integration: str) -> dict[str, NamedAccount]:
    t = ledger_accounts.c
    query = select(t.id, t.number, t.name, t.type, t.parent_id, t.active).where(t.integration == integration)
    rows = connection.execute(query).all()
    full = full_names({row.id: (row.name, row.parent_id) for row in rows})
    return {
        row.id: NamedAccount(row.id, row.number or "", row.name, full[row.id], row.type, row.parent_id, row.active)
        for row in rows
    }


def _bill_parties(connection: Connection, integration: str) -> dict[tuple[str, str], str]:
    return {
        (entity, id_): name
        for entity in (VENDORS, CUSTOMERS)
        for id_, name in _by_id(connection, integration, catalog_mirror().table(entity)).items()
    }


def _dimensions(connection: Connection, integration: str) -> dict[tuple[str, str], str]:
    t = ledger_dimensions.c
    query = select(t.kind, t.id, t.name, t.parent_id).where(t.integration == integration)
    rows = connection.execute(query).all()
    found: dict[tuple[str, str], str] = {}
    for column, kind in _KINDS.items():
        full = full_names({row.id: (row.name, row.parent_id) for row in rows if row.kind == kind})
        found |= {(column, id_): name for id_, name in full.items()}
    return found
