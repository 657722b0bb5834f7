from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from billcom_assets.sandbox import SandboxServer, Settings, v2_rows
from billcom_assets.sandbox.books import approvals, payments, vendor_credits
from billcom_assets.sandbox.books.objects import set_hidden
from billcom_assets.sandbox.codec import encode
from billcom_assets.sandbox.ids import NO_ID
from billcom_assets.sandbox.kinds import BILLS, kind_at
from billcom_assets.sandbox.v2.shapes import SHAPES
from billcom_assets_tests.sandbox.api import DEV_KEY, Api
from billcom_assets_tests.sandbox.conftest import Serve


def failure(answer: Any) -> str:
    envelope = answer.json()
    assert answer.status_code == 200
    assert (envelope["response_status"], envelope["response_message"]) == (1, "Error")
    return str(envelope["response_data"]["error_code"])


def login_form(api: Api, **changes: str) -> dict[str, str]:
    user = api.organization.user
    return {"userName": user.username, "password": user.password, "orgId": api.organization.id} | changes


def test_a_v2_login_names_things_its_own_way_and_its_session_works_in_v3(serve: Serve) -> None:
    api = serve(log_in=False)
    data = api.v2_data("Login.json", **login_form(api))
    assert set(data) == {"sessionId", "orgId", "apiEndPoint", "usersId"}
    assert data["apiEndPoint"] == api.server.v2_base_url
    api.headers["sessionId"] = data["sessionId"]
    assert api.get("/v3/login/session").json()["userId"] == data["usersId"]
    info = api.v2_data("GetSessionInfo.json")
    assert info == {"organizationId": api.organization.id, "userId": data["usersId"]}


def test_a_v3_session_works_in_v2_until_logged_out_there(serve: Serve) -> None:
    api = serve()
    assert api.v2_data("List/User.json", {"start": 0, "max": 1})
    assert api.v2_data("Logout.json") == {}
    assert api.get("/v3/roles").status_code == 401
    assert failure(api.v2("List/User.json", {"start": 0, "max": 1})) == "BDC_1109"


def test_a_session_may_come_as_a_cookie(serve: Serve) -> None:
    api = serve()
    answer = api.http.post(
        f"{api.server.v2_base_url}/GetSessionInfo.json",
        data={"devKey": DEV_KEY},
        cookies={"sid": api.headers["sessionId"]},
        timeout=5,
    )
    assert answer.json()["response_status"] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"password": "wrong"}, "BDC_1101"), ({"devKey": "wrong"}, "BDC_1102"), ({"orgId": "008"}, "BDC_1101")],
)
def test_wrong_v2_credentials_are_an_envelope_with_status_200(serve: Serve, changes: dict[str, str], code: str) -> None:
    api = serve(log_in=False)
    assert failure(api.v2("Login.json", **login_form(api, **changes))) == code


def test_an_unknown_path_or_verb_is_not_supported(serve: Serve) -> None:
    api = serve()
    for path in ("List/bill.json", "List/Bill", "Approve/Bill.json", "login.json"):
        assert failure(api.v2(path, {})) == "BDC_1121"
    assert failure(api.http.get(f"{api.server.v2_base_url}/List/Bill.json", timeout=5)) == "BDC_1121"


OBJECTS = [entity for entity, shape in SHAPES.items() if not shape.parts]


@pytest.fixture(scope="module")
def company() -> Iterator[Api]:
    with SandboxServer(Settings(bills=300, orgs=1)) as server:
        yield Api(server).log_in()


@pytest.mark.parametrize("entity", OBJECTS)
def test_a_list_has_the_same_objects_as_v3_and_each_can_be_read(company: Api, entity: str) -> None:
    rows = company.v2_data(f"List/{entity}.json", {"start": 0, "max": 999})
    truth = {doc["id"]: doc for doc in company.organization.rows(SHAPES[entity].kind.path)}
    assert [row["id"] for row in rows] == list(truth)
    for row in rows:
        assert row["entity"] == entity
        assert row["createdTime"] == truth[row["id"]]["createdTime"].replace("+00:00", "+0000")
        assert row.get("isActive") in (None, "1", "2", "5", "6")
    assert company.v2_data(f"Crud/Read/{entity}.json", {"id": rows[0]["id"]}) == rows[0]


