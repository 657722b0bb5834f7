from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from billcom_assets.mapping.coverage import Coverage, mapped, mapping_coverage, stale_links
from billcom_assets.mapping.links import Link, Links, LinkState, Method
from billcom_assets.mapping.matching import Certainty, Proposal, Suggestion
from billcom_assets.mapping.next_step import mapping_command
from billcom_assets.mapping.overview import Overviews
from billcom_assets.mapping.proposals import Proposals
from billcom_assets.mapping.suggestions import Accept, KindSuggestions, accept, acceptances, suggest
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.integrations import UnknownIntegration
from billcom_assets.warehouse.ledger_tables import mapping_suggestions, mappings
from billcom_assets_tests.small_company import ADA, KEY, LATER, NOW, Books, connect

MAIL = "ap@acme.example"


def links(conn: Connection, kind: str = "vendors") -> dict[str, Link]:
    return Links(conn, KEY, kind).all()


def suggestions(conn: Connection, kind: str = "vendors") -> dict[str, Suggestion]:
    return Proposals(conn, KEY, kind).all()


def suggested(conn: Connection, kind: str = "vendors") -> dict[str, tuple[str, Certainty]]:
    """The best proposal by BILL id, and how sure it is."""
    return {id_: (one.best.ledger_id, one.certainty) for id_, one in suggestions(conn, kind).items()}


def counts(conn: Connection, kind: str) -> Coverage:
    return next(found for found in mapping_coverage(Overviews(conn, KEY)) if found.kind == kind)


def test_suggestions_are_stored_with_when_how_and_why(books: Books) -> None:
    books.vendor("009a", "Acme Inc", email=MAIL)
    books.vendor("009b", "Northwind Tradrs")
    books.vendor("009c", "Zoo")
    books.vendor("009d", "Twin Oaks")
    books.ledger("vendors", "V1", "ACME", email=MAIL)
    books.ledger("vendors", "V2", "Northwind Traders")
    books.ledger("vendors", "V3", "Twin Oaks")
    books.ledger("vendors", "V4", "Twin Oaks")

    report = suggest(books.conn, KEY, NOW)

    vendors = next(one for one in report if one.kind == "vendors")
    assert vendors == KindSuggestions("vendors", exact=1, likely=1, ambiguous=1, without=1, decided=0)
    found = suggestions(books.conn)
    assert found["009a"] == Suggestion(
        "009a", Certainty.EXACT, (Proposal("V1", 100, ("same name", "same e-mail address"), ()),)
    )
    assert found["009b"].certainty is Certainty.LIKELY
    assert [one.ledger_id for one in found["009d"].proposals] == ["V3", "V4"]
    assert links(books.conn) == {}
    t = mapping_suggestions.c
    assert set(books.conn.scalars(select(t.suggested_at))) == {NOW}


def test_accepting_exact_ones_maps_them_and_says_who_and_when(books: Books) -> None:
    books.vendor("009a", "Acme", email=MAIL)
    books.vendor("009b", "Northwind Tradrs")
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    books.ledger("vendors", "V2", "Northwind Traders")

    report = accept(books.conn, KEY, actor=ADA, now=LATER)

    assert [(k.accepted, k.waiting) for k in report if k.kind == "vendors"] == [(1, 1)]
    assert links(books.conn) == {
        "009a": Link("009a", "V1", LinkState.MAPPED, Method.EXACT, 100, "same name; same e-mail address", "ada", LATER)
    }
    assert suggestions(books.conn).keys() == {"009b"}
    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1"}


def test_every_acceptance_goes_to_the_audit_log(books: Books) -> None:
    books.vendor("009a", "Acme", email=MAIL)
    books.ledger("vendors", "V1", "Acme", email=MAIL)

    accept(books.conn, KEY, actor=ADA, now=LATER)

    entry = audit.entries(books.conn, KEY, limit=1)[0]
    assert (entry.what, entry.subject, entry.user_name) == ("mapping decided", "vendors 009a", "ada")
    assert "V1" in str(entry.after)


