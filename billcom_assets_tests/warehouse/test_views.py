"""The aging views add up to what the documents say, per party and currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import INTEGRATION, Company
from billcom_assets_tests.sync.truth import stored

BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")
_DRAFTS = ("DRAFT", "DRAFT_DELETED")


def bucket(due: date | None, today: date) -> str:
    late = (today - due).days if due else 0
    return BUCKETS[0] if late <= 0 else BUCKETS[min((late - 1) // 30 + 1, 4)]


def expected(
    warehouse: Warehouse, documents: str, parties: str, party: str, currency: str, today: date
) -> dict[tuple[str, str], dict[str, Decimal]]:
    """Open amounts, added up in Python."""
    known = stored(warehouse, CATALOG[parties], INTEGRATION)[parties]
    sums: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(BUCKETS, Decimal(0)))
    for row in stored(warehouse, CATALOG[documents], INTEGRATION)[documents].values():
        if not row["due_amount"] or row["archived"] or row["record_status"] in _DRAFTS:
            continue
        money = (known.get(row[f"{party}_id"]) or {}).get(currency) or "USD"
        sums[row[f"{party}_id"], money][bucket(row["due_date"], today)] += row["due_amount"]
    return dict(sums)


def view(warehouse: Warehouse, name: str, party: str) -> dict[tuple[str, str], dict[str, Decimal]]:
    with warehouse.read() as connection:
        rows = connection.execute(text(f"SELECT * FROM {warehouse.qualified(name)}")).mappings().all()
    for row in rows:
        assert _cents(row["total"]) == sum(_cents(row[one]) for one in BUCKETS)
    return {(row[f"{party}_id"], row["currency"]): {one: _cents(row[one]) for one in BUCKETS} for row in rows}


def _cents(amount: Any) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    with SandboxServer(Settings(bills=150, orgs=1)) as server:
        Company(server).sync(warehouse)
    return warehouse


@pytest.mark.parametrize(
    ("name", "documents", "parties", "party", "currency"),
    [
        ("ap_aging", "bills", "vendors", "vendor", "bill_currency"),
        ("ar_aging", "invoices", "customers", "customer", "invoice_currency"),
    ],
)
def test_aging_equals_the_open_documents_added_up_by_hand(
    name: str, documents: str, parties: str, party: str, currency: str, filled: Warehouse
) -> None:
    today = datetime.now(UTC).date()
    found = view(filled, name, party)
    assert found == expected(filled, documents, parties, party, currency, today)
    assert found


def test_a_document_falls_into_the_bucket_of_its_days(filled: Warehouse, mark_due: Callable[[int], str]) -> None:
    for days, wanted in ((0, "not_due"), (1, "days_1_30"), (30, "days_1_30"), (31, "days_31_60"), (61, "days_61_90")):
        vendor = mark_due(days)
        (sums,) = [one for (party, _), one in view(filled, "ap_aging", "vendor").items() if party == vendor]
        assert [one for one in BUCKETS if sums[one]] == [wanted]


@pytest.fixture
def mark_due(filled: Warehouse) -> Callable[[int], str]:
    """Leaves one bill open, due so many days ago; gives its vendor."""
    table = filled.mirror.table("bills")

    def mark(days: int) -> str:
        with filled.write() as connection:
            one = connection.execute(table.select().order_by(table.c.id)).mappings().first()
            assert one is not None
            connection.execute(table.update().values(due_amount=Decimal(0)))
            due = datetime.now(UTC).date() - timedelta(days=days)
            change = {"due_amount": Decimal("12.30"), "due_date": due, "archived": False, "record_status": None}
            connection.execute(table.update().where(table.c.id == one["id"]).values(**change))
            return str(one["vendor_id"])

    return mark