def test_each_part_of_a_payment_is_listed_and_read_by_itself(company: Api) -> None:
    payments = company.v2_data("List/SentPay.json", {"start": 0, "max": 999})
    parts = company.v2_data("List/BillPay.json", {"start": 0, "max": 999})
    assert parts == [part for payment in payments for part in payment["billPays"]]
    assert company.v2_data("Crud/Read/BillPay.json", {"id": parts[-1]["id"]}) == parts[-1]
    one = {"field": "sentPayId", "op": "=", "value": payments[3]["id"]}
    assert company.v2_data("List/BillPay.json", {"start": 0, "max": 9, "filters": [one]}) == payments[3]["billPays"]


def test_a_credit_used_in_a_payment_is_the_same_from_either_side(company: Api) -> None:
    payments = company.v2_data("List/SentPay.json", {"start": 0, "max": 999})
    used = {use["id"]: use for use in company.v2_data("List/BillCredit.json", {"start": 0, "max": 999})}
    in_payments = {use["id"]: use for payment in payments if payment["status"] == "2" for use in payment["billCredits"]}
    assert in_payments
    assert in_payments.items() <= used.items()
    credits_ = company.organization.rows("vendor-credits")
    assert sum(use["amount"] for use in used.values()) == sum(one["appliedAmount"] for one in credits_)
    assert {use["sentPayId"] for use in used.values()} > {NO_ID}, "credits are used without a payment too"


def test_pages_are_offsets_and_may_be_longer_than_v3_allows(serve: Serve) -> None:
    api = serve(bills=130, orgs=1)
    pages = [api.v2_data("List/Bill.json", {"start": start, "max": 50}) for start in (0, 50, 100, 150)]
    assert [len(page) for page in pages] == [50, 50, 30, 0]
    assert len(api.v2_data("List/Bill.json", {})) == 130


@pytest.mark.parametrize(
    "data",
    [
        {"start": 0, "max": 1000},
        {"start": -1, "max": 5},
        {"start": 0, "max": 5, "limit": 5},
        {"start": 0, "max": 5, "filters": [{"field": "dueAmount", "op": "=", "value": "1"}]},
        {"start": 0, "max": 5, "filters": [{"field": "vendorId", "op": "eq", "value": "1"}]},
        {"start": 0, "max": 5, "filters": [{"field": "vendorId", "op": "="}]},
        {"start": 0, "max": 5, "filters": [{"field": "updatedTime", "op": ">=", "value": "lately"}]},
        {"start": 0, "max": 5, "sort": [{"field": "noSuchField", "asc": "true"}]},
        {"start": 0, "max": 5, "sort": [{"field": "billLineItems", "asc": "true"}]},
        ["start", 0],
    ],
)
def test_a_bad_list_request_is_an_unknown_error(serve: Serve, data: Any) -> None:
    assert failure(serve().v2("List/Bill.json", data)) == "BDC_1002"


def test_a_list_without_data_or_with_a_json_body_is_an_unknown_error(serve: Serve) -> None:
    api = serve()
    assert failure(api.v2("List/Bill.json")) == "BDC_1002"
    assert failure(api.v2("List/Bill.json", data="{")) == "BDC_1002"
    body = json.dumps({"devKey": DEV_KEY, "sessionId": api.headers["sessionId"], "data": {}})
    assert failure(api.http.post(f"{api.server.v2_base_url}/List/Bill.json", data=body, timeout=5)) == "BDC_1109"


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ([("paymentStatus", "=", "1")], lambda row: row["paymentStatus"] == "1"),
        ([("paymentStatus", "in", "1,2")], lambda row: row["paymentStatus"] in "12"),
        ([("paymentStatus", "nin", ["1", "2"])], lambda row: row["paymentStatus"] not in "12"),
        ([("isActive", "!=", "1")], lambda row: row["isActive"] != "1"),
        ([("amount", ">", "500.5")], lambda row: row["amount"] > Decimal("500.5")),
        ([("dueDate", "<=", "2025-01-01")], lambda row: row["dueDate"] <= "2025-01-01"),
        ([("hasAutoPay", "=", "false")], lambda row: not row["hasAutoPay"]),
        (
            [("updatedTime", ">=", "2025-03-01T02:00:00.000+0000"), ("isActive", "=", "1")],
            lambda row: row["updatedTime"] >= "2025-03-01T02" and row["isActive"] == "1",
        ),
    ],
)
def test_v2_filters_select_what_they_say(serve: Serve, filters: Any, fits: Any) -> None:
    api = serve(bills=150, orgs=1)
    everything = api.v2_data("List/Bill.json", {"start": 0, "max": 999})
    sent = [{"field": field, "op": op, "value": value} for field, op, value in filters]
    rows = api.v2_data("List/Bill.json", {"start": 0, "max": 999, "filters": sent})
    assert rows == [row for row in everything if fits(row)]
    assert rows


