from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billcom_assets.sandbox.kinds import ACCOUNT_TYPES, BILLS, KINDS
from billcom_assets.sandbox.v3.documents import content_of
from billcom_assets_tests.sandbox.api import Api, codes
from billcom_assets_tests.sandbox.conftest import Serve
from billcom_assets_tests.sandbox.proof import sums_hold

ACCOUNTS = "/v3/classifications/chart-of-accounts"
CLASSIFICATIONS = [kind for kind in KINDS if kind.path.startswith("/v3/classifications/")]
LATER = "2026-07-14T13:00:00.000+00:00"
ADDRESS = {"line1": "1 Main St", "city": "Austin", "zipOrPostalCode": "78701", "country": "US"}


@pytest.fixture
def api(serve: Serve) -> Api:
    return serve(bills=120, orgs=1)


def made(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json(parse_float=Decimal)
    return body


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json(parse_float=Decimal)
    return body


def pass_an_hour(api: Api) -> None:
    api.server.clock.advance(timedelta(hours=1))
    api.log_in()


def new_vendor(api: Api, **fields: Any) -> dict[str, Any]:
    return made(api.post("/v3/vendors", {"name": "Fresh Vendor", "address": ADDRESS} | fields))


def new_bill(api: Api, vendor_id: str, *amounts: str, **fields: Any) -> dict[str, Any]:
    body = {
        "vendorId": vendor_id,
        "dueDate": "2026-08-14",
        "invoice": {"invoiceNumber": "A-1", "invoiceDate": "2026-07-10"},
        "billLineItems": [{"amount": amount} for amount in amounts],
    }
    return made(api.post("/v3/bills", body | fields))


# Chart of accounts


def test_an_account_is_created_with_what_was_sent_and_no_more(api: Api) -> None:
    account = made(
        api.post(
            ACCOUNTS,
            {"name": "Postage", "account": {"type": "EXPENSE", "number": "6123"}, "surprise": {"is": "ignored"}},
        )
    )
    assert account == {
        "id": account["id"],
        "archived": False,
        "name": "Postage",
        "account": {"type": "EXPENSE", "number": "6123"},
        "createdTime": "2026-07-14T12:00:00.000+00:00",
        "updatedTime": "2026-07-14T12:00:00.000+00:00",
    }
    assert done(api.get(f"{ACCOUNTS}/{account['id']}")) == account
    assert [row["id"] for row in api.everything(ACCOUNTS, filters='name:eq:"Postage"')] == [account["id"]]


def test_every_account_type_can_be_created_and_a_missing_one_is_unspecified(api: Api) -> None:
    for kind in ACCOUNT_TYPES:
        assert made(api.post(ACCOUNTS, {"name": kind, "account": {"type": kind}}))["account"] == {"type": kind}
    assert made(api.post(ACCOUNTS, {"name": "No type"}))["account"] == {"type": "UNSPECIFIED"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "x" * 251}, 400),
        ({"name": 7}, 400),
        ({"name": "x", "description": "d" * 4_001}, 400),
        ({"name": "x", "account": {"type": "EXPENSES"}}, 400),
        ({"name": "x", "account": {"type": "EXPENSE", "number": "9" * 41}}, 400),
        ({"name": "x", "account": "EXPENSE"}, 400),
        ({"name": "x", "parentId": "0ca02ZZZZZZZZZZ00000"}, 404),
        ([], 400),
    ],
)
def test_a_malformed_account_is_refused_and_leaves_nothing(api: Api, body: Any, status: int) -> None:
    before = api.organization.count(ACCOUNTS)
    assert api.post(ACCOUNTS, body).status_code == status
    assert api.organization.count(ACCOUNTS) == before


def test_duplicate_accounts_are_accepted_unless_read_otherwise(api: Api) -> None:
    body = {"name": "Twice", "account": {"type": "EXPENSE", "number": "6999"}}
    assert made(api.post(ACCOUNTS, body))["id"] != made(api.post(ACCOUNTS, body))["id"]
    api.server.sandbox.change_settings(duplicate_accounts=False)
    assert codes(api.post(ACCOUNTS, body)) == ["BDC_1171"]
    assert codes(api.post(ACCOUNTS, body | {"name": "Other"})) == ["BDC_1171"]
    assert made(api.post(ACCOUNTS, {"name": "Third", "account": {"type": "EXPENSE", "number": "7111"}}))


