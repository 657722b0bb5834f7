"""What is owed and since when, asked by command."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from billcom_assets.environment import open_database
from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets_tests.cli.commands import Desk
from billcom_assets_tests.small_company import Books


@pytest.fixture
def owing(desk: Desk) -> Desk:
    """A company that owes two vendors, and is owed by a customer; one bill was paid in April."""
    assert desk.connect("acme").code == 0
    warehouse = open_database()
    with warehouse.write() as connection:
        books = Books(connection, "acme")
        books.vendor("009a", "=Amber")
        books.vendor("009b", "Birch", bill_currency="EUR")
        march = {"invoice_date": date(2026, 3, 1), "due_date": date(2026, 3, 15)}
        books.bill("bills", "00n1", vendor_id="009a", invoice_number="A-1", due_amount=Decimal("1234.50"), **march)
        books.bill("bills", "00n2", vendor_id="009b", invoice_number="B-1", due_amount=Decimal(0), **march)
        books.bill("bills", "00n3", vendor_id="009b", due_amount=Decimal(7), approval_status="DENIED", **march)
        books.bill("vendor_payments", "stp1", process_date=date(2026, 4, 2), status="PAID")
        books.line("vendor_payment_bills", 0, vendor_payment_id="stp1", bill_id="00n2", amount=Decimal("80.25"))
        books.bill("customers", "0cu1", name="Crescent")
        books.bill("invoices", "00e1", customer_id="0cu1", total_amount=5, due_amount=Decimal(5), **march)
    warehouse.close()
    return desk


def test_what_is_owed_now_is_shown_by_vendor_and_added_up_by_currency(owing: Desk) -> None:
    shown = owing.run("aging", "acme").out.splitlines()
    assert [line.split() for line in shown] == [
        ["Vendor", "Currency", "Over", "90", "Total", "Denied"],
        ["=Amber", "USD", "1,234.50", "1,234.50", "0.00"],
        ["Birch", "EUR", "0.00", "0.00", "7.00"],
        ["Total", "EUR:", "0.00"],
        ["Total", "USD:", "1,234.50"],
    ]


def test_a_day_in_the_past_shows_what_was_open_then(owing: Desk) -> None:
    document = owing.run("aging", "acme", "--as-of", "2026-03-31", "--by", "document", "--json").document
    assert (document["as_of"], document["by"], document["aging"]) == ("2026-03-31", "document", "ap_aging")
    assert [(one["document_id"], one["open_amount"], one["bucket"]) for one in document["rows"]] == [
        ("00n1", "1234.50", "days_1_30"),
        ("00n2", "80.25", "days_1_30"),
        ("00n3", "7.00", "days_1_30"),
    ]
    assert owing.run("aging", "acme", "--as-of", "2025-12-31").out == "Nothing is open.\n"


def test_receivables_are_asked_in_the_same_way(owing: Desk) -> None:
    (row,) = owing.run("aging", "acme", "--receivables", "--json").document["rows"]
    assert (row["customer_name"], row["total"]) == ("Crescent", "5.00")


def test_it_is_written_for_spreadsheets(owing: Desk, tmp_path: Path) -> None:
    file = tmp_path / "payables.csv"
    answered = owing.run("aging", "acme", "--output", str(file))
    assert answered.out == f"The aging was written to {file}.\n"
    header, amber, birch = file.read_text(ENCODING).splitlines()
    assert header.startswith("integration,vendor_id,vendor_name,currency,documents,not_due,")
    assert amber.startswith("acme,009a,'=Amber,USD,1,0.00,")
    assert birch.endswith(",7.00,0.00")
    assert owing.run("aging", "acme", "--output", str(file)).code == 2


def test_the_query_itself_gives_the_same_rows_elsewhere(owing: Desk) -> None:
    how = ("aging", "acme", "--as-of", "2026-03-31", "--by", "line")
    query = owing.run(*how, "--sql").out
    warehouse = open_database()
    with warehouse.read() as connection:
        found = {row.document_id: row.open_amount for row in connection.execute(text(query))}
    warehouse.close()
    rows = owing.run(*how, "--json").document["rows"]
    assert {id_: f"{amount:.2f}" for id_, amount in found.items()} == {
        one["document_id"]: one["open_amount"] for one in rows
    }
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody",), "There is no integration 'nobody'"),
        (("acme", "--as-of", "31.3.2026"), "is not a date"),
        (("acme", "--by", "vendor"), "is not one of"),
    ],
)
def test_what_is_wrong_is_said(owing: Desk, arguments: tuple[str, ...], message: str) -> None:
    answered = owing.run("aging", *arguments)
    assert answered.code == 2
    assert message in answered.err