@pytest.mark.parametrize("ascending", ["true", "false", True, False])
def test_v2_sorts_both_ways_and_by_several_fields(serve: Serve, ascending: Any) -> None:
    api = serve(bills=80, orgs=1)
    sort = [{"field": "approvalStatus", "asc": ascending}, {"field": "dueDate", "asc": "true"}]
    rows = api.v2_data("List/Bill.json", {"start": 0, "max": 999, "sort": sort})
    up = str(ascending).lower() == "true"
    expected = sorted(rows, key=lambda row: row["dueDate"])
    assert rows == sorted(expected, key=lambda row: row["approvalStatus"], reverse=not up)


def test_v2_speaks_digits_zeros_and_dollars(serve: Serve) -> None:
    api = serve(bills=300, orgs=1)
    digits = {"UNASSIGNED": "0", "ASSIGNED": "1", "APPROVED": "3", "APPROVING": "4", "DENIED": "5"}
    states = {"ACTIVE": "1", "INACTIVE": "2", "DRAFT": "5", "DRAFT_DELETED": "6"}
    truth = {doc["id"]: doc for doc in api.organization.rows("bills")}
    rows = api.v2_data("List/Bill.json", {})
    for row in rows:
        bill = truth[row["id"]]
        assert row["approvalStatus"] == digits[bill["approvalStatus"]]
        assert row["isActive"] == states[bill["recordStatus"]]
        assert row["amount"] == bill.get("fundingAmount", bill["amount"])
        assert row["localAmount"] == (bill["amount"] if "fundingAmount" in bill else None)
        assert [line["id"] for line in row["billLineItems"]] == [line["id"] for line in bill["billLineItems"]]
    assert any(row["chartOfAccountId"] == NO_ID for row in rows)
    credits = {doc["id"]: doc for doc in api.organization.rows("vendor-credits")}
    foreign = [row for row in api.v2_data("List/VendorCredit.json", {}) if row["exchangeRate"] is not None]
    for row in foreign:
        credit = credits[row["id"]]
        assert "exchangeRate" not in credit
        assert row["localAmount"] == credit["amount"]
        assert abs(row["amount"] - credit["amount"] * row["exchangeRate"]) <= Decimal("0.005")
    vendors = {doc["id"]: doc["billCurrency"] for doc in api.organization.rows("vendors")}
    assert {row["id"] for row in foreign} == {id_ for id_, doc in credits.items() if vendors[doc["vendorId"]] != "USD"}
    payments = {doc["id"]: doc for doc in api.organization.rows("payments")}
    for row in api.v2_data("List/SentPay.json", {}):
        payment = payments[row["id"]]
        clearing = api.organization.account_ids["1050" if payment["onlinePayment"] else "1000"]
        assert row["chartOfAccountId"] == clearing
        funding = payment["fundingAccount"]
        assert row["bankAccountId"] == (funding["id"] if funding["type"] == "BANK_ACCOUNT" else NO_ID)
        assert row["cardAccountId"] == (funding["id"] if funding["type"] == "CARD_ACCOUNT" else NO_ID)
        assert sum(part["amount"] for part in row["billPays"]) - row["amount"] <= Decimal("0.05")
    banks = api.v2_data("List/BankAccount.json", {})
    assert [bank["chartOfAccountId"] == NO_ID for bank in banks] == [False, False, False, True]


def test_unknown_and_foreign_ids_have_their_codes(serve: Serve) -> None:
    api = serve()
    assert failure(api.v2("Crud/Read/Bill.json", {"id": "00n02ZZZZZZZZZZ00000"})) == "BDC_1205"
    assert failure(api.v2("Crud/Read/Bill.json", {"id": "00902ZZZZZZZZZZ00000"})) == "BDC_1302"
    assert failure(api.v2("Crud/Read/Bill.json", {})) == "BDC_1002"


@pytest.mark.parametrize("entity", SHAPES)
def test_every_field_that_the_documentation_calls_filterable_is_there(entity: str) -> None:
    assert SHAPES[entity].filterable <= set(SHAPES[entity].fields)


