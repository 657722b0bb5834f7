"""The books at the command line: shown, traced, posted again, and closed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Row, insert, update

from billcom_assets.books.policy import posting_policy
from billcom_assets.books.posting import post
from billcom_assets.clock import utc_now
from billcom_assets.warehouse.books_tables import ledger_applications, ledger_documents, opening_documents
from billcom_assets_tests.books.held_company import HeldCompany
from billcom_assets_tests.cli.commands import Answered, billcom_command
from billcom_assets_tests.small_company import connect
from billcom_assets_tests.sync.company import INTEGRATION


@pytest.fixture
def desk(held: HeldCompany, monkeypatch: pytest.MonkeyPatch) -> HeldCompany:
    """Somebody at a command line with the company's database."""
    monkeypatch.setenv("BILLCOM_DATABASE_URL", held.url)
    return held


def books(*arguments: str, key: str = INTEGRATION) -> Answered:
    return billcom_command("books", key, *arguments)


def lines(answered: Answered) -> list[str]:
    assert answered.code == 0, answered.everything
    return [" ".join(line.split()) for line in answered.out.splitlines()]


# Shown ---------------------------------------------------------------------------------------------------------------


def test_the_trial_balance_comes_with_its_totals_then_the_documents_by_state_and_reason(desk: HeldCompany) -> None:
    document, shown = books("show", "--json").document, lines(books("show"))
    debit = sum(Decimal(one["debit"]) for one in document["trial_balance"])
    assert shown[0] == "Trial balance in USD:"
    assert f"Total {debit:,} {debit:,} {Decimal(0):.2f}" in shown
    imported = len(desk.documents(kind="bills", state="imported"))
    assert any(line.startswith(f"bills imported {imported} ") for line in shown)
    waiting = len(desk.errors(entity="bills", code="VENDOR_UNMAPPED", status="open"))
    assert any(line.startswith(f"bills VENDOR_UNMAPPED {waiting} ") for line in shown)
    assert shown[-1] == "Next: billcom errors acme-us" == f"Next: {document['next_step']}"
    assert document["home_currency"] == "USD"


def test_an_amount_without_a_rate_is_counted_where_it_is_not_added(desk: HeldCompany) -> None:
    known = len([one for one in desk.documents(state="held") if one.home_amount is None])
    first = next(one for one in desk.documents(kind="bills", state="held") if one.home_amount is not None)
    with desk.warehouse.write() as connection:
        d = ledger_documents.c
        connection.execute(update(ledger_documents).where(d.kind == "bills", d.id == first.id).values(home_amount=None))
    document = books("show", "--json").document
    assert sum(one["without_rate"] for one in document["documents"] if one["state"] == "held") == known + 1
    (bills,) = (one for one in document["documents"] if (one["kind"], one["state"]) == ("bills", "held"))
    shown = lines(books("show"))
    assert "Kind State Reason Documents Amount No rate" in shown
    row = next(line for line in shown if line.startswith("bills held "))
    assert row == f"bills held {bills['documents']} {Decimal(bills['home_amount']):,} 1"


def test_empty_books_say_whether_a_sync_would_fill_them(desk: HeldCompany) -> None:
    with desk.warehouse.write() as connection:
        connect(connection, "beta")
    assert lines(books("show", key="beta")) == ["beta: nothing was posted yet.", "", "Next: billcom sync beta"]
    post(desk.warehouse, "beta", clock=desk.clock)
    assert lines(books("show", key="beta")) == ["beta: BILL has no document of the days since the cutoff."]


# Traced --------------------------------------------------------------------------------------------------------------


def settlement(desk: HeldCompany) -> Row[Any]:
    """A payment of one bill that is in the books with its bill, and has a number that looks like an account's."""
    found = (row for row in desk.rows(ledger_applications) if row.kind == "vendor_payments")
    return next(row for row in found if desk.document("vendor_payments", row.document_id).number)


def test_a_payment_leads_to_the_bill_that_it_settles_and_back_by_their_numbers(desk: HeldCompany) -> None:
    row = settlement(desk)
    payment, bill = desk.document("vendor_payments", row.document_id), desk.document("bills", row.settled_id)
    vendors = {one.id: one.name for one in desk.rows_of("vendors")}

    shown = lines(books("trace", payment.number))
    assert shown[0] == f"vendor payment {payment.number} ({payment.id}) of {vendors[payment.party]}: imported"
    assert f"settles bill {bill.number} ({bill.id}): {row.amount:,} {payment.currency}" in shown
    assert any(line.startswith("1 posting ") and line.endswith(f" {payment.home_amount:,}") for line in shown)
    assert any(line.startswith("brought by a pull of ") for line in shown)

    back = lines(books("trace", row.settled_id))
    called = f"vendor payment {payment.number} ({payment.id})"
    assert f"settled by {called}: {row.amount:,} {bill.currency}" in back
    assert lines(books("trace", bill.entry_id)) == back
    document = books("trace", bill.id, "--json").document
    assert document["found"][0]["payload"]["id"] == bill.id
    assert document["found"][0]["document"]["party_name"] == vendors[bill.party]