def test_a_patch_changes_what_it_names_and_moves_the_update_time(api: Api) -> None:
    account = made(api.post(ACCOUNTS, {"name": "Old", "description": "d", "account": {"type": "EXPENSE"}}))
    pass_an_hour(api)
    patched = done(api.patch(f"{ACCOUNTS}/{account['id']}", {"name": "New", "account": {"number": "6500-1"}}))
    assert patched == account | {
        "name": "New",
        "account": {"type": "EXPENSE", "number": "6500-1"},
        "updatedTime": LATER,
    }
    cleared = done(api.patch(f"{ACCOUNTS}/{account['id']}", {"description": None}))
    assert "description" not in cleared


def test_archiving_a_parent_takes_its_descendants_along_and_restoring_it_does_not_bring_them_back(api: Api) -> None:
    top = made(api.post(ACCOUNTS, {"name": "Top"}))["id"]
    middle = made(api.post(ACCOUNTS, {"name": "Middle", "parentId": top}))["id"]
    leaf = made(api.post(ACCOUNTS, {"name": "Leaf", "parentId": middle}))["id"]
    other = made(api.post(ACCOUNTS, {"name": "Other"}))["id"]
    pass_an_hour(api)
    assert done(api.post(f"{ACCOUNTS}/{top}/archive"))["archived"] is True

    def state(account_id: str) -> tuple[bool, bool]:
        row = done(api.get(f"{ACCOUNTS}/{account_id}"))
        return row["archived"], row["updatedTime"] == LATER

    assert [state(one) for one in (top, middle, leaf, other)] == [(True, True)] * 3 + [(False, False)]
    assert done(api.post(f"{ACCOUNTS}/{top}/restore"))["archived"] is False
    assert [state(one)[0] for one in (top, middle, leaf)] == [False, True, True]
    done(api.post(f"{ACCOUNTS}/{leaf}/restore"))
    assert [state(one)[0] for one in (top, middle, leaf)] == [False, True, False]


def test_the_cascade_follows_parents_that_v3_does_not_show(api: Api, serve: Serve) -> None:
    hidden = serve(bills=0, orgs=1, parent_visible=False)
    top = made(hidden.post(ACCOUNTS, {"name": "Top"}))["id"]
    child = made(hidden.post(ACCOUNTS, {"name": "Child", "parentId": top}))
    assert "parentId" not in child
    done(hidden.post(f"{ACCOUNTS}/{top}/archive"))
    assert done(hidden.get(f"{ACCOUNTS}/{child['id']}"))["archived"] is True


def test_archiving_and_restoring_twice_changes_nothing(api: Api) -> None:
    account = made(api.post(ACCOUNTS, {"name": "Idempotent"}))
    assert done(api.post(f"{ACCOUNTS}/{account['id']}/restore")) == account
    archived = done(api.post(f"{ACCOUNTS}/{account['id']}/archive"))
    pass_an_hour(api)
    assert done(api.post(f"{ACCOUNTS}/{account['id']}/archive")) == archived


def test_an_account_cannot_come_below_itself(api: Api) -> None:
    top = made(api.post(ACCOUNTS, {"name": "Top"}))["id"]
    child = made(api.post(ACCOUNTS, {"name": "Child", "parentId": top}))["id"]
    assert api.patch(f"{ACCOUNTS}/{top}", {"parentId": child}).status_code == 400
    assert api.patch(f"{ACCOUNTS}/{top}", {"parentId": top}).status_code == 400
    assert "parentId" not in done(api.patch(f"{ACCOUNTS}/{child}", {"parentId": None}))
    assert done(api.patch(f"{ACCOUNTS}/{top}", {"parentId": child}))["parentId"] == child