def test_the_organizations_behind_a_password_are_listed_without_a_session(serve: Serve) -> None:
    api = serve(log_in=False)
    user = api.organization.user
    form = {"userName": user.username, "password": user.password, "devKey": DEV_KEY}
    assert api.v2_data("ListOrgs.json", **form) == [{"orgId": api.organization.id, "orgName": api.organization.name}]
    assert failure(api.v2("ListOrgs.json", **form | {"password": "wrong"})) == "BDC_1101"
    assert failure(api.v2("ListOrgs.json", **form | {"devKey": "wrong"})) == "BDC_1102"


def test_approvers_of_a_bill_wait_in_turn_and_stop_waiting_once_one_denies(serve: Serve) -> None:
    api = serve()
    organization = api.organization
    bill = next(doc["id"] for doc in organization.rows("bills") if doc["recordStatus"] == "ACTIVE")
    first, second, third = (organization.user_ids[role] for role in ("APPROVER", "ACCOUNTANT", "ADMINISTRATOR"))
    approvals.assign_approvers(organization, BILLS, bill, [first, second, third])

    def shown() -> list[tuple[str, str]]:
        rows = api.v2_data("ListApprovers.json", {"objectId": bill, "entity": "Bill"})
        assert [row["billid"] for row in rows] == [bill] * 3
        assert api.v2_data("Crud/Read/BillApprover.json", {"id": rows[1]["id"]}) == rows[1]
        return [(row["usersId"], row["status"]) for row in rows]

    assert shown() == [(first, "0"), (second, "5"), (third, "5")]
    approvals.decide(organization, BILLS, bill, first, approve=True)
    assert shown() == [(first, "4"), (second, "0"), (third, "5")]
    approvals.decide(organization, BILLS, bill, second, approve=False)
    assert shown() == [(first, "4"), (second, "3"), (third, "6")]
    assert api.v2_data("Crud/Read/Bill.json", {"id": bill})["approvalStatus"] == "5"


def test_only_v2_knows_how_vendor_credits_are_approved(company: Api) -> None:
    rows = company.v2_data("List/VendorCredit.json", {"start": 0, "max": 999})
    assert {row["approvalStatus"] for row in rows} >= {"0", "3", "4"}
    assert not any("approvalStatus" in doc for doc in company.organization.rows("vendor-credits"))
    for row in rows:
        data = {"objectId": row["id"], "entity": "VendorCredit"}
        statuses = [one["status"] for one in company.v2_data("ListApprovers.json", data)]
        assert (
            statuses
            in {"0": [[]], "1": [["0"]], "4": [["4", "0"]], "3": [["4"], ["4", "4"]], "5": [["3"]]}[
                row["approvalStatus"]
            ]
        )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"objectId": "00n02ZZZZZZZZZZ00000", "entity": "Bill"}, "BDC_1205"),
        ({"objectId": "00902ZZZZZZZZZZ00000", "entity": "Bill"}, "BDC_1302"),
        ({"objectId": "00n02ZZZZZZZZZZ00000"}, "BDC_1002"),
        ({"objectId": "00n02ZZZZZZZZZZ00000", "entity": "Vendor"}, "BDC_1002"),
    ],
)
def test_approvers_of_nothing_are_refused(company: Api, data: Any, code: str) -> None:
    assert failure(company.v2("ListApprovers.json", data)) == code


@pytest.mark.parametrize("moved_only", [False, True])
def test_a_document_posts_on_its_own_date_unless_its_month_was_closed(serve: Serve, moved_only: bool) -> None:
    api = serve(bills=300, orgs=1, posting_date_when_moved=moved_only)
    dates = {"Bill": "invoiceDate", "VendorCredit": "creditDate"}
    for entity, date in dates.items():
        rows = api.v2_data(f"List/{entity}.json", {"start": 0, "max": 999})
        moved = [row for row in rows if row["glPostingDate"] not in (None, row[date])]
        assert 0 < len(moved) < len(rows) / 5
        assert all(row["glPostingDate"] > row[date] and row["glPostingDate"].endswith("-01") for row in moved)
        assert any(row["glPostingDate"] is None for row in rows) == moved_only


