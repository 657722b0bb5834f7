"""A small company to test with: BILL objects in the mirror and the ledger's own records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from billcom_assets.warehouse import ledger_tables, tables
from billcom_assets.warehouse.audit import Actor, How
from billcom_assets.warehouse.catalog_mirror import catalog_mirror

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
KEY = "acme-us"
ADA = Actor(1000, "ada", How.COMMAND)


def connect(conn: Connection, key: str = KEY, **changes: Any) -> None:
    values = {
        "key": key,
        "company": f"Company of {key}",
        "organization_id": "00802MATXEXPZAUxv55n",
        "environment": "stage",
        "credentials": "sealed",
        "status": "connected",
        "created_at": NOW,
        "updated_at": NOW,
    }
    conn.execute(insert(tables.integrations).values(values | changes))


@dataclass
class Books:
    """Writes rows of one integration."""

    conn: Connection
    key: str = KEY

    def bill(self, table: str, id_: str, **values: Any) -> str:
        target = catalog_mirror().table(table)
        row = {
            "integration": self.key,
            "id": id_,
            "archived": False,
            "first_seen_at": NOW,
            "synced_at": NOW,
            "payload": "{}",
            "payload_digest": "",
        }
        wanted = {name: value for name, value in (row | values).items() if name in target.c or name in values}
        self.conn.execute(insert(target).values(wanted))
        return id_

    def line(self, table: str, position: int, **values: Any) -> None:
        self.conn.execute(
            insert(catalog_mirror().table(table)).values({"integration": self.key, "position": position, **values})
        )

    def change(self, table: str, id_: str, **values: Any) -> None:
        t = catalog_mirror().table(table)
        self.conn.execute(update(t).where(t.c.integration == self.key, t.c.id == id_).values(values))

    def account(self, id_: str, name: str, type_: str = "EXPENSE", number: str | None = None, **values: Any) -> str:
        return self.bill("accounts", id_, name=name, account_type=type_, account_number=number, **values)

    def vendor(self, id_: str, name: str, tax_id: str | None = None, **values: Any) -> str:
        return self.bill("vendors", id_, name=name, additional_info_tax_id=tax_id, **values)

    def ledger(self, table: str, id_: str, name: str, **values: Any) -> str:
        target = ledger_tables.metadata.tables[f"billcom.ledger_{table}"]
        row = {"integration": self.key, "id": id_, "name": name, "active": True, "imported_at": NOW}
        self.conn.execute(insert(target).values(row | values))
        return id_

    def ledger_account(self, id_: str, name: str, type_: str = "EXPENSE", **values: Any) -> str:
        return self.ledger("accounts", id_, name, **{"number": id_, "type": type_} | values)

    def mapping(self, kind: str, bill_id: str, ledger_id: str | None, **values: Any) -> None:
        row = {
            "integration": self.key,
            "kind": kind,
            "bill_id": bill_id,
            "ledger_id": ledger_id,
            "state": "mapped",
            "method": "manual",
            "reason": "test",
            "decided_at": NOW,
        }
        self.conn.execute(insert(ledger_tables.mappings).values(row | values))

    def suggestion(self, kind: str, bill_id: str, ledger_id: str, **values: Any) -> None:
        row = {
            "integration": self.key,
            "kind": kind,
            "bill_id": bill_id,
            "rank": 1,
            "ledger_id": ledger_id,
            "certainty": "exact",
            "score": 100,
            "supporting": "[]",
            "contradicting": "[]",
            "suggested_at": NOW,
        }
        self.conn.execute(insert(ledger_tables.mapping_suggestions).values(row | values))

    def pulled(self, *entities: str, **values: Any) -> None:
        for entity in entities:
            row = {"integration": self.key, "entity": entity, "first_pulled_at": NOW, "synced_at": NOW}
            self.conn.execute(insert(tables.sync_state).values(row | values))

    def ready(self) -> None:
        """The least that a full sync needs."""
        self.pulled("vendors", "accounts")
        self.vendor("009v1", "Acme Supplies")
        self.ledger("vendors", "V1", "Acme Supplies")
        self.mapping("vendors", "009v1", "V1")
        for id_, number, type_ in (("0cab", "1000", "BANK"), ("0cae", "6000", "EXPENSE"), ("0cai", "4000", "INCOME")):
            self.account(id_, f"Account {number}", type_, number)
            self.ledger_account(number, f"Account {number}", type_)
            self.mapping("accounts", id_, number)