def test_a_bulk_write_is_wrapped_limited_and_all_or_nothing(api: Api) -> None:
    many = made(api.post(f"{ACCOUNTS}/bulk", [{"name": f"Bulk {number}"} for number in range(50)]))
    assert list(many) == ["chartOfAccounts"]
    ids = [row["id"] for row in many["chartOfAccounts"]]
    assert len(set(ids)) == 50
    before = api.organization.rows(ACCOUNTS)
    assert api.post(f"{ACCOUNTS}/bulk", [{"name": "x"}] * 51).status_code == 400
    assert api.post(f"{ACCOUNTS}/bulk", []).status_code == 400
    assert api.post(f"{ACCOUNTS}/bulk", [{"name": "fine"}, {"name": ""}]).status_code == 400
    assert api.organization.rows(ACCOUNTS) == before
    patched = done(api.patch(f"{ACCOUNTS}/bulk", [{"id": ids[0], "name": "A"}, {"id": ids[1], "name": "B"}]))
    assert [row["name"] for row in patched["chartOfAccounts"]] == ["A", "B"]
    archived = done(api.post(f"{ACCOUNTS}/bulk/archive", None, ids=f"{ids[0]},{ids[1]}"))
    assert [row["archived"] for row in archived["chartOfAccounts"]] == [True, True]
    restored = done(api.post(f"{ACCOUNTS}/bulk/restore", None, ids=ids[0]))
    assert [row["archived"] for row in restored["chartOfAccounts"]] == [False]
    assert api.post(f"{ACCOUNTS}/bulk/archive").status_code == 400


@pytest.mark.parametrize("kind", CLASSIFICATIONS, ids=[kind.path for kind in CLASSIFICATIONS])
def test_every_classification_is_created_changed_archived_and_restored(api: Api, kind: Any) -> None:
    employee = kind.noun == "Employee"
    field = "lastName" if employee else "name"
    body = {"firstName": "Ada", "lastName": "Okoro"} if employee else {"name": "New one"}
    row = made(api.post(kind.path, body))
    assert row["id"].startswith(kind.prefix)
    path = f"{kind.path}/{row['id']}"
    assert done(api.patch(path, {field: "Changed"}))[field] == "Changed"
    assert done(api.post(f"{path}/archive"))["archived"] is True
    assert done(api.post(f"{path}/restore"))["archived"] is False
    assert api.post(kind.path, {}).status_code == 400
    assert codes(api.patch(f"{kind.path}/{kind.prefix}02ZZZZZZZZZZ00000", body)) == ["BDC_1205"]
    assert codes(api.call("DELETE", path)) == ["BDC_1121"]
    assert len(made(api.post(f"{kind.path}/bulk", [body, body])).popitem()[1]) == 2


# Payables


def test_a_fresh_vendor_is_paid_by_check_and_owes_nothing(api: Api) -> None:
    vendor = new_vendor(api)
    assert vendor["paymentInformation"]["payByType"] == "CHECK"
    assert (vendor["bankAccountStatus"], vendor["networkStatus"]) == ("NO_ACCOUNT", "NOT_CONNECTED")
    assert vendor["balance"]["amount"] == 0
    assert [error["message"] for error in api.post("/v3/vendors", {}).json()] == [
        "name: must not be null",
        "address: must not be null",
    ]
    assert done(api.patch(f"/v3/vendors/{vendor['id']}", {"email": "a@b.example"}))["email"] == "a@b.example"
    assert done(api.post(f"/v3/vendors/{vendor['id']}/archive"))["archived"] is True
    assert done(api.post(f"/v3/vendors/{vendor['id']}/restore"))["archived"] is False


def test_a_bill_adds_up_its_lines_and_the_vendors_balance(api: Api) -> None:
    vendor = new_vendor(api)
    bill = new_bill(api, vendor["id"], "10.50", "4.25")
    assert (bill["amount"], bill["dueAmount"], bill["paymentStatus"]) == (Decimal("14.75"), Decimal("14.75"), "UNPAID")
    assert "vendorName" not in bill
    assert done(api.get(f"/v3/bills/{bill['id']}"))["vendorName"] == "Fresh Vendor"
    assert done(api.get(f"/v3/vendors/{vendor['id']}"))["balance"]["amount"] == Decimal("14.75")
    line = {"quantity": 3, "price": "2.5"}
    counted = new_bill(api, vendor["id"], "1", billLineItems=[line, {**line, "amount": "9"}])
    assert [one["amount"] for one in counted["billLineItems"]] == [Decimal("7.5"), 9]
    sums_hold(api.organization)


