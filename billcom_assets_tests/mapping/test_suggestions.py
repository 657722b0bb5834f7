from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from billcom_assets.mapping.coverage import Coverage, mapped, mapping_coverage, stale_links
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.links import Link, Links, LinkState
from billcom_assets.mapping.matching import Method
from billcom_assets.mapping.suggestions import Accept, accept, suggest
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.small_company import ADA, KEY, LATER, NOW, Books, connect


def links(conn: Connection, kind: str = "vendors") -> dict[str, Link]:
    return Links(conn, KEY, kind).all()


def counts(conn: Connection, kind: str) -> Coverage:
    return next(found for found in mapping_coverage(conn, KEY) if found.kind == kind)


def test_suggestions_are_stored_with_when_how_and_why(books: Books) -> None:
    books.vendor("009a", "Acme Inc")
    books.vendor("009b", "Northwind Tradrs")
    books.vendor("009c", "Zoo")
    books.ledger("vendors", "V1", "ACME")
    books.ledger("vendors", "V2", "Northwind Traders")

    report = suggest(books.conn, KEY, NOW)

    assert [(k.kind, k.exact, k.likely, k.without, k.decided) for k in report if k.kind == "vendors"] == [
        ("vendors", 1, 1, 1, 0)
    ]
    stored = links(books.conn)
    assert stored.keys() == {"009a", "009b"}
    assert stored["009a"] == Link(
        "009a", "V1", LinkState.SUGGESTED, Method.EXACT, None, "same name without legal form", None, NOW
    )
    assert stored["009b"].method is Method.LIKELY
    assert stored["009b"].score is not None


