from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import Connection

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.chart_export import ChartExport, chart_of_accounts
from billcom_assets.ledger.reference_data import import_reference_data
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets_tests.ledger.books import ADA, KEY, LATER, Books, connect


def rows(export: ChartExport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export.csv)))


def test_the_file_has_the_fields_of_bills_import_with_parents_before_children(books: Books) -> None:
    books.ledger_account("1000", "Electricity", parent_id="6000", description="Gas,\nwater")
    books.ledger_account("6000", "Utilities")
    books.ledger_account("Cash", "Cash", "BANK", number=None)
    books.ledger_account("5000", "Cost", "COST_OF_GOODS_SOLD")
    books.ledger_account("7000", "Old", active=False)

    export = chart_of_accounts(books.conn, KEY)

    assert export.problems == ()
    assert export.accounts == 4
    assert export.csv.splitlines()[0] == (
        "Name,Active?,Account Number,Type,Description,Parent Name,Parent Account Number,1099 Category"
    )
    assert {row["Name"]: (row["Account Number"], row["Type"]) for row in rows(export)} == {
        "Utilities": ("6000", "Expense"),
        "Cost": ("5000", "CostofGoodsSold"),
        "Cash": ("", "Bank"),
        "Electricity": ("1000", "Expense"),
    }
    child = rows(export)[-1]
    assert (child["Name"], child["Parent Name"], child["Parent Account Number"]) == ("Electricity", "Utilities", "6000")
    assert child["Description"] == "Gas,\nwater"
    assert {row["Active?"] for row in rows(export)} == {"Active"}


@pytest.mark.parametrize("type_", AccountType)
def test_types_are_spelled_as_bills_import_wants_them(books: Books, type_: AccountType) -> None:
    books.ledger_account("1", "A", type_.value)

    spelled = rows(chart_of_accounts(books.conn, KEY))[0]["Type"]

    assert spelled.casefold() == type_.value.replace("_", "").casefold()
    assert " " not in spelled


@pytest.mark.parametrize(
    ("account", "message"),
    [
        ({"id_": "x", "name": "N" * 251}, "the name is longer than 250 characters"),
        ({"id_": "1" * 41, "name": "N"}, "the number is longer than 40 characters"),
        ({"id_": "x", "name": "N", "type_": "Custom"}, "its type is none of BILL's account types"),
    ],
)
def test_an_account_that_bill_would_refuse_is_left_out_with_those_below_it(
    books: Books, account: dict[str, str], message: str
) -> None:
    id_ = books.ledger_account(**account)
    books.ledger_account("c1", "Child", parent_id=id_)
    books.ledger_account("c2", "Grandchild", parent_id="c1")
    books.ledger_account("ok", "Fine")

    export = chart_of_accounts(books.conn, KEY)

    assert [row["Name"] for row in rows(export)] == ["Fine"]
    assert [(problem.ledger_id, problem.message, problem.left_out) for problem in export.problems] == [
        (id_, message, True),
        ("c1", "its parent cannot be exported", True),
        ("c2", "its parent cannot be exported", True),
    ]


def test_a_name_at_the_limit_is_taken_and_as_a_parent_it_is_too_long(books: Books) -> None:
    books.ledger_account("1", "N" * 250)
    books.ledger_account("2", "Child", parent_id="1")

    export = chart_of_accounts(books.conn, KEY)

    assert [row["Account Number"] for row in rows(export)] == ["1"]
    assert "longer than the 100 characters" in export.problems[0].message


def test_accounts_that_bill_could_not_tell_apart_are_reported(books: Books) -> None:
    books.ledger_account("Travel", "Travel", number=None)
    books.ledger_account("Office", "Office", number=None)
    books.ledger_account("Travel:Other", "Other", number=None, parent_id="Travel")
    books.ledger_account("Office:Other", "other", number=None, parent_id="Office")

    export = chart_of_accounts(books.conn, KEY)

    assert export.accounts == 3
    assert "another one has the same" in export.problems[0].message


def test_a_long_description_is_cut_and_reported(books: Books) -> None:
    books.ledger_account("1", "A", description="d" * 4001)

    export = chart_of_accounts(books.conn, KEY)

    assert len(rows(export)[0]["Description"]) == 4000
    assert [(problem.ledger_id, problem.left_out) for problem in export.problems] == [("1", False)]


def test_a_circle_that_plain_sql_made_is_left_out(books: Books) -> None:
    books.ledger_account("1", "A", parent_id="2")
    books.ledger_account("2", "B", parent_id="1")

    export = chart_of_accounts(books.conn, KEY)

    assert export.accounts == 0
    assert len(export.problems) == 2


def test_an_export_can_be_imported_again_as_it_is(books: Books, tmp_path: Path) -> None:
    books.ledger_account("6000", "Utilities")
    books.ledger_account("6010", "Electricity", parent_id="6000")
    connect(books.conn, "copy")
    path = tmp_path / "chart.csv"
    path.write_text(chart_of_accounts(books.conn, KEY).csv)

    import_reference_data(books.conn, "copy", {"accounts": path}, LATER, actor=ADA)

    assert chart_of_accounts(books.conn, "copy") == chart_of_accounts(books.conn, KEY)


def test_an_unknown_integration_is_refused(conn: Connection) -> None:
    with pytest.raises(UnknownIntegration):
        chart_of_accounts(conn, "nobody")