def test_a_bill_needs_its_fields_and_a_known_vendor(api: Api) -> None:
    answer = api.post("/v3/bills", {})
    assert [error["message"].split(":")[0] for error in answer.json()] == [
        "vendorId",
        "dueDate",
        "billLineItems",
        "invoice",
    ]
    body = {
        "vendorId": "00902ZZZZZZZZZZ00000",
        "dueDate": "2026-08-14",
        "invoice": {"invoiceNumber": "1", "invoiceDate": "2026-07-14"},
        "billLineItems": [{"amount": 1}],
    }
    assert codes(api.post("/v3/bills", body)) == ["BDC_1205"]
    known = new_vendor(api)["id"]
    assert api.post("/v3/bills", body | {"vendorId": known, "dueDate": "soon"}).status_code == 400
    assert api.post("/v3/bills", body | {"vendorId": known, "billLineItems": [{"amount": "much"}]}).status_code == 400


def test_a_second_bill_of_the_same_number_is_refused_where_so_read(api: Api) -> None:
    vendor, other = new_vendor(api)["id"], new_vendor(api)["id"]
    new_bill(api, vendor, "1")
    new_bill(api, vendor, "1")
    api.server.sandbox.change_settings(duplicate_invoice_numbers=False)
    body = {
        "vendorId": vendor,
        "dueDate": "2026-08-14",
        "invoice": {"invoiceNumber": "A-1", "invoiceDate": "2026-07-10"},
        "billLineItems": [{"amount": 1}],
    }
    assert codes(api.post("/v3/bills", body)) == ["BDC_1171"]
    assert made(api.post("/v3/bills", body | {"vendorId": other}))


def test_a_patched_line_without_classifications_loses_them(api: Api) -> None:
    account = api.organization.account_ids["6100"]
    coded = {"amount": "5", "classifications": {"chartOfAccountId": account}}
    bill = new_bill(api, new_vendor(api)["id"], "1", billLineItems=[coded, coded])
    first, second = bill["billLineItems"]
    path = f"/v3/bills/{bill['id']}"
    patched = done(api.patch(path, {"billLineItems": [{"id": first["id"], "amount": "6"}]}))
    assert patched["billLineItems"] == [{"id": first["id"], "amount": Decimal("6.0")}, second]
    assert patched["amount"] == 11
    added = done(api.patch(path, {"billLineItems": [{"amount": "2"}]}))
    assert [line["amount"] for line in added["billLineItems"]] == [6, 5, 2]
    replaced = done(api.call("PUT", path, json={"billLineItems": [{"id": second["id"], "amount": "3"}]}))
    assert [line["id"] for line in replaced["billLineItems"]] == [second["id"]]
    assert api.patch(path, {"billLineItems": [{"id": "bli02ZZZZZZZZZZ00000", "amount": 1}]}).status_code == 400
    sums_hold(api.organization)


def test_archiving_a_bill_takes_it_out_of_the_balance(api: Api) -> None:
    vendor = new_vendor(api)["id"]
    bill = new_bill(api, vendor, "20")["id"]
    archived = done(api.post(f"/v3/bills/{bill}/archive"))
    assert (archived["archived"], archived["recordStatus"]) == (True, "INACTIVE")
    assert done(api.get(f"/v3/vendors/{vendor}"))["balance"]["amount"] == 0
    assert done(api.post(f"/v3/bills/{bill}/restore"))["recordStatus"] == "ACTIVE"
    assert done(api.get(f"/v3/vendors/{vendor}"))["balance"]["amount"] == 20
    sums_hold(api.organization)