def test_likely_ones_are_accepted_from_a_score_on_and_ambiguous_ones_never(books: Books) -> None:
    books.vendor("009a", "Acme Tools")
    books.vendor("009b", "Northwind Tradrs")
    books.vendor("009c", "Twin Oaks")
    books.ledger("vendors", "V1", "Acme Tools")
    books.ledger("vendors", "V2", "Northwind Traders")
    books.ledger("vendors", "V3", "Twin Oaks")
    books.ledger("vendors", "V4", "Twin Oaks")
    suggest(books.conn, KEY, NOW)

    assert [one.bill_name for one in acceptances(Overviews(books.conn, KEY), Accept.LIKELY, min_score=90)] == [
        "Acme Tools"
    ]
    accept(books.conn, KEY, Accept.LIKELY, min_score=90, actor=ADA, now=LATER)
    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1"}
    assert links(books.conn)["009a"].method is Method.LIKELY

    accept(books.conn, KEY, Accept.LIKELY, min_score=0, actor=ADA, now=LATER)
    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1", "009b": "V2"}


def test_only_what_was_confirmed_is_accepted(books: Books) -> None:
    for id_, name in (("009a", "Acme Tools"), ("009b", "Beta Foods")):
        books.vendor(id_, name)
        books.ledger("vendors", f"V{id_}", name)
    suggest(books.conn, KEY, NOW)
    seen = acceptances(Overviews(books.conn, KEY), Accept.LIKELY)
    books.vendor("009c", "Gamma Ray")
    books.ledger("vendors", "V009c", "Gamma Ray")

    accept(books.conn, KEY, Accept.LIKELY, only=seen[:1], actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V009a"}


def test_accepting_likely_ones_never_puts_two_vendors_onto_one(books: Books) -> None:
    books.vendor("009a", "Acme Tools", email=MAIL)
    books.vendor("009b", "Acme Tools & Co")
    books.ledger("vendors", "V1", "Acme Tools", email=MAIL)

    accept(books.conn, KEY, Accept.LIKELY, min_score=0, actor=ADA, now=LATER)
    accept(books.conn, KEY, Accept.LIKELY, min_score=0, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1"}


def test_suggesting_again_renews_suggestions_and_leaves_decisions_alone(books: Books) -> None:
    for id_, name in (("009a", "Acme"), ("009b", "Beta"), ("009c", "Gamma"), ("009d", "Delta Nine")):
        books.vendor(id_, name)
        books.ledger("vendors", f"V{id_[-1]}", name)
    books.mapping("vendors", "009a", "Vd", decided_by="eve")
    books.mapping("vendors", "009b", None, state="unmapped")
    suggest(books.conn, KEY, NOW)
    before = links(books.conn)
    books.change("vendors", "009c", name="Gamma Corp")
    books.change("vendors", "009d", name="Something else entirely")

    suggest(books.conn, KEY, LATER)

    assert links(books.conn) == before
    assert suggestions(books.conn).keys() == {"009c"}


def test_an_unchanged_suggestion_keeps_its_time(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.ledger("vendors", "V1", "Acme")
    suggest(books.conn, KEY, NOW)

    suggest(books.conn, KEY, LATER)

    assert books.conn.scalar(select(mapping_suggestions.c.suggested_at)) == NOW


def test_accepting_renews_suggestions_first(books: Books) -> None:
    books.vendor("009a", "Acme", email=MAIL)
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    books.ledger("vendors", "V2", "Beta", email="ap@beta.example")
    suggest(books.conn, KEY, NOW)
    books.change("vendors", "009a", name="Beta", email="ap@beta.example")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V2"}


def test_of_a_masked_tax_id_its_end_counts_and_a_placeholder_does_not(books: Books) -> None:
    books.vendor("009a", "Acme Tools", "*****6789")
    books.vendor("009b", "Beta Foods", "*****6780")
    books.vendor("009c", "Gamma Ray", "000000000")
    books.ledger("vendors", "V1", "Acme Tools", tax_id="12-3456789")
    books.ledger("vendors", "V2", "Beta Foods", tax_id="12-3450000")
    books.ledger("vendors", "V3", "Gamma Ray", tax_id="00-0000000")

    suggest(books.conn, KEY, NOW)

    assert suggested(books.conn) == {"009a": ("V1", Certainty.EXACT), "009c": ("V3", Certainty.LIKELY)}
    assert suggestions(books.conn)["009c"].best.supporting == ("same name",)


def test_the_legal_name_and_the_payee_in_bill_make_a_vendor_likely(books: Books) -> None:
    books.vendor("009a", "Quick Print", additional_info_company_name="Perkins Holdings LLC")
    books.vendor("009b", "The Corner Shop", payment_information_payee_name="Ada Okoro")
    books.ledger("vendors", "V1", "Perkins Holdings")
    books.ledger("vendors", "V2", "Ada Okoro")

    suggest(books.conn, KEY, NOW)

    assert suggested(books.conn) == {"009a": ("V1", Certainty.LIKELY), "009b": ("V2", Certainty.LIKELY)}


def test_a_ledger_vendor_without_a_currency_is_in_the_home_currency_where_others_state_theirs(books: Books) -> None:
    for id_, currency in (("009a", "EUR"), ("009b", "USD")):
        books.vendor(id_, f"Acme {id_}", email=MAIL, bill_currency=currency)
        books.ledger("vendors", f"V{id_}", f"Acme {id_}", email=MAIL)
    suggest(books.conn, KEY, NOW)
    assert {certainty for _, certainty in suggested(books.conn).values()} == {Certainty.EXACT}

    books.ledger("vendors", "V3", "Zenith Foods", currency="EUR")
    suggest(books.conn, KEY, NOW)

    assert suggested(books.conn) == {"009b": ("V009b", Certainty.EXACT)}


@pytest.mark.parametrize("state", [{"active": False}, None], ids=["inactive", "gone"])
def test_a_mapping_whose_ledger_object_has_gone_is_stale_and_suggested_again(
    books: Books, state: dict[str, object] | None
) -> None:
    books.vendor("009a", "Acme", email=MAIL)
    if state is not None:
        books.ledger("vendors", "V1", "Acme", email=MAIL, **state)
    books.ledger("vendors", "V2", "Acme", email=MAIL)
    books.mapping("vendors", "009a", "V1", decided_by="eve")

    suggest(books.conn, KEY, NOW)

    assert (counts(books.conn, "vendors").stale, counts(books.conn, "vendors").mapped) == (1, 0)
    assert links(books.conn)["009a"].ledger_id == "V1"
    assert suggested(books.conn) == {"009a": ("V2", Certainty.EXACT)}
    assert (
        mapping_command(Overviews(books.conn, KEY, ("vendors",))) == "billcom mappings suggest acme-us --accept exact"
    )
    accept(books.conn, KEY, actor=ADA, now=LATER)
    assert mapped(books.conn, KEY, "vendors") == {"009a": "V2"}
    assert "V1" in str(audit.entries(books.conn, KEY, limit=1)[0].before)
    assert mapping_command(Overviews(books.conn, KEY, ("vendors",))) is None


def test_the_next_command_changes_something_each_time(books: Books) -> None:
    def command() -> str | None:
        return mapping_command(Overviews(books.conn, KEY, ("vendors",)))

    assert command() is None
    books.vendor("009a", "Acme", email=MAIL)
    books.vendor("009b", "Beta Foods")
    books.vendor("009c", "Nothing like it")
    assert command() == "billcom ledger import acme-us --vendors vendors.csv"
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    books.ledger("vendors", "V2", "Beta Foods")
    suggest(books.conn, KEY, NOW)
    assert command() == "billcom mappings suggest acme-us --accept exact"
    accept(books.conn, KEY, actor=ADA, now=LATER)
    assert command() == "billcom mappings suggest acme-us --accept likely"
    accept(books.conn, KEY, Accept.LIKELY, actor=ADA, now=LATER)
    assert command() == "billcom mappings export acme-us --output mappings.csv"
    books.mapping("vendors", "009c", None, state="unmapped")
    assert command() is None


def test_inactive_ledger_objects_and_deleted_bill_objects_are_not_suggested(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.vendor("009b", "Beta", deleted_at=NOW)
    books.vendor("009c", "Gamma", archived=True)
    books.ledger("vendors", "V1", "Acme", active=False)
    books.ledger("vendors", "V2", "Beta")
    books.ledger("vendors", "V3", "Gamma")

    suggest(books.conn, KEY, NOW)

    assert suggestions(books.conn) == {}


def test_an_archived_vendor_whose_bills_are_still_here_gets_what_the_live_ones_leave(books: Books) -> None:
    books.vendor("009a", "Acme", email=MAIL, archived=True)
    books.vendor("009b", "Beta", email="ap@beta.example", archived=True)
    books.vendor("009c", "Beta", email="ap@beta.example")
    books.bill("bills", "00n1", vendor_id="009a")
    books.bill("bills", "00n2", vendor_id="009b")
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    books.ledger("vendors", "V2", "Beta", email="ap@beta.example")

    suggest(books.conn, KEY, NOW)

    assert suggested(books.conn) == {
        "009a": ("V1", Certainty.EXACT),
        "009b": ("V2", Certainty.LIKELY),
        "009c": ("V2", Certainty.EXACT),
    }
    assert suggestions(books.conn)["009b"].best.contradicting == ('BILL\'s "Beta" is mapped to it',)


def test_the_mapping_of_an_archived_vendor_does_not_keep_its_successor_from_the_ledger_vendor(books: Books) -> None:
    books.vendor("009a", "Acme", email=MAIL, archived=True)
    books.vendor("009b", "Acme", email=MAIL)
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    books.mapping("vendors", "009a", "V1")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1", "009b": "V1"}
    assert [(link.bill_id, link.reasons) for link in stale_links(Overviews(books.conn, KEY))] == [
        ("009a", ("archived in BILL, perhaps merged into another",))
    ]


def test_a_bank_account_goes_where_its_account_in_bill_goes(books: Books) -> None:
    books.account("0cab", "Operating", "BANK", "1000")
    books.account("0cac", "Payroll", "BANK")
    books.ledger_account("1000", "Operating", "BANK")
    books.ledger_account("1010", "Payroll bank", "BANK")
    books.bill("funding_accounts", "bac1", bank_name="Chase", type="CHECKING", chart_of_account_id="0cab")
    books.bill("funding_accounts", "bac2", bank_name="Chase", type="SAVINGS", chart_of_account_id="0cac")
    books.mapping("accounts", "0cac", "1010")

    report = accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "funding_accounts") == {"bac1": "1000", "bac2": "1010"}
    assert [k.accepted for k in report if k.kind == "funding_accounts"] == [2]


def test_a_debit_card_goes_where_its_bank_account_goes(books: Books) -> None:
    books.account("0cab", "Operating", "BANK", "1000")
    books.ledger_account("1000", "Operating", "BANK")
    books.bill("funding_accounts", "bac1", bank_name="Chase", type="CHECKING", chart_of_account_id="0cab")
    card = {"kind": "CARD_ACCOUNT", "type": "DEBIT_CARD", "chart_of_account_id": "0cab"}
    books.bill("funding_accounts", "cat1", issuing_bank_name="Chase", **card)

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "funding_accounts") == {"bac1": "1000", "cat1": "1000"}


def test_cards_go_onto_credit_card_accounts(books: Books) -> None:
    card = {"kind": "CARD_ACCOUNT", "issuing_bank_name": "Chase", "brand": "VISA", "last4": "4321"}
    books.bill("funding_accounts", "cat1", type="CREDIT_CARD", **card)
    books.bill("funding_accounts", "cat2", kind="CARD_ACCOUNT", named_by="vendor_payments")
    books.ledger_account("1000", "Chase Visa", "BANK")
    books.ledger_account("2100", "Chase Visa 4321", "CREDIT_CARD")

    suggest(books.conn, KEY, NOW)

    assert suggested(books.conn, "funding_accounts") == {"cat1": ("2100", Certainty.EXACT)}


def test_funding_accounts_only_go_onto_bank_and_credit_card_accounts(books: Books) -> None:
    books.bill("funding_accounts", "bac1", bank_name="Chase", type="CHECKING")
    books.ledger_account("6000", "Chase Checking", "EXPENSE")
    suggest(books.conn, KEY, NOW)
    assert suggestions(books.conn, "funding_accounts") == {}

    books.ledger_account("1000", "Chase Checking", "BANK")
    suggest(books.conn, KEY, NOW)
    assert suggested(books.conn, "funding_accounts")["bac1"] == ("1000", Certainty.EXACT)


@pytest.mark.parametrize("kind", ["departments", "jobs", "locations", "accounting_classes"])
def test_every_dimension_is_matched_by_name_and_place_within_its_own_kind(books: Books, kind: str) -> None:
    other = "locations" if kind != "locations" else "jobs"
    books.bill(kind, "x1", name="West")
    books.ledger("dimensions", "W", "West", kind=kind)
    books.ledger("dimensions", "O", "West", kind=other)

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, kind) == {"x1": "W"}


def test_customers_are_matched_by_name_and_number(books: Books) -> None:
    books.bill("customers", "x1", name="West", account_number="C-7")
    books.ledger("customers", "C-7", "West", number="C-7")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "customers") == {"x1": "C-7"}


