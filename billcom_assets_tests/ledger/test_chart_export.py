from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from billcom_assets.ledger.account_types import AccountType
from billcom_assets.ledger.chart_export import ChartExport, chart_of_accounts
from billcom_assets.ledger.problems import FileRefused
from billcom_assets.ledger.reference_data import import_reference_data
from billcom_assets.ledger.spreadsheets import ENCODING
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets_tests.small_company import ADA, KEY, LATER, Books, connect


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


FORMULAS = ('=HYPERLINK("http://x")', "+1", "-5", "@SUM(A1)", "'=1", "\N{FULLWIDTH EQUALS SIGN}1", "\ufeff=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_account_runs_as_a_formula_and_each_that_was_changed_is_reported(books: Books, text: str) -> None:
    books.ledger_account("p", text, number=text, description=text)
    books.ledger_account("c", "Child", parent_id="p")

    export = chart_of_accounts(books.conn, KEY)

    parent, child = rows(export)
    assert (parent["Name"], parent["Account Number"], parent["Description"]) == (f"'{text}",) * 3
    assert (child["Parent Name"], child["Parent Account Number"]) == (f"'{text}",) * 2
    assert [(problem.ledger_id, problem.left_out, problem.message.split(" so ")[0]) for problem in export.problems] == [
        ("p", False, f"its {what} begins as a formula does,") for what in ("name", "number", "description")
    ]
    assert "which BILL would show; change the name in the ledger" in export.problems[0].message


def test_an_account_keeps_to_bills_limits_with_its_apostrophe(books: Books) -> None:
    books.ledger_account("1", "=" * 250)
    books.ledger_account("2", "=" * 249, description="-" * 4000)

    export = chart_of_accounts(books.conn, KEY)

    (row,) = rows(export)
    assert (len(row["Name"]), len(row["Description"])) == (250, 4000)
    messages = {(problem.ledger_id, problem.message) for problem in export.problems}
    assert ("1", "the name is longer than 250 characters") in messages
    assert ("2", "the description is cut to 4000 characters") in messages


ODD = st.text(st.sampled_from("=+-@'\"a1e0 ,;|\t\r\n\ufeff\u200b\uff1d\uff0b\uff0d\uff20"), max_size=8)
TEXTS = ODD | st.sampled_from(("00123", "1e5", "-5", "+1", "'=x", '="0100"', "1-2", "3/4", "1,234.50"))
PARENTS = st.none() | st.integers(0, 5)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS, PARENTS), min_size=1, max_size=6))
def test_any_chart_that_was_imported_comes_back_the_same(
    books: Books, tmp_path: Path, accounts: list[tuple[str, str, str, int | None]]
) -> None:
    with books.conn.begin_nested() as undone:
        _import(books, tmp_path, KEY, _as_imported(accounts))
        connect(books.conn, "copy")
        exported = chart_of_accounts(books.conn, KEY)
        assume(not any(problem.left_out for problem in exported.problems))

        path = tmp_path / "chart.csv"
        path.write_bytes(exported.csv.encode(ENCODING))
        import_reference_data(books.conn, "copy", {"accounts": path}, LATER, actor=ADA)

        assert _stored(books, "copy") == _stored(books, KEY)
        assert chart_of_accounts(books.conn, "copy") == exported
        undone.rollback()


def _as_imported(accounts: list[tuple[str, str, str, int | None]]) -> str:
    """A file of an accounting program; numbers are told apart by their end, so that each odd beginning stays."""
    numbers = [f"{number}{index}" for index, (number, *_) in enumerate(accounts)]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["Number", "Name", "Type", "Description", "Parent Number"])
    for index, (_, name, description, parent) in enumerate(accounts):
        above = numbers[parent] if parent is not None and parent < index else ""
        writer.writerow([numbers[index], f"{name}#{index}", "Expense", description, above])
    return text.getvalue()


def _import(books: Books, folder: Path, key: str, text: str) -> None:
    path = folder / "program.csv"
    path.write_text(text, encoding=ENCODING, newline="")
    try:
        import_reference_data(books.conn, key, {"accounts": path}, LATER, actor=ADA)
    except FileRefused:
        # What is refused says so elsewhere; here it is no chart that could come back.
        reject()


def _stored(books: Books, key: str) -> list[tuple[object, ...]]:
    t = ledger_accounts.c
    query = select(t.id, t.number, t.name, t.type, t.parent_id, t.description).where(t.integration == key)
    return sorted(tuple(row) for row in books.conn.execute(query.where(t.active)))


def test_an_unknown_integration_is_refused(conn: Connection) -> None:
    with pytest.raises(UnknownIntegration):
        chart_of_accounts(conn, "nobody")