def test_a_recorded_payment_settles_bills_and_names_its_ledger_account_in_v2_only(api: Api) -> None:
    vendor = new_vendor(api)["id"]
    bills = [new_bill(api, vendor, "70")["id"], new_bill(api, vendor, "30")["id"]]
    account = api.organization.account_ids["1000"]
    body = {
        "vendorId": vendor,
        "processDate": "2026-07-14",
        "toPrintCheck": False,
        "classifications": {"chartOfAccountId": account},
        "payments": [{"billId": bills[0], "amount": "70"}, {"billId": bills[1], "amount": 10}],
    }
    payment = made(api.post("/v3/bills/record-payment", body))
    assert (payment["amount"], payment["status"], payment["onlinePayment"]) == (80, "PAID", False)
    assert payment["classifications"] == {"chartOfAccountId": account}
    statuses = [done(api.get(f"/v3/bills/{bill}"))["paymentStatus"] for bill in bills]
    assert statuses == ["PAID", "PARTIALLY_PAID"]
    listed = done(api.get(f"/v3/payments/{payment['id']}"))
    assert "classifications" not in listed
    assert api.v2_data("Crud/Read/SentPay.json", {"id": payment["id"]})["chartOfAccountId"] == account
    body["payments"] = [{"billId": bills[1], "amount": 21}]
    assert codes(api.post("/v3/bills/record-payment", body)) == ["BDC_1159"]
    body["vendorId"] = new_vendor(api)["id"]
    assert api.post("/v3/bills/record-payment", body).status_code == 400
    sums_hold(api.organization)


@pytest.mark.parametrize("token", [False, True])
def test_payments_need_a_trusted_session(api: Api, token: bool) -> None:
    payment = api.organization.rows("payments")[0]["id"]
    caller = Api(api.server).log_in(token=token)
    for path in ("/v3/payments", f"/v3/payments/{payment}/void", f"/v3/payments/{payment}/cancel"):
        answer = caller.post(path, {})
        assert (answer.status_code, codes(answer)) == (403, ["BDC_1361"])


def test_a_payment_is_scheduled_cancelled_and_another_is_voided(api: Api) -> None:
    trusted = Api(api.server).log_in(trusted=True)
    bill = new_bill(api, new_vendor(api)["id"], "50")["id"]
    bank = api.organization.default_bank
    body = {
        "billId": bill,
        "amount": "50",
        "processDate": "2026-07-20",
        "fundingAccount": {"type": "BANK_ACCOUNT", "id": bank},
        "processingOptions": {"createBill": False},
    }
    payment = made(trusted.post("/v3/payments", body))
    assert payment["status"] == payment["singleStatus"] == "SCHEDULED"
    assert done(api.get(f"/v3/bills/{bill}"))["paymentStatus"] == "SCHEDULED"
    assert codes(trusted.post("/v3/payments", body)) == ["BDC_1159"]
    path = f"/v3/payments/{payment['id']}"
    assert trusted.post(f"{path}/void", {"reason": "r", "type": "VOID_ONLY"}).status_code == 422
    assert done(trusted.post(f"{path}/cancel"))["status"] == "CANCELLED"
    assert trusted.post(f"{path}/cancel").status_code == 422
    assert done(api.get(f"/v3/bills/{bill}"))["paymentStatus"] == "UNPAID"
    paid = next(one for one in api.organization.rows("payments") if one["status"] == "PAID")
    path = f"/v3/payments/{paid['id']}/void"
    assert trusted.post(path, {"reason": "r"}).status_code == 400
    assert trusted.post(path, {"reason": "r", "type": "SHRED"}).status_code == 400
    voided = done(trusted.post(path, {"reason": "Wrong amount", "type": "VOID_ONLY"}))
    assert (voided["status"], voided["singleStatus"]) == ("VOID", "VOIDED")
    assert voided["voidInfo"][0]["reason"] == "Wrong amount"
    sums_hold(api.organization)


def test_a_voided_payment_gives_the_credits_in_it_back(serve: Serve) -> None:
    api = serve(bills=600, orgs=1)
    trusted = Api(api.server).log_in(trusted=True)
    payment = next(
        one
        for one in api.organization.rows("payments")
        if one["status"] == "PAID" and any("vendorCredits" in part for part in one["billPayments"])
    )
    used = next(part["vendorCredits"][0] for part in payment["billPayments"] if "vendorCredits" in part)
    before = done(api.get(f"/v3/vendor-credits/{used['id']}"))["appliedAmount"]
    done(trusted.post(f"/v3/payments/{payment['id']}/void", {"reason": "r", "type": "VOID_ONLY"}))
    credit = done(api.get(f"/v3/vendor-credits/{used['id']}"))
    assert credit["appliedAmount"] == before - used["amount"]
    assert not [use for use in credit.get("usage", []) if use.get("paymentId") == payment["id"]]
    sums_hold(api.organization)


