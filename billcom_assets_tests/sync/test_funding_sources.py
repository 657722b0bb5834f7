"""Everything that payments come from is a row of funding_accounts: bank accounts, cards of two kinds, the balance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.kinds import BANK_ACCOUNTS, PAYMENTS
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.sync.company import INTEGRATION, Company
from billcom_assets_tests.sync.conftest import Serve

CARDS = "GET /v3/funding-accounts/cards"
AP_CARDS = "GET /v3/funding-accounts/ap-cards"
ONLY = ("funding_accounts", "vendor_payments")

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def company(serve: Serve) -> Company:
    return serve(bills=20)


def rows(warehouse: Warehouse, name: str = "funding_accounts") -> dict[str, Any]:
    table = warehouse.mirror.table(name)
    with warehouse.read() as connection:
        return {row.id: row for row in connection.execute(select(table).where(table.c.integration == INTEGRATION))}


def pay_from(company: Company, funding: Doc) -> str:
    """Has the newest payment come from there; returns its id."""
    organization = company.organization
    with company.server.sandbox.lock:
        doc = organization.rows(PAYMENTS.path)[-1] | {"fundingAccount": funding}
        organization.write(PAYMENTS, doc)
    return str(doc["id"])


def sweep_next_day(company: Company, warehouse: Warehouse) -> int:
    company.server.clock.advance(timedelta(days=1))
    return sum(report.deleted for report in company.sync(warehouse, only=ONLY, refresh=True))


def test_cards_are_rows_beside_the_bank_accounts(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse, only=ONLY)
    found = rows(warehouse)
    (verified,), (nominated,) = company.organization.cards.values()
    card, ap_card = found[verified["id"]], found[company.organization.ap_cards[0]["id"]]
    assert (card.kind, card.last4, card.type, card.named_by) == ("CARD_ACCOUNT", "4321", "CREDIT_CARD", None)
    assert (ap_card.kind, str(ap_card.credit_limit), ap_card.named_by) == ("AP_CARD", "20000.00", None)
    assert found[nominated["id"]].kind == "CARD_ACCOUNT"
    assert {found[bank["id"]].kind for bank in company.organization.rows(BANK_ACCOUNTS.path)} == {"BANK_ACCOUNT"}


@pytest.mark.parametrize(
    ("funding", "expected"),
    [
        ({"type": "WALLET"}, "WALLET"),
        ({"type": "WALLET", "id": "0" * 20}, "WALLET"),
        ({"type": "CARD_ACCOUNT", "id": "cat02COLLEAGUESX12345"}, "cat02COLLEAGUESX12345"),
        ({"type": "AP_CARD", "id": "9fd1c0de-0000-4000-8000-000000000001"}, "9fd1c0de-0000-4000-8000-000000000001"),
    ],
)
def test_a_funding_source_that_no_list_shows_gets_a_row_from_the_payment_that_names_it(
    funding: Doc, expected: str, company: Company, warehouse: Warehouse
) -> None:
    company.sync(warehouse, only=ONLY)
    payment = pay_from(company, funding)
    company.sync(warehouse, only=ONLY)
    assert rows(warehouse, "vendor_payments")[payment].funding_account_id == expected
    stand_in = rows(warehouse)[expected]
    assert (stand_in.kind, stand_in.named_by, stand_in.deleted_at) == (funding["type"], "vendor_payments", None)
    assert stand_in.payload == {"id": expected, "kind": funding["type"], "namedBy": "vendor_payments"}


def test_a_bank_account_that_its_list_does_not_show_gets_no_row(company: Company, warehouse: Warehouse) -> None:
    pay_from(company, {"type": "BANK_ACCOUNT", "id": "bac02NOWHEREXXX12345"})
    pay_from(company, {})
    company.sync(warehouse, only=ONLY)
    assert "bac02NOWHEREXXX12345" not in rows(warehouse)
    assert not {None, "", "BANK_ACCOUNT"} & rows(warehouse).keys()


def test_a_card_that_its_list_shows_later_is_no_stand_in_any_more(company: Company, warehouse: Warehouse) -> None:
    listed, company.organization.cards["VERIFIED"] = company.organization.cards["VERIFIED"], []
    pay_from(company, {"type": "CARD_ACCOUNT", "id": listed[0]["id"]})
    company.sync(warehouse, only=ONLY)
    assert rows(warehouse)[listed[0]["id"]].named_by == "vendor_payments"
    company.organization.cards["VERIFIED"] = listed
    company.sync(warehouse, only=ONLY)
    assert (rows(warehouse)[listed[0]["id"]].named_by, rows(warehouse)[listed[0]["id"]].last4) == (None, "4321")


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(403, None, "You are not permitted to do this."),
        Refusal(404, "BDC_1121", "API not supported."),
        Refusal(400, "BDC_1302", "The entity type of id syu01 does not match: User."),
    ],
    ids=lambda refusal: str(refusal.status),
)
def test_a_list_of_cards_that_bill_refuses_costs_the_bank_accounts_nothing(
    refusal: Refusal, company: Company, warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    company.server.sandbox.refused |= {CARDS: refusal, AP_CARDS: refusal}
    company.sync(warehouse, only=("funding_accounts",))
    assert {row.kind for row in rows(warehouse).values()} == {"BANK_ACCOUNT"}
    assert f"{INTEGRATION}: BILL does not show /v3/funding-accounts/cards to this login" in caplog.text


def test_a_sweep_counts_over_all_lists_and_marks_what_left_its_own(company: Company, warehouse: Warehouse) -> None:
    pay_from(company, {"type": "WALLET"})
    company.sync(warehouse, only=ONLY)
    assert sweep_next_day(company, warehouse) == sweep_next_day(company, warehouse) == 0
    (gone,) = company.organization.cards["NOMINATED"]
    company.organization.cards["NOMINATED"] = []
    assert (sweep_next_day(company, warehouse), sweep_next_day(company, warehouse)) == (0, 1)
    assert [row.id for row in rows(warehouse).values() if row.deleted_at] == [gone["id"]]


def test_the_list_of_bank_accounts_is_not_asked_for_what_it_never_shows(company: Company, warehouse: Warehouse) -> None:
    asked = []
    company.sync(warehouse, only=ONLY)
    for change in (lambda: None, lambda: pay_from(company, {"type": "WALLET"}), company.organization.ap_cards.clear):
        change()
        company.sync(warehouse, only=ONLY)
        company.server.sandbox.stats.reset()
        for _ in range(2):
            sweep_next_day(company, warehouse)
        asked.append(company.server.sandbox.stats.paths[f"GET {BANK_ACCOUNTS.path}"])
    assert asked[0] == asked[1] == asked[2] > 0


def test_a_sweep_takes_nothing_for_gone_that_a_refused_list_would_show(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse, only=ONLY)
    table = company.organization.table(BANK_ACCOUNTS)
    with company.server.sandbox.lock:
        *left, gone = table.snapshot()
        table.restore(left)
    company.server.sandbox.refused[CARDS] = Refusal(403, None, "You are not permitted to do this.")
    assert (sweep_next_day(company, warehouse), sweep_next_day(company, warehouse)) == (0, 1)
    assert [row.id for row in rows(warehouse).values() if row.deleted_at] == [gone.id]
