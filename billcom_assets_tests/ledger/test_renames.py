"""What happens to what is stored when a list is imported again: renames are followed, losses are to be confirmed."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select

from billcom_assets.ledger.removals import RemovalsRefused
from billcom_assets.mapping.coverage import mapped
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.ledger_tables import (
    ledger_accounts,
    ledger_customers,
    ledger_dimensions,
    ledger_items,
    ledger_vendors,
    mapping_suggestions,
)
from billcom_assets.warehouse.policy_changes import NewChange, Origin, add_changes, policy_changes
from billcom_assets_tests.ledger.imports import Files
from billcom_assets_tests.small_company import KEY, NOW, Books

TEN = "".join(f"V{number},Vendor {number}\n" for number in range(10))


def map_account(books: Books, bill_id: str, ledger_id: str) -> None:
    books.account(bill_id, f"BILL's {ledger_id}")
    books.mapping("accounts", bill_id, ledger_id)


def said(files: Files, **texts: str) -> list[str]:
    return [str(one) for one in files.load(**texts).renamed]


def refused(files: Files, **texts: str) -> str:
    with pytest.raises(RemovalsRefused) as error:
        files.load(**texts)
    return str(error.value)


def test_a_renumbered_account_is_recognised_and_its_mappings_follow(files: Files, books: Books) -> None:
    files.load(accounts="Number,Name,Type\n1000,Bank,Bank\n6100,Rent,Expense\n")
    map_account(books, "0ca1", "6100")
    books.mapping("funding_accounts", "bac1", "1000")

    lines = said(files, accounts="Number,Name,Type\n1010,Bank,Bank\n6105,Rent,Expense\n")

    assert lines == [
        "Account 1000 Bank is now 1010 Bank: 1 mapping follows",
        "Account 6100 Rent is now 6105 Rent: 1 mapping follows",
    ]
    assert files.stored(ledger_accounts, "active") == {"1010": True, "6105": True}
    assert mapped(files.conn, KEY, "accounts") == {"0ca1": "6105"}
    assert mapped(files.conn, KEY, "funding_accounts") == {"bac1": "1010"}


def test_the_posting_policy_follows_a_renumbered_account(files: Files) -> None:
    files.load(accounts="Number,Name,Type\n2000,Payables,Accounts Payable\n2010,Gains,Other Income\n")
    found = NewChange("accounts_payable", None, "2000", Origin.FOUND)
    add_changes(files.conn, KEY, [found], set_by="billcom", now=NOW)
    decided = [NewChange("exchange_gain_loss", None, "2010"), NewChange("late", "next_open_day", "hold")]
    add_changes(files.conn, KEY, decided, set_by="ada", now=NOW)

    files.load(accounts="Number,Name,Type\n2100,Payables,Accounts Payable\n2000,Gains,Other Income\n")

    latest = policy_changes(files.conn, KEY)[3:]
    assert [(one.version, one.setting, one.previous, one.value, one.origin) for one in latest] == [
        (3, "accounts_payable", "2000", "2100", "found"),
        (3, "exchange_gain_loss", "2010", "2000", "decided"),
    ]
    logged = [(one.what, one.subject, one.before, one.after) for one in audit.entries(files.conn, KEY, limit=2)]
    assert logged == [
        ("posting policy changed", "accounts_payable", '"2000"', '"2100"'),
        ("posting policy changed", "exchange_gain_loss", '"2010"', '"2000"'),
    ]
    files.load(accounts="Number,Name,Type\n2100,Payables,Accounts Payable\n2000,Profits,Other Income\n")
    assert len(policy_changes(files.conn, KEY)) == 5


def test_each_mapping_that_follows_is_a_decision_in_the_audit_log(files: Files, books: Books) -> None:
    files.load(vendors="Number,Name\nV1,Acme\n")
    for bill_id in ("0091", "0092"):
        books.vendor(bill_id, "Acme")
        books.mapping("vendors", bill_id, "V1", decided_by="Grace")

    report = files.load(vendors="Number,Name\nV2,Acme\n")

    assert [str(one) for one in report.renamed] == ["Vendor V1 Acme is now V2 Acme: 2 mappings follow"]
    imported, *decided = audit.entries(files.conn, KEY, limit=10)[1:]
    assert json.loads(imported.after or "")["renamed"][0]["new_id"] == "V2"
    assert [(entry.what, entry.subject) for entry in decided] == [
        ("mapping decided", "vendors 0091"),
        ("mapping decided", "vendors 0092"),
    ]
    before = json.loads(decided[0].before or "")
    assert (before["ledger_id"], before["decided_by"]) == ("V1", "Grace")
    assert json.loads(decided[0].after or "") == {"ledger_id": "V2", "method": "manual", "state": "mapped"}
    assert audit.verify(files.conn).broken is None


def test_a_record_that_changes_name_and_number_is_recognised_by_the_programs_own_id(files: Files) -> None:
    files.load(vendors="Internal ID,Name,ID\n7,Acme,V1\n8,Beta,V2\n")

    assert said(files, vendors="Internal ID,Name,ID\n7,Acme Holdings,V9\n8,Beta,V2\n") == [
        "Vendor V1 Acme is now V9 Acme Holdings"
    ]
    assert files.stored(ledger_vendors, "name", "source_id") == {"V2": ("Beta", "8"), "V9": ("Acme Holdings", "7")}


def test_records_that_change_places_are_told_apart_by_the_programs_own_id(files: Files, books: Books) -> None:
    files.load(
        accounts="Internal ID,Number,Name,Type\n1,6000,Rent,Expense\n2,6010,Hall,Expense\n3,6020,Power,Expense\n"
    )
    for bill_id, number in (("0ca1", "6000"), ("0ca2", "6010"), ("0ca3", "6020")):
        map_account(books, bill_id, number)

    lines = said(
        files,
        accounts="Internal ID,Number,Name,Type\n1,6010,Rent,Expense\n2,6000,Hall,Expense\n3,6030,Power,Expense\n",
    )

    assert len(lines) == 3
    assert files.stored(ledger_accounts, "name") == {"6000": "Hall", "6010": "Rent", "6030": "Power"}
    assert mapped(files.conn, KEY, "accounts") == {"0ca1": "6010", "0ca2": "6000", "0ca3": "6030"}


def test_a_chart_that_is_renumbered_in_a_chain_is_followed_by_its_names(files: Files, books: Books) -> None:
    files.load(accounts="Number,Name,Type\n6000,Rent,Expense\n6010,Hall,Expense\n6020,Power,Expense\n")
    for bill_id, number in (("0ca1", "6000"), ("0ca2", "6010"), ("0ca3", "6020")):
        map_account(books, bill_id, number)

    said(files, accounts="Number,Name,Type\n6010,Rent,Expense\n6020,Hall,Expense\n6030,Power,Expense\n")

    assert files.stored(ledger_accounts, "name") == {"6010": "Rent", "6020": "Hall", "6030": "Power"}
    assert mapped(files.conn, KEY, "accounts") == {"0ca1": "6010", "0ca2": "6020", "0ca3": "6030"}


def test_another_name_under_the_same_number_is_said(files: Files, books: Books) -> None:
    files.load(accounts="Number,Name,Type\n6000,Rent,Expense\n6010,Hall,Expense\n")
    map_account(books, "0ca1", "6000")

    lines = said(files, accounts="Number,Name,Type\n6000,Travel,Expense\n6010,Halls,Expense\n")

    assert lines == [
        "Account 6000 Rent is now 6000 Travel: 1 mapping on it, as before",
        "Account 6010 Hall is now 6010 Halls",
    ]
    assert mapped(files.conn, KEY, "accounts") == {"0ca1": "6000"}


def test_what_refers_to_a_renumbered_account_follows_it(files: Files) -> None:
    files.load(
        accounts="Number,Name,Type,Parent,Active\n4000,Sales,Income,,\n6000,Cost,Expense,,\n6010,Old,Expense,6000,no\n",
        vendors="Name,Expense Account\nAcme,6000\n",
        customers="Name,Income Account\nNorthwind,4000\n",
        items="Name,Income Account,Expense Account\nCable,4000,6000\n",
    )

    files.load(accounts="Number,Name,Type\n4400,Sales,Income\n6600,Cost,Expense\n")

    assert files.stored(ledger_accounts, "parent_id")["6010"] == "6600"
    assert files.stored(ledger_vendors, "default_account_id") == {"Acme": "6600"}
    assert files.stored(ledger_customers, "default_account_id") == {"Northwind": "4400"}
    assert files.stored(ledger_items, "income_account_id", "expense_account_id") == {"Cable": ("4400", "6600")}


def test_what_is_suggested_follows_too(files: Files) -> None:
    files.load(vendors="Number,Name\nV1,Acme\n")
    files.conn.execute(
        insert(mapping_suggestions).values(
            integration=KEY,
            kind="vendors",
            bill_id="0091",
            rank=1,
            ledger_id="V1",
            certainty="likely",
            score=80,
            supporting="[]",
            contradicting="[]",
            suggested_at=NOW,
        )
    )

    files.load(vendors="Number,Name\nV2,Acme\n")

    assert files.conn.scalar(select(mapping_suggestions.c.ledger_id)) == "V2"


def test_accounts_that_get_numbers_at_last_are_recognised_by_their_full_names(files: Files, books: Books) -> None:
    files.load(accounts="Full Name,Type\nTravel,Expense\nTravel:Other,Expense\nOffice,Expense\nOffice:Other,Expense\n")
    map_account(books, "0ca1", "Office:Other")

    files.load(
        accounts="Number,Full Name,Type\n1,Travel,Expense\n2,Travel:Other,Expense\n3,Office,Expense\n"
        "4,Office:Other,Expense\n"
    )

    assert files.stored(ledger_accounts, "name", "parent_id") == {
        "1": ("Travel", None),
        "2": ("Other", "1"),
        "3": ("Office", None),
        "4": ("Other", "3"),
    }
    assert mapped(files.conn, KEY, "accounts") == {"0ca1": "4"}


def test_an_account_below_another_parent_is_recognised_by_name_and_type(files: Files) -> None:
    texts = "Number,Name,Type,Parent\n1,Travel,Expense,\n2,Office,Expense,\n"
    files.load(accounts=f"{texts}10,Taxi,Expense,1\n")

    assert said(files, accounts=f"{texts}20,Taxi,Expense,2\n") == ["Account 10 Taxi is now 20 Taxi"]
    assert files.stored(ledger_accounts, "parent_id")["20"] == "2"


def test_an_account_of_the_same_name_and_another_type_below_another_parent_is_another(files: Files) -> None:
    texts = "Number,Name,Type,Parent\n1,Travel,Expense,\n2,Sales,Income,\n"
    files.load(accounts=f"{texts}10,Other,Expense,1\n")

    assert "10" in refused(files, accounts=f"{texts}20,Other,Income,2\n")


@pytest.mark.parametrize(
    ("option", "before", "after", "line"),
    [
        ("departments", "10,Sales", "11,Sales", "Department 10 Sales is now 11 Sales: 1 mapping follows"),
        ("classes", "10,East", "11,East", "Class 10 East is now 11 East: 1 mapping follows"),
        ("locations", "10,Main", "11,Main", "Location 10 Main is now 11 Main: 1 mapping follows"),
        ("jobs", "10,Kitchen", "11,Kitchen", "Job 10 Kitchen is now 11 Kitchen: 1 mapping follows"),
        ("employees", "10,Ada", "11,Ada", "Employee 10 Ada is now 11 Ada: 1 mapping follows"),
    ],
)
def test_dimensions_are_recognised_each_within_its_own_kind(
    files: Files, books: Books, option: str, before: str, after: str, line: str
) -> None:
    kind = "accounting_classes" if option == "classes" else option
    files.load(**{option: f"Number,Name\n{before}\n"})
    books.ledger("dimensions", "10", "Other", kind="locations" if option != "locations" else "jobs")
    books.mapping(kind, "0001", "10")

    assert said(files, **{option: f"Number,Name\n{after}\n"}) == [line]
    assert mapped(files.conn, KEY, kind) == {"0001": "11"}
    d = ledger_dimensions.c
    assert sorted(files.conn.execute(select(d.id).where(d.active)).scalars()) == ["10", "11"]


def test_two_of_one_name_are_not_guessed(files: Files) -> None:
    files.load(vendors="Number,Name\nV1,Acme\nV2,Acme\n")

    assert "2 of 2 vendors in use are not in the file" in refused(files, vendors="Number,Name\nV3,Acme\n")


def test_another_record_of_the_same_name_is_known_by_the_programs_own_id(files: Files) -> None:
    files.load(vendors="Internal ID,ID,Name\n7,V1,Acme\n")

    assert 'vendors "V1" "Acme": not in the file' in refused(files, vendors="Internal ID,ID,Name\n8,V2,Acme\n")


def test_a_number_that_was_given_to_another_record_is_not_taken_over(files: Files, books: Books) -> None:
    files.load(vendors="Internal ID,ID,Name\n7,V1,Acme\n8,V2,Beta\n")
    books.vendor("0091", "Acme")
    books.mapping("vendors", "0091", "V1")

    assert 'vendors "V1" "Acme": not in the file, and mapped' in refused(
        files, vendors="Internal ID,ID,Name\n7,V2,Acme\n"
    )


def test_an_id_that_stands_for_another_record_now_does_not_take_its_mapping_over(files: Files, books: Books) -> None:
    files.load(vendors="Internal ID,ID,Name\n7,V1,Acme\n")
    books.vendor("0091", "Acme")
    books.mapping("vendors", "0091", "V1")

    text = refused(files, vendors="Internal ID,ID,Name\n9,V1,Zenith\n")

    assert 'vendors "V1" "Acme": its id now stands for "Zenith", and mapped' in text


def test_a_file_that_lacks_more_than_one_in_ten_is_refused_with_the_names(files: Files) -> None:
    files.load(vendors=f"ID,Name\n{TEN}V10,Acme\n")

    text = refused(files, vendors="ID,Name\n" + TEN.split("V8")[0])

    assert text.splitlines() == [
        "Nothing was imported: 3 of 11 vendors in use are not in the file.",
        '  vendors "V10" "Acme": not in the file',
        '  vendors "V8" "Vendor 8": not in the file',
        '  vendors "V9" "Vendor 9": not in the file',
        "A file must hold the whole list: look whether a filter or a search was on when it was exported.",
        "If these are really no longer in use, confirm it with --allow-removals.",
    ]
    assert set(files.stored(ledger_vendors, "active").values()) == {True}


def test_one_in_ten_may_go(files: Files) -> None:
    files.load(vendors=f"ID,Name\n{TEN}")

    (changes,) = files.load(vendors="ID,Name\n" + TEN.split("V9")[0]).tables

    assert changes.deactivated == 1


def test_what_was_out_of_use_already_does_not_count(files: Files) -> None:
    files.load(vendors=f"ID,Name,Active\n{TEN.replace(chr(10), ',yes' + chr(10))}V10,Old,no\nV11,Older,no\n")

    assert "2 of 10 vendors" in refused(files, vendors="ID,Name\n" + TEN.split("V8")[0])


def test_each_list_counts_by_itself(files: Files) -> None:
    files.load(departments="Name\n" + "".join(f"D{number}\n" for number in range(40)), classes="Name\nEast\nWest\n")

    text = refused(
        files, departments="Name\n" + "".join(f"D{number}\n" for number in range(40)), classes="Name\nEast\n"
    )

    assert text.startswith("Nothing was imported: 1 of 2 classes in use is not in the file.")


@pytest.mark.parametrize(
    ("rows", "why"),
    [("", "not in the file, and mapped"), ("V9,Vendor 9,no\n", "marked inactive in the file, and mapped")],
)
def test_what_is_mapped_never_goes_without_a_word(files: Files, books: Books, rows: str, why: str) -> None:
    files.load(vendors=f"ID,Name\n{TEN}")
    books.vendor("0091", "Vendor 9")
    books.mapping("vendors", "0091", "V9")
    kept = TEN.split("V9")[0].replace("\n", ",yes\n")

    text = refused(files, vendors=f"ID,Name,Active\n{kept}{rows}")

    assert f'vendors "V9" "Vendor 9": {why}' in text
    assert files.load(allow_removals=True, vendors=f"ID,Name,Active\n{kept}{rows}").tables[0].deactivated == 1
    entry = audit.entries(files.conn, KEY, limit=1)[0]
    assert json.loads(entry.after or "")["removals_confirmed"] == 1


def test_a_funding_account_counts_as_mapped(files: Files, books: Books) -> None:
    files.load(accounts="Number,Name,Type\n" + "".join(f"{number},A{number},Bank\n" for number in range(100, 120)))
    books.mapping("funding_accounts", "bac1", "119")

    text = refused(
        files, accounts="Number,Name,Type\n" + "".join(f"{number},A{number},Bank\n" for number in range(100, 119))
    )

    assert 'accounts "119" "A119": not in the file, and mapped' in text


def test_what_the_file_itself_marks_inactive_is_meant_when_nothing_is_mapped_to_it(files: Files) -> None:
    files.load(vendors="ID,Name\nV1,A\nV2,B\n")

    (changes,) = files.load(vendors="ID,Name,Active\nV1,A,no\nV2,B,no\n").tables

    assert changes.deactivated == 2


def test_what_others_wrote_is_bounded_and_steers_no_terminal(files: Files) -> None:
    files.load(vendors="ID,Name\n" + "".join(f"V{number},\x85Evil\u202e{'x' * 300}{number}\n" for number in range(40)))

    lines = refused(files, vendors="ID,Name\nV0,Only\n").splitlines()

    assert len(lines) == 24
    assert "... and 19 more" in lines[-3]
    assert all(line.isprintable() and len(line) < 150 for line in lines)