def test_a_credit_is_applied_through_its_bill_and_never_beyond_what_is_open(api: Api) -> None:
    vendor = new_vendor(api)["id"]
    body = {
        "vendorId": vendor,
        "referenceNumber": "CR-1",
        "creditDate": "2026-07-01",
        "vendorCreditLineItems": [{"amount": "30"}],
    }
    credit = made(api.post("/v3/vendor-credits", body))
    assert (credit["status"], "usage" in credit) == ("NOT_APPLIED", False)
    bill = new_bill(api, vendor, "50")["id"]
    path = f"/v3/bills/{bill}"
    patched = done(api.patch(path, {"vendorCredits": [{"id": credit["id"], "amount": "20"}]}))
    assert (patched["creditAmount"], patched["dueAmount"]) == (20, 30)
    assert "vendorCredits" not in patched
    applied = done(api.get(f"/v3/vendor-credits/{credit['id']}"))
    assert applied["usage"] == [{"billId": bill, "amount": 20}]
    assert applied["status"] == "PARTIALLY_APPLIED"
    assert codes(api.patch(path, {"vendorCredits": [{"id": credit["id"], "amount": "10.01"}]})) == ["BDC_1159"]
    assert done(api.patch(f"/v3/vendor-credits/{credit['id']}", {"description": "d"}))["description"] == "d"
    too_small = {"vendorCreditLineItems": [{"amount": "19"}]}
    assert codes(api.patch(f"/v3/vendor-credits/{credit['id']}", too_small)) == ["BDC_1159"]
    other = new_bill(api, new_vendor(api)["id"], "9")["id"]
    foreign = {"vendorCredits": [{"id": credit["id"], "amount": "1"}]}
    assert api.patch(f"/v3/bills/{other}", foreign).status_code == 400
    assert done(api.post(f"/v3/vendor-credits/{credit['id']}/archive"))["archived"] is True
    assert codes(api.post(f"/v3/vendor-credits/{credit['id']}/restore")) == ["BDC_1121"]
    sums_hold(api.organization)


def test_a_bill_cannot_be_made_smaller_than_what_is_paid(api: Api) -> None:
    bill = next(one for one in api.organization.rows("bills") if one["paymentStatus"] == "PAID")
    line = bill["billLineItems"][0] | {"amount": "0.01"}
    answer = api.call("PUT", f"/v3/bills/{bill['id']}", json={"billLineItems": [line]})
    assert codes(answer) == ["BDC_1159"]


def test_a_foreign_bill_carries_its_rate_and_dollars(serve: Serve) -> None:
    for meaning, dollars in (("usd_per_unit", Decimal("112.84")), ("units_per_usd", Decimal("112.84"))):
        api = serve(bills=0, orgs=1, exchange_rate=meaning)
        bill = new_bill(api, new_vendor(api, billCurrency="EUR")["id"], "100")
        assert abs(bill["fundingAmount"] - dollars) < Decimal("0.02")


# Receivables


def test_who_may_use_a_bank_account_and_what_a_payment_could_be_made_from(api: Api) -> None:
    banks = api.organization.rows("funding-accounts/banks")
    users = done(api.get("/v3/funding-accounts/banks/users"))["results"]
    assert {(one["bankAccountId"], one["userId"]) for one in users} == {(one["id"], one["createdBy"]) for one in banks}
    mine = done(api.get("/v3/funding-accounts/banks/users?currentUser=true"))["results"]
    assert {one["userId"] for one in mine} <= {api.organization.user.user_id, api.organization.token.user_id}
    vendor = api.organization.rows("vendors")[0]["id"]
    options = done(api.get(f"/v3/payments/options?vendorId={vendor}&amount=12.5"))
    assert (options["vendorId"], options["amount"]) == (vendor, Decimal("12.5"))
    live = {one["id"] for one in banks if not one["archived"]}
    assert {one["id"] for one in options["fundingOptions"]["banks"]} == live
    assert api.get("/v3/payments/options?amount=1").status_code == 400
    assert codes(api.get("/v3/payments/options?vendorId=00902ZZZZZZZZZZ00000&amount=1")) == ["BDC_1205"]