def test_accepting_exact_ones_maps_them_and_says_who_and_when(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.vendor("009b", "Northwind Tradrs")
    books.ledger("vendors", "V1", "Acme")
    books.ledger("vendors", "V2", "Northwind Traders")

    report = accept(books.conn, KEY, actor=ADA, now=LATER)

    assert [(k.accepted, k.waiting) for k in report if k.kind == "vendors"] == [(1, 1)]
    stored = links(books.conn)["009a"]
    assert (stored.state, stored.method, stored.decided_by, stored.decided_at) == (
        LinkState.MAPPED,
        Method.EXACT,
        "ada",
        LATER,
    )
    assert links(books.conn)["009b"].state is LinkState.SUGGESTED
    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1"}


def test_accepting_all_never_puts_two_vendors_onto_one(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.vendor("009b", "Acme East")
    books.vendor("009c", "Northwind Tradrs")
    books.ledger("vendors", "V1", "Acme")
    books.ledger("vendors", "V2", "Northwind Traders")

    accept(books.conn, KEY, Accept.ALL, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1", "009c": "V2"}
    assert "goes onto the same ledger object" in links(books.conn)["009b"].reason


def test_suggesting_again_renews_suggestions_and_leaves_decisions_alone(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.vendor("009b", "Beta")
    books.vendor("009c", "Gamma")
    books.vendor("009d", "Delta")
    for id_, name in (("V1", "Acme"), ("V2", "Beta"), ("V3", "Gamma"), ("V4", "Delta")):
        books.ledger("vendors", id_, name)
    books.mapping("vendors", "009a", "V4", decided_by="eve")
    books.mapping("vendors", "009b", None, state="unmapped")
    suggest(books.conn, KEY, NOW)
    before = links(books.conn)
    books.change("vendors", "009c", name="Gamma Corp")
    books.change("vendors", "009d", name="Something else entirely")

    suggest(books.conn, KEY, LATER)

    after = links(books.conn)
    assert after["009a"] == before["009a"]
    assert after["009b"] == before["009b"]
    assert (after["009c"].reason, after["009c"].decided_at) == ("same name without legal form", LATER)
    assert "009d" not in after


def test_an_unchanged_suggestion_keeps_its_time(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.ledger("vendors", "V1", "Acme")
    suggest(books.conn, KEY, NOW)

    suggest(books.conn, KEY, LATER)

    assert links(books.conn)["009a"].decided_at == NOW


def test_accepting_renews_suggestions_first(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.ledger("vendors", "V1", "Acme")
    books.ledger("vendors", "V2", "Beta")
    suggest(books.conn, KEY, NOW)
    books.change("vendors", "009a", name="Beta")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V2"}


def test_masked_tax_ids_are_never_equal_and_plain_ones_are(books: Books) -> None:
    books.vendor("009a", "Acme", "*****6789")
    books.vendor("009b", "Beta", "12-3456789")
    books.vendor("009c", "Gamma", "000000000")
    books.ledger("vendors", "V1", "Xerxes", tax_id="*****6789")
    books.ledger("vendors", "V2", "Yves", tax_id="123456789")
    books.ledger("vendors", "V3", "Zoe", tax_id="00-0000000")

    suggest(books.conn, KEY, NOW)

    assert {id_: (link.ledger_id, link.reason) for id_, link in links(books.conn).items()} == {
        "009b": ("V2", "same tax id")
    }


def test_inactive_ledger_objects_and_deleted_bill_objects_are_not_suggested(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.vendor("009b", "Beta", deleted_at=NOW)
    books.vendor("009c", "Gamma", archived=True)
    books.ledger("vendors", "V1", "Acme", active=False)
    books.ledger("vendors", "V2", "Beta")
    books.ledger("vendors", "V3", "Gamma")

    suggest(books.conn, KEY, NOW)

    assert links(books.conn) == {}


def test_an_archived_vendor_whose_bills_are_still_here_gets_what_the_live_ones_leave(books: Books) -> None:
    books.vendor("009a", "Acme", archived=True)
    books.vendor("009b", "Beta", archived=True)
    books.vendor("009c", "Beta")
    books.bill("bills", "00n1", vendor_id="009a")
    books.bill("bills", "00n2", vendor_id="009b")
    books.ledger("vendors", "V1", "Acme")
    books.ledger("vendors", "V2", "Beta")

    suggest(books.conn, KEY, NOW)

    found = links(books.conn)
    assert (found["009a"].ledger_id, found["009a"].method) == ("V1", Method.EXACT)
    assert (found["009c"].ledger_id, found["009c"].method) == ("V2", Method.EXACT)
    assert (found["009b"].ledger_id, found["009b"].method) == ("V2", Method.LIKELY)
    assert "BILL's 009c goes onto the same" in found["009b"].reason


def test_the_mapping_of_an_archived_vendor_does_not_keep_its_successor_from_the_ledger_vendor(books: Books) -> None:
    books.vendor("009a", "Acme", archived=True)
    books.vendor("009b", "Acme")
    books.ledger("vendors", "V1", "Acme")
    books.mapping("vendors", "009a", "V1")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1", "009b": "V1"}
    assert [(link.bill_id, link.reasons) for link in stale_links(books.conn, KEY)] == [
        ("009a", ("archived in BILL, perhaps merged into another",))
    ]


def test_a_bank_account_goes_where_its_account_in_bill_goes(books: Books) -> None:
    books.account("0cab", "Operating", "BANK", "1000")
    books.account("0cac", "Payroll", "BANK")
    books.ledger_account("1000", "Operating", "BANK")
    books.ledger_account("1010", "Payroll bank", "BANK")
    books.bill("funding_accounts", "bac1", bank_name="Chase", chart_of_account_id="0cab")
    books.bill("funding_accounts", "bac2", bank_name="Chase", chart_of_account_id="0cac")
    books.mapping("accounts", "0cac", "1010")

    report = accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "funding_accounts") == {"bac1": "1000", "bac2": "1010"}
    assert [k.accepted for k in report if k.kind == "funding_accounts"] == [2]


def test_funding_accounts_only_go_onto_bank_and_credit_card_accounts(books: Books) -> None:
    books.bill("funding_accounts", "bac1", bank_name="Chase", type="CHECKING")
    books.ledger_account("6000", "Chase Checking", "EXPENSE")
    suggest(books.conn, KEY, NOW)
    assert links(books.conn, "funding_accounts") == {}

    books.ledger_account("1000", "Chase Checking", "BANK")
    suggest(books.conn, KEY, NOW)
    assert links(books.conn, "funding_accounts")["bac1"].ledger_id == "1000"


@pytest.mark.parametrize("kind", ["departments", "jobs", "locations", "accounting_classes", "items", "customers"])
def test_every_list_is_matched_by_name_within_its_own_kind(books: Books, kind: str) -> None:
    books.bill(kind, "x1", name="West")
    if KINDS[kind].table.name == "ledger_dimensions":
        other = "locations" if kind != "locations" else "jobs"
        books.ledger("dimensions", "W", "West", kind=kind)
        books.ledger("dimensions", "O", "West", kind=other)
    else:
        books.ledger(kind, "W", "West")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, kind) == {"x1": "W"}


def test_employees_are_matched_by_first_and_last_name(books: Books) -> None:
    books.bill("employees", "emp1", first_name="Ada", last_name="Okoro")
    books.ledger("dimensions", "E1", "Okoro, Ada", kind="employees")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "employees") == {"emp1": "E1"}


def test_accounts_are_told_apart_by_their_parents(books: Books) -> None:
    books.account("0ca1", "Travel")
    books.account("0ca2", "Office")
    books.account("0ca3", "Other", parent_id="0ca1")
    books.account("0ca4", "Other", parent_id="0ca2")
    books.ledger_account("1", "Travel")
    books.ledger_account("2", "Office")
    books.ledger_account("3", "Other", parent_id="2")
    books.ledger_account("4", "Other", parent_id="1")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "accounts") == {"0ca1": "1", "0ca2": "2", "0ca3": "4", "0ca4": "3"}


def test_coverage_counts_what_is_mapped_suggested_unmapped_and_in_use(books: Books) -> None:
    for id_, name in (("009a", "Acme"), ("009b", "Beta"), ("009c", "Gamma"), ("009d", "Delta")):
        books.vendor(id_, name)
    books.vendor("009e", "Archived, in use", archived=True)
    books.vendor("009f", "Archived, not in use", archived=True)
    books.vendor("009g", "Deleted", deleted_at=NOW)
    books.ledger("vendors", "V1", "Acme")
    books.ledger("vendors", "V2", "Beta", active=False)
    books.mapping("vendors", "009a", "V1")
    books.mapping("vendors", "009b", "V2")
    books.mapping("vendors", "009c", "V1", state="suggested", method="likely", score=90)
    books.bill("bills", "00n1", vendor_id="009a")
    books.bill("bills", "00n2", vendor_id="009c")
    books.bill("bills", "00n3", vendor_id="009e")
    books.bill("bills", "00n4", vendor_id="009d", archived=True)

    assert counts(books.conn, "vendors") == Coverage(
        "vendors", mapped=1, suggested=1, unmapped=3, in_use=3, in_use_unmapped=2
    )


@pytest.mark.parametrize(
    ("kind", "table", "column"),
    [
        ("vendors", "vendor_payments", "vendor_id"),
        ("accounts", "items", "expense_chart_of_account_id"),
        ("accounts", "funding_accounts", "chart_of_account_id"),
        ("funding_accounts", "vendor_payments", "funding_account_id"),
        ("departments", "bills", "classifications_department_id"),
    ],
)
def test_whatever_documents_refer_to_is_in_use(books: Books, kind: str, table: str, column: str) -> None:
    row = (
        {"first_name": "x"}
        if kind == "employees"
        else {"name_on_account": "x"}
        if kind == "funding_accounts"
        else {"name": "x"}
    )
    books.bill(kind, "used", **row)
    books.bill(table, "user", **{column: "used"})

    assert counts(books.conn, kind).in_use == 1


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("accounts", "chart_of_account_id"),
        ("items", "item_id"),
        ("customers", "customer_id"),
        ("jobs", "job_id"),
        ("locations", "location_id"),
        ("accounting_classes", "accounting_class_id"),
        ("employees", "employee_id"),
    ],
)
def test_whatever_lines_refer_to_is_in_use_unless_their_bill_is_gone(books: Books, kind: str, column: str) -> None:
    books.bill(kind, "used", **({"first_name": "x"} if kind == "employees" else {"name": "x"}))
    books.bill("bills", "00n1")
    books.line("bill_line_items", 0, bill_id="00n1", id="bli1", **{f"classifications_{column}": "used"})
    assert counts(books.conn, kind).in_use == 1

    books.change("bills", "00n1", deleted_at=NOW)
    assert counts(books.conn, kind).in_use == 0


@pytest.mark.parametrize(
    ("bill", "ledger", "reasons"),
    [
        ({"archived": True}, {}, ("archived in BILL, perhaps merged into another",)),
        ({"deleted_at": NOW}, {}, ("deleted in BILL",)),
        (None, {}, ("BILL's object is not in the mirror",)),
        ({}, {"active": False}, ("deactivated in the ledger",)),
        ({}, None, ("there is no such ledger object of this kind",)),
        (
            {"archived": True},
            {"active": False},
            ("archived in BILL, perhaps merged into another", "deactivated in the ledger"),
        ),
    ],
)
def test_a_mapping_whose_end_has_gone_is_stale(
    books: Books, bill: dict[str, object] | None, ledger: dict[str, object] | None, reasons: tuple[str, ...]
) -> None:
    if bill is not None:
        books.vendor("009a", "Acme", **bill)
    if ledger is not None:
        books.ledger("vendors", "V1", "Acme", **ledger)
    books.mapping("vendors", "009a", "V1")

    assert [(link.kind, link.bill_id, link.ledger_id, link.reasons) for link in stale_links(books.conn, KEY)] == [
        ("vendors", "009a", "V1", reasons)
    ]


def test_a_sound_mapping_is_not_stale(books: Books) -> None:
    books.ready()

    assert stale_links(books.conn, KEY) == []


def test_integrations_are_mapped_apart(books: Books) -> None:
    connect(books.conn, "other")
    other = Books(books.conn, "other")
    books.vendor("009a", "Acme")
    other.vendor("009a", "Beta")
    books.ledger("vendors", "V1", "Acme")
    other.ledger("vendors", "V1", "Beta")
    other.ledger("vendors", "V2", "Acme")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1"}
    assert set(books.conn.scalars(select(mappings.c.integration))) == {KEY}


def test_an_unknown_integration_is_refused(conn: Connection) -> None:
    with pytest.raises(UnknownIntegration):
        suggest(conn, "nobody", NOW)


def test_ids_that_differ_only_in_case_are_different_objects(books: Books) -> None:
    books.vendor("009aa", "Acme")
    books.vendor("009AA", "Beta")
    books.ledger("vendors", "V1", "Acme")
    books.ledger("vendors", "V2", "Beta")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009aa": "V1", "009AA": "V2"}