def test_a_foreign_document_is_shown_in_both_currencies(desk: HeldCompany) -> None:
    foreign = next(one for one in desk.documents(kind="bills", state="imported") if one.currency != "USD")
    dated = f"dated {foreign.document_date}, {foreign.amount:,} {foreign.currency}"
    assert f"{dated}, {foreign.home_amount:,} in the home currency" in lines(books("trace", foreign.id))


def test_a_held_document_is_traced_to_its_reasons(desk: HeldCompany) -> None:
    error = next(one for one in desk.held_by("VENDOR_UNMAPPED") if one.entity == "bills")
    shown = lines(books("trace", error.record_id))
    assert shown[0].endswith(": held")
    assert f"VENDOR_UNMAPPED: {error.message}" in shown
    assert f"Next: {error.next_step}" in shown


def test_what_is_not_in_the_books_is_told_with_where_it_is(desk: HeldCompany) -> None:
    unknown = books("trace", "Nobody-1")
    assert (unknown.code, unknown.out) == (2, "")
    assert "nothing in the books has the id or number Nobody-1. What is dated before the cutoff is not" in unknown.err
    row = {"integration": INTEGRATION, "entity": "bills", "id": "00n0", "number": "77", "date": date(2020, 5, 4)}
    amounts = {"currency": "USD", "amount": Decimal("12.50"), "open_amount": Decimal("2.50")}
    with desk.warehouse.write() as connection:
        connection.execute(insert(opening_documents).values(row | amounts))
    opening = books("trace", "77")
    assert (opening.code, opening.out) == (2, "")
    assert "the bill 77 is an opening document: dated 2020-05-04, before the cutoff." in opening.err
    assert opening.err.rstrip().endswith("open now: 2.50 of 12.50 USD.")


# Posted again, and closed --------------------------------------------------------------------------------------------


def test_posting_again_is_shown_first_and_done_when_confirmed(desk: HeldCompany) -> None:
    before = desk.entries()
    payments = len(desk.documents(kind="vendor_payments", state="imported"))
    shown = lines(books("repost", "--set", "payments=clearing"))
    would = next(line for line in shown if line.endswith(" would be reversed and posted again."))
    count = int(would.split()[0])
    assert (0 < count <= payments, would.split()[1:3]) == (True, ["vendor", "payments"])
    assert shown[-1] == "Next: billcom books acme-us repost --set payments=clearing --yes"
    assert desk.entries() == before

    done = lines(books("repost", "--set", "payments=clearing", "--yes"))
    assert would.replace("would be", "were") in done
    assert not [line for line in done if line.startswith("Next:")]
    assert len(desk.entries()) >= len(before) + 2 * count
    assert lines(books("repost")) == ["No entry would be changed today."]
    assert lines(books("repost", "--yes")) == ["No entry was changed."]


def test_a_period_is_closed_through_a_day_that_has_come(desk: HeldCompany) -> None:
    today = utc_now().date()
    assert lines(books("close", "--through", "2026-01-31")) == ["acme-us: the books are closed through 2026-01-31."]
    assert "The period from 2026-01-01 to 2026-01-31 is open again" in books("close", "--through", "2025-12-31").out
    assert "is not over yet" in books("close", "--through", str(today)).out

    mistyped = books("close", "--through", str(today + timedelta(days=365)))
    assert (mistyped.code, mistyped.out) == (2, "")
    assert f"that day has not come yet, and new entries would be dated after it. It can be {today} or" in mistyped.err
    with desk.warehouse.read() as connection:
        assert posting_policy(connection, INTEGRATION).closed_through == today


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("close", "--through", "none"), "'none' is not a date. Write it as 2025-01-31.\n"),
        (("close",), "Missing option '--through'"),
        (("trace",), "Missing argument 'DOCUMENT|ENTRY'"),
        (("repost", "--set", "payments"), "'payments' sets nothing"),
        (("repost", "--set", "payment=direct"), "Did you mean payments?"),
        (("shwo",), "Did you mean show?"),
    ],
)
def test_wrong_use_is_told_in_one_message(desk: HeldCompany, arguments: tuple[str, ...], said: str) -> None:
    answered = books(*arguments)
    assert (answered.code, answered.out, answered.err.count("Error:")) == (2, "", 1)
    assert said in answered.err


def test_the_help_of_a_group_says_whole_sentences() -> None:
    shown = " ".join(billcom_command("books", "--help").out.split()).partition(" Commands: ")[2]
    assert "..." not in shown
    assert "trace Traces a document or entry: its lines, what it settles, what BILL sent, and the run that" in shown