def test_an_invoice_is_written_anew_with_its_lines_and_what_was_paid_stays_paid(api: Api) -> None:
    customers = [
        made(api.post("/v3/customers", {"name": name, "email": f"{name}@n.example"}))["id"] for name in ("Nora", "Otto")
    ]
    lines = [{"price": "10", "quantity": 2}, {"price": "2.5"}]
    body = {"customer": {"id": customers[0]}, "invoiceLineItems": lines, "invoiceNumber": "N-1"}
    invoice = made(api.post("/v3/invoices", body))
    path = f"/v3/invoices/{invoice['id']}"
    kept = {"id": invoice["invoiceLineItems"][0]["id"], "price": "30"}
    changed = done(api.put(path, body | {"invoiceLineItems": [kept]}))
    assert (changed["totalAmount"], changed["dueAmount"], changed["status"]) == (Decimal(30), Decimal(30), "OPEN")
    assert [line["id"] for line in changed["invoiceLineItems"]] == [kept["id"]]
    assert done(api.get(f"/v3/customers/{customers[0]}"))["balance"]["amount"] == 30
    moved = done(api.put(path, {"customer": {"id": customers[1]}, "invoiceLineItems": lines}))
    assert (moved["customerId"], moved["invoiceNumber"]) == (customers[1], "N-1")
    balances = [done(api.get(f"/v3/customers/{one}"))["balance"]["amount"] for one in customers]
    assert balances == [0, Decimal("22.5")]
    assert codes(api.put("/v3/invoices/00e02ZZZZZZZZZZ00000", body)) == ["BDC_1205"]
    api.server.sandbox.change_settings(duplicate_invoice_numbers=False)
    assert codes(api.post("/v3/invoices", body)) == ["BDC_1171"]
    assert done(api.put(path, body))["invoiceNumber"] == "N-1"


def test_an_invoice_takes_the_customer_as_an_object_and_returns_it_flat(api: Api) -> None:
    assert api.post("/v3/customers", {"name": "No mail"}).status_code == 400
    customer = made(api.post("/v3/customers", {"name": "Northwind", "email": "ap@n.example"}))["id"]
    lines = [{"price": "10", "quantity": 2}, {"price": "2.5"}]
    invoice = made(api.post("/v3/invoices", {"customer": {"id": customer}, "invoiceLineItems": lines}))
    assert (invoice["customerId"], invoice["totalAmount"], invoice["status"]) == (customer, Decimal("22.5"), "OPEN")
    assert done(api.get(f"/v3/customers/{customer}"))["balance"]["amount"] == Decimal("22.5")
    assert done(api.post(f"/v3/invoices/{invoice['id']}/archive"))["recordStatus"] == "INACTIVE"
    assert done(api.get(f"/v3/customers/{customer}"))["balance"]["amount"] == 0
    assert done(api.patch(f"/v3/customers/{customer}", {"phone": "1"}))["phone"] == "1"
    sums_hold(api.organization)


# Approvals and documents


def test_approvals_move_a_bill_from_assigned_over_approving_to_approved(api: Api) -> None:
    from billcom_assets.sandbox.books.approvals import assign_approvers, decide

    administrator, accountant = (api.organization.user_ids[role] for role in ("ADMINISTRATOR", "ACCOUNTANT"))
    bill = new_bill(api, new_vendor(api)["id"], "50")["id"]
    assign_approvers(api.organization, BILLS, bill, [administrator, accountant])
    pending = done(api.get("/v3/bill-approvals/pending-user-approvals"))["bills"]
    assert {"billId": bill, "vendorId": pending[-1]["vendorId"], "amount": 50, "dueDate": "2026-08-14"} in pending
    action = [{"billId": bill, "action": "APPROVE", "comment": "fine"}]
    assert done(api.post("/v3/bill-approvals/actions", action)) == {"status": "SUCCESS"}
    path = f"/v3/bills/{bill}"
    assert done(api.get(path))["approvalStatus"] == "APPROVING"
    assert api.post("/v3/bill-approvals/actions", action).status_code == 403
    decide(api.organization, BILLS, bill, accountant, approve=True)
    approved = done(api.get(path, billApprovals="true"))
    assert approved["approvalStatus"] == "APPROVED"
    assert [one["status"] for one in approved["approvers"]] == ["APPROVED", "APPROVED"]
    assert not any(one["billId"] == bill for one in done(api.get("/v3/bill-approvals/pending-user-approvals"))["bills"])