def test_items_are_matched_by_name_and_the_account_that_they_are_booked_on(books: Books) -> None:
    books.account("0ca1", "Parts", "EXPENSE", "6000")
    books.ledger_account("6000", "Parts")
    books.bill("items", "x1", name="Widget", expense_chart_of_account_id="0ca1")
    books.ledger("items", "W", "Widget", expense_account_id="6000")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "items") == {"x1": "W"}


def test_employees_are_suggested_by_first_and_last_name(books: Books) -> None:
    books.bill("employees", "emp1", first_name="Ada", last_name="Okoro")
    books.ledger("dimensions", "E1", "Okoro, Ada", kind="employees")

    suggest(books.conn, KEY, NOW)

    assert suggested(books.conn, "employees") == {"emp1": ("E1", Certainty.LIKELY)}


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
    books.suggestion("vendors", "009c", "V1", certainty="likely", score=90)
    books.bill("bills", "00n1", vendor_id="009a")
    books.bill("bills", "00n2", vendor_id="009c")
    books.bill("bills", "00n3", vendor_id="009e")
    books.bill("bills", "00n4", vendor_id="009d", archived=True)

    assert counts(books.conn, "vendors") == Coverage(
        "vendors", mapped=1, stale=1, suggested=1, unmapped=2, left=0, in_use=3, in_use_unmapped=2
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

    assert [
        (link.kind, link.bill_id, link.ledger_id, link.reasons) for link in stale_links(Overviews(books.conn, KEY))
    ] == [("vendors", "009a", "V1", reasons)]


def test_a_sound_mapping_is_not_stale(books: Books) -> None:
    books.ready()

    assert stale_links(Overviews(books.conn, KEY)) == []


def test_integrations_are_mapped_apart(books: Books) -> None:
    connect(books.conn, "other")
    other = Books(books.conn, "other")
    books.vendor("009a", "Acme", email=MAIL)
    other.vendor("009a", "Beta")
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    other.ledger("vendors", "V1", "Beta")
    other.ledger("vendors", "V2", "Acme")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009a": "V1"}
    assert set(books.conn.scalars(select(mappings.c.integration))) == {KEY}


def test_an_unknown_integration_is_refused(conn: Connection) -> None:
    with pytest.raises(UnknownIntegration):
        suggest(conn, "nobody", NOW)


def test_ids_that_differ_only_in_case_are_different_objects(books: Books) -> None:
    books.vendor("009aa", "Acme", email=MAIL)
    books.vendor("009AA", "Beta", email="ap@beta.example")
    books.ledger("vendors", "V1", "Acme", email=MAIL)
    books.ledger("vendors", "V2", "Beta", email="ap@beta.example")

    accept(books.conn, KEY, actor=ADA, now=LATER)

    assert mapped(books.conn, KEY, "vendors") == {"009aa": "V1", "009AA": "V2"}
