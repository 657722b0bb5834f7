"""What happens in a company that v3 hides or half shows: money movements and merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sandbox.books import payments
from billcom_assets.sandbox.books.money_movements import conclude, move_money
from billcom_assets.sandbox.books.objects import merge, set_archived
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.ids import NO_ID
from billcom_assets.sandbox.kinds import MONEY_MOVEMENTS, VENDORS, kind_at
from billcom_assets.sandbox.v2.shapes import SHAPES
from billcom_assets_tests.sandbox.api import Api
from billcom_assets_tests.sandbox.conftest import Serve
from billcom_assets_tests.sandbox.proof import sums_hold

WHOLE = {"start": 0, "max": 999}


@pytest.fixture(scope="module")
def company() -> Iterator[Api]:
    with SandboxServer(Settings(bills=400, orgs=1)) as server:
        yield Api(server).log_in()


def movements(api: Api, **fields: str) -> list[dict[str, Any]]:
    filters = [{"field": name, "op": "=", "value": value} for name, value in fields.items()]
    rows: list[dict[str, Any]] = api.v2_data("List/MoneyMovement.json", WHOLE | {"filters": filters})
    return rows


def moved_payments(api: Api) -> Counter[str]:
    """How often each payment is in a movement that the bank did not return."""
    docs = (row.look() for row in api.organization.table(MONEY_MOVEMENTS))
    return Counter(item["moves"] for doc in docs if doc["status"] != "VOIDED" for item in doc["items"])


def money_holds(api: Api) -> None:
    """Every online payment from or to a bank account has moved once, and movements are the sums of their items."""
    sent, receipts = api.organization.rows("payments"), api.organization.rows("receivable-payments")
    due = [one["id"] for one in sent if one["fundingAccount"]["type"] == "BANK_ACCOUNT"]
    made = {one["id"] for one in (*sent, *receipts) if one["onlinePayment"] and one["status"] in ("PAID", "VOID")}
    assert moved_payments(api) == Counter(made & {*due, *(one["id"] for one in receipts)})
    for row in movements(api):
        assert row["amount"] == sum(item["amount"] for item in row["moneyMovementItems"])
        assert (row["amount"] < 0) == (row["type"] == "1")
        assert {item["moneyMovementId"] for item in row["moneyMovementItems"]} == {row["id"]}


def test_all_money_of_a_day_moves_in_one_sum_per_bank_account(company: Api) -> None:
    money_holds(company)
    rows = [row for row in movements(company) if row["status"] != "2"]
    assert max(Counter((row["bankAccountId"], row["processDate"], row["type"]) for row in rows).values()) == 1
    assert max(len(row["moneyMovementItems"]) for row in rows) > 1
    assert {row["type"] for row in rows} == {"1", "2"}
    assert len({row["bankAccountId"] for row in rows}) == 2
    assert sum(row["status"] == "1" for row in rows) > len(rows) * 9 / 10


def test_a_movement_has_the_payments_of_its_day_under_the_names_of_their_vendors(company: Api) -> None:
    row = next(row for row in movements(company, type="1", status="1") if len(row["moneyMovementItems"]) > 1)
    paid = [
        (one["vendorName"], -one["fundingAmount"])
        for one in company.organization.rows("payments")
        if one["processDate"] == row["processDate"]
        and one["fundingAccount"] == {"type": "BANK_ACCOUNT", "id": row["bankAccountId"]}
        and one["onlinePayment"]
        and one["status"] in ("PAID", "VOID")
    ]
    assert Counter((item["name"], item["amount"]) for item in row["moneyMovementItems"]) == Counter(paid)
    assert not any(value.startswith("stp") for item in row["moneyMovementItems"] for value in map(str, item.values()))


def test_what_the_bank_returns_moves_again_another_day(company: Api) -> None:
    returned = movements(company, status="2")
    assert returned
    for row in returned:
        again = [item["amount"] for item in row["moneyMovementItems"]]
        later = [one for one in movements(company, status="1") if one["processDate"] > row["processDate"]]
        assert any([item["amount"] for item in one["moneyMovementItems"]] == again for one in later)
        assert row["updatedTime"] > row["createdTime"]


def test_a_settled_payment_reaches_the_bank_and_what_becomes_of_it_is_found_by_update_time(serve: Serve) -> None:
    api = serve(bills=90, orgs=1)
    box = api.server.sandbox
    since = {"field": "updatedTime", "op": ">=", "value": "2026-07-14T12:00:00.000+0000"}

    def changed() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = api.v2_data("List/MoneyMovement.json", WHOLE | {"filters": [since]})
        return rows

    (settled,) = box.change(1, seed=1, only="settle a payment")
    (row,) = changed()
    assert (row["status"], row["type"]) == ("0", "1")
    assert moved_payments(api)[settled.id] == 1
    box.clock.advance(timedelta(minutes=10))
    (voided,) = box.change(1, seed=1, only="void a money movement")
    states = {one["id"]: (one["status"], one["processDate"]) for one in changed()}
    assert states[voided.id][0] == "2"
    assert ("0", "2026-07-14") in states.values(), "the payments move again"
    money_holds(api)
    with pytest.raises(Refusal):
        conclude(api.organization, voided.id, "CONFIRMED")


def test_what_is_sent_on_one_day_joins_the_sum_of_that_day_until_the_bank_confirms_it(serve: Serve) -> None:
    api = serve(bills=90, orgs=1)
    organization = api.organization
    owed = [bill for bill in organization.rows("bills") if bill["recordStatus"] == "ACTIVE" and bill["dueAmount"] > 9]
    for bill in owed[:3]:
        paid = payments.pay(organization, [(bill["id"], 500)], created_by=organization.user.user_id)
        payments.settle_payment(organization, paid.id)
        move_money(organization)
        if bill is owed[1]:
            (sent,) = movements(api, processDate="2026-07-14")
            conclude(organization, sent["id"], "CONFIRMED")
    joined, alone = movements(api, processDate="2026-07-14")
    assert [len(row["moneyMovementItems"]) for row in (joined, alone)] == [2, 1]
    assert joined["moneyMovementItems"][0]["name"] == owed[0]["vendorName"]


def test_money_holds_whatever_happens(serve: Serve) -> None:
    api = serve(bills=90, orgs=1)
    box = api.server.sandbox
    for seed in range(12):
        box.change(8, seed)
        for only in ("settle a payment", "void a money movement", "confirm a money movement"):
            if any(doc["status"] in ("SENT", "SCHEDULED") for doc in _waiting(api, only)):
                box.change(1, seed, only=only)
        box.clock.advance(timedelta(seconds=30))
    money_holds(api)
    sums_hold(api.organization)


def _waiting(api: Api, only: str) -> list[dict[str, Any]]:
    return api.organization.rows("payments" if only == "settle a payment" else MONEY_MOVEMENTS.path)


def test_every_card_that_pays_is_in_v2_with_its_account(company: Api) -> None:
    cards = {row["id"]: row for row in company.v2_data("List/CardAccount.json", WHOLE)}
    accounts = {row["id"]: row for row in company.v2_data("List/ChartOfAccount.json", WHOLE)}
    assert {accounts[card["chartOfAccountId"]]["accountType"] for card in cards.values()} == {"3", "5"}
    sent = company.v2_data("List/SentPay.json", WHOLE)
    assert {NO_ID} < {payment["cardAccountId"] for payment in sent} <= {NO_ID, *cards}
    in_v3 = company.get("/v3/funding-accounts/cards", cardUserStatus="VERIFIED").json()["cards"]
    assert {card["id"] for card in in_v3} < set(cards), "v3 shows a user only cards of its own"


MERGES = ["vendors", "customers", "accounts", "employees", "dimensions"]


@pytest.mark.parametrize("what", MERGES)
def test_a_merged_object_is_archived_and_only_v2_names_the_survivor(serve: Serve, what: str) -> None:
    api = serve(bills=150, orgs=1)
    (change,) = api.server.sandbox.change(1, seed=5, only=f"merge two {what}")
    kind = kind_at(change.path)
    entity = next(name for name, shape in SHAPES.items() if shape.kind is kind)
    merged = api.v2_data(f"Crud/Read/{entity}.json", {"id": change.id})
    survivor = api.v2_data(f"Crud/Read/{entity}.json", {"id": merged["mergedIntoId"]})
    assert (merged["isActive"], survivor["isActive"], survivor["mergedIntoId"]) == ("2", "1", NO_ID)
    assert merged["updatedTime"] == "2026-07-14T12:00:00.000+0000"
    shown = api.get(f"{change.path}/{change.id}").json()
    assert shown["archived"] is True
    assert merged["mergedIntoId"] not in str(shown)
    others = api.v2_data(f"List/{entity}.json", WHOLE)
    assert [row["id"] for row in others if row["mergedIntoId"] != NO_ID] == [change.id]
    sums_hold(api.organization)


def test_documents_go_on_naming_a_merged_vendor(serve: Serve) -> None:
    api = serve(bills=90, orgs=1)
    bills = api.v2_data("List/Bill.json", {})
    loser = bills[0]["vendorId"]
    survivor = next(doc["id"] for doc in api.organization.rows("vendors") if not doc["archived"] and doc["id"] != loser)
    if api.organization.table(VENDORS).rows[loser].look()["archived"]:
        set_archived(api.organization, VENDORS, loser, archived=False)
    merge(api.organization, VENDORS, loser, survivor)
    assert api.v2_data("List/Bill.json", {}) == bills
    for wrong in ((loser, survivor), (survivor, survivor), (survivor, loser)):
        with pytest.raises(Refusal, match="cannot be merged"):
            merge(api.organization, VENDORS, *wrong)
    set_archived(api.organization, VENDORS, loser, archived=False)
    assert api.v2_data("Crud/Read/Vendor.json", {"id": loser})["mergedIntoId"] == NO_ID