def test_a_moved_posting_date_is_seen_in_v2_and_moves_only_the_update_time_of_v3(serve: Serve) -> None:
    api = serve()
    (change,) = api.server.sandbox.change(1, seed=3, only="move a posting date")
    kind = kind_at(change.path)
    entity = next(name for name in ("Bill", "VendorCredit") if SHAPES[name].kind is kind)
    since = {"field": "updatedTime", "op": ">=", "value": "2026-07-14T12:00:00.000+0000"}
    (row,) = api.v2_data(f"List/{entity}.json", {"start": 0, "max": 9, "filters": [since]})
    assert row["id"] == change.id
    assert row["glPostingDate"] > row["invoiceDate" if entity == "Bill" else "creditDate"]
    shown = api.get(f"{change.path}/{change.id}").json()
    assert "glPostingDate" not in shown
    assert shown["updatedTime"] == "2026-07-14T12:00:00.000+00:00"


def test_v3_may_not_know_what_v2_knows_of_approvals(serve: Serve) -> None:
    api = serve(approvals_undefined=True, approvers_shown="never")
    assert {bill["approvalStatus"] for bill in api.everything("/v3/bills", billApprovals="true")} == {"UNDEFINED"}
    assert len({row["approvalStatus"] for row in api.v2_data("List/Bill.json", {})}) > 2


@pytest.mark.parametrize(("access", "code"), [("no_key", "BDC_1102"), ("no_api", "BDC_1105")])
def test_a_key_without_access_to_v2_still_works_in_v3(serve: Serve, access: str, code: str) -> None:
    api = serve(v2_access=access)
    assert failure(api.v2("List/Bill.json", {"start": 0, "max": 1})) == code
    assert failure(api.v2("Login.json", **login_form(api))) == code
    assert api.get("/v3/bills").status_code == 200


def test_children_come_only_when_asked_for_where_so_read(serve: Serve) -> None:
    api = serve(v2_children_asked=True)
    (bare,) = api.v2_data("List/Bill.json", {"start": 0, "max": 1})
    (whole,) = api.v2_data("List/Bill.json", {"start": 0, "max": 1, "nested": True})
    assert "billLineItems" not in bare
    assert whole == bare | {"billLineItems": whole["billLineItems"]}
    assert whole["billLineItems"]
    assert api.v2_data("Crud/Read/Bill.json", {"id": bare["id"]}) == whole


def test_what_is_not_set_and_numbers_read_alone_may_be_text(serve: Serve) -> None:
    api = serve(v2_unset_is_empty=True, v2_reads_as_text=True, v2_approver_bill_key="billId")
    (bank, *_) = api.v2_data("List/BankAccount.json", {"start": 0, "max": 1})
    assert (bank["dateEstablished"], bank["primaryAP"]) == ("", True)
    assert api.v2_data("Crud/Read/BankAccount.json", {"id": bank["id"]})["primaryAP"] == "true"
    (bill, *_) = api.v2_data("List/Bill.json", {"start": 0, "max": 1})
    assert api.v2_data("Crud/Read/Bill.json", {"id": bill["id"]})["amount"] == str(bill["amount"])
    asked = next(row for row in api.v2_data("List/Bill.json", {}) if row["approvalStatus"] != "0")
    (approver, *_) = api.v2_data("ListApprovers.json", {"objectId": asked["id"], "entity": "Bill"})
    assert approver["billId"] == asked["id"]


def test_disbursements_are_described_once_the_money_is_on_its_way(serve: Serve) -> None:
    api = serve(bills=150, orgs=1)
    seen = set()
    for payment in api.organization.rows("payments"):
        data = api.v2_data("GetDisbursementData.json", {"sentPayId": payment["id"]})
        assert bool(data) == ("disbursementStatus" in payment)
        if data and payment["disbursementType"] in ("ACH", "CHECK", "RPPS"):
            seen.add(data["paymentType"])
            (detail,) = [value for name, value in data.items() if name.endswith("Data")]
            assert (detail.get("sentDate") or detail["checkDate"]) > "2023"
    assert seen == {"0", "1", "2"}
    assert failure(api.v2("GetDisbursementData.json", {})) == "BDC_1002"
    api.server.sandbox.change_settings(disbursement_data=False)
    assert api.v2_data("GetDisbursementData.json", {"sentPayId": payment["id"]}) == {}


@pytest.mark.parametrize("entity", [entity for entity, shape in SHAPES.items() if shape.listed])
def test_the_truth_about_v2_is_what_its_list_serves(company: Api, entity: str) -> None:
    listed = company.v2_data(f"List/{entity}.json", {"start": 0, "max": 999})
    assert listed == json.loads(encode(v2_rows(company.organization, entity)), parse_float=Decimal)
    answer = company.http.get(f"{company.server.control_url}/truth", params={"path": f"v2/{entity}"}, timeout=5)
    assert answer.json(parse_float=Decimal) == listed