def test_policies_are_a_bare_array(api: Api) -> None:
    (policy,) = api.get("/v3/bill-approvals/policies").json()
    assert policy["id"].startswith(api.organization.id)
    assert policy["rules"][0]["key"] == "BILL_AMOUNT"


def test_bills_have_no_one_or_two_documents_that_a_session_can_download(api: Api) -> None:
    counts = set()
    for bill in api.organization.rows("bills")[:20]:
        documents = done(api.get(f"/v3/documents/bills/{bill['id']}"))["results"]
        counts.add(len(documents))
        for document in documents:
            assert document["id"].startswith("00h")
            assert done(api.get(f"/v3/documents/{document['id']}")) == document
            link = document["downloadLink"]
            only_session = {"sessionId": api.headers["sessionId"]}
            content, media_type = content_of(document["id"])
            whole = api.http.get(link, headers=only_session, timeout=5)
            assert (whole.content, whole.headers["content-type"].partition(";")[0]) == (content, media_type)
            rest = api.http.get(link, headers=only_session | {"Range": "bytes=10-"}, timeout=5)
            assert (rest.status_code, rest.content) == (206, content[10:])
            assert api.http.get(link, timeout=5).status_code == 401
    assert counts == {0, 1, 2}
    api.server.sandbox.change_settings(most_documents=9)
    path = next(
        f"/v3/documents/bills/{bill['id']}"
        for bill in api.organization.rows("bills")
        if len(done(api.get(f"/v3/documents/bills/{bill['id']}"))["results"]) == 3
        and "nextPage" in done(api.get(f"/v3/documents/bills/{bill['id']}"))
    )
    first = done(api.get(path))
    second = done(api.get(f"{path}?page={first['nextPage']}"))
    assert {one["id"] for one in first["results"]}.isdisjoint(one["id"] for one in second["results"])
    assert codes(api.get("/v3/documents/00h02ZZZZZZZZZZ00000")) == ["BDC_1205"]


# Who may write, and what is remembered of it


@pytest.mark.parametrize(("role", "status"), [("AUDITOR", 403), ("ACCOUNTANT", 201), ("ADMINISTRATOR", 201)])
def test_an_auditor_reads_everything_and_writes_nothing(api: Api, role: str, status: int) -> None:
    login = api.organization.login_of(role)
    api.log_in(username=login.username, password=login.password)
    assert api.get("/v3/login/session").json()["userId"] == api.organization.user_ids[role]
    before = api.organization.rows(ACCOUNTS)
    assert api.get(ACCOUNTS).status_code == 200
    answer = api.post(ACCOUNTS, {"name": "Fresh"})
    assert answer.status_code == status
    assert (api.organization.rows(ACCOUNTS) == before) == (status == 403)


def test_every_write_is_remembered_as_it_was_sent(api: Api) -> None:
    writes = api.server.sandbox.stats.writes
    api.get(ACCOUNTS)
    account = made(api.post(ACCOUNTS, {"name": "Fresh"}))
    api.post(f"{ACCOUNTS}/{account['id']}/archive")
    api.patch(f"{ACCOUNTS}/nobody", {"name": "Other"})
    assert [(one.method, one.path.removeprefix("/connect")) for one in writes] == [
        ("POST", ACCOUNTS),
        ("POST", f"{ACCOUNTS}/{account['id']}/archive"),
        ("PATCH", f"{ACCOUNTS}/nobody"),
    ]
    assert writes[0].body == b'{"name": "Fresh"}'


def test_an_accounting_sync_leaves_its_marks_in_v2(api: Api) -> None:
    def marks() -> set[bool]:
        rows = api.v2_data("List/ChartOfAccount.json", {"start": 0, "max": 5})
        return {bool(row["externalId"] and row["lastSyncTime"]) for row in rows}

    assert marks() == {False}
    api.server.sandbox.change_settings(accounting_sync=True)
    assert marks() == {True}