def test_payments_show_how_they_are_funded_and_why_they_were_voided(company: Api) -> None:
    rows = company.v2_data("List/SentPay.json", {"start": 0, "max": 999})
    truth = {doc["id"]: doc for doc in company.organization.rows("payments")}
    funding = {truth[row["id"]]["disbursementType"]: (row["paymentType"], row["fundingType"]) for row in rows}
    assert (funding["ACH"], funding["RPPS"], funding["CHECK"]) == (("1", "2"), ("2", "1"), ("0", "0"))
    for row in rows:
        requests = [(one["type"], one["status"], one["reason"], one["decisionDate"]) for one in row["voidRequests"]]
        decided = row["updatedTime"]
        assert requests == ([("2", "1", "Paid twice", decided)] if row["status"] == "4" else [])
    assert {"4"} < {row["status"] for row in rows}


def test_a_bill_names_the_bank_account_behind_the_account_that_pays_it(company: Api) -> None:
    banks = {row["id"]: row for row in company.v2_data("List/BankAccount.json", {})}
    rows = company.v2_data("List/Bill.json", {"start": 0, "max": 999})
    named = [row for row in rows if row["payFromBankAccountId"] != NO_ID]
    assert [row for row in rows if row["payFromChartOfAccountId"] != NO_ID] == named
    for row in named:
        assert banks[row["payFromBankAccountId"]]["chartOfAccountId"] == row["payFromChartOfAccountId"]
    accounts = {row["id"]: row["accountType"] for row in company.v2_data("List/ChartOfAccount.json", {})}
    assert {accounts[row["apAccountId"]] for row in rows} == {"1"}


def test_a_use_of_a_credit_changes_with_its_payment(serve: Serve) -> None:
    api = serve(bills=150, orgs=1)
    since = {"field": "updatedTime", "op": ">=", "value": "2026-07-14T12:00:00.000+0000"}
    recent = {"start": 0, "max": 9, "filters": [since]}
    use = next(one for one in api.v2_data("List/BillCredit.json", {}) if one["sentPayId"] != NO_ID)
    assert api.v2_data("List/BillCredit.json", recent) == []
    payments.advance_payment(api.organization, use["sentPayId"], "CLEARED")
    changed = api.v2_data("List/BillCredit.json", recent)
    assert use["id"] in [one["id"] for one in changed]


def test_a_credit_used_twice_on_one_bill_is_two_uses(serve: Serve) -> None:
    api = serve(bills=150, orgs=1)
    bills = api.organization.rows("bills")
    due = {bill["vendorId"]: bill["id"] for bill in bills if bill["dueAmount"] > 1 and not bill["archived"]}
    credit = next(
        one
        for one in api.organization.rows("vendor-credits")
        if one["status"] == "NOT_APPLIED" and not one["archived"] and one["vendorId"] in due
    )
    for _ in range(2):
        vendor_credits.apply_credit(api.organization, credit["id"], due[credit["vendorId"]], 10)
    uses = [one for one in api.v2_data("List/BillCredit.json", {}) if one["vendorCreditId"] == credit["id"]]
    assert [(one["amount"], one["sentPayId"]) for one in uses] == [(Decimal("0.1"), NO_ID)] * 2
    assert len({one["id"] for one in uses}) == 2


def test_a_posting_date_outlives_approvals_and_edits(serve: Serve) -> None:
    api = serve()
    organization = api.organization
    bill = next(doc["id"] for doc in organization.rows("bills") if doc["paymentStatus"] == "UNPAID")
    set_hidden(organization, BILLS, bill, glPostingDate="2026-08-01")
    approvals.assign_approvers(organization, BILLS, bill, [organization.user.user_id])
    approvals.decide(organization, BILLS, bill, organization.user.user_id, approve=True)
    assert api.patch(f"/v3/bills/{bill}", {"description": "Edited"}).status_code == 200
    row = api.v2_data("Crud/Read/Bill.json", {"id": bill})
    assert (row["glPostingDate"], row["approvalStatus"], row["description"]) == ("2026-08-01", "3", "Edited")


@pytest.mark.parametrize("entity", SHAPES)
def test_v2_ids_have_their_prefix_and_no_two_are_equal(company: Api, entity: str) -> None:
    ids = [row["id"] for row in v2_rows(company.organization, entity)]
    assert ids
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(SHAPES[entity].prefix + r"02[A-Z]{10}[0-9a-z]{5}", one) for one in ids)
