"""Whatever is sent to a write: no crash, no half a change, nothing that a list stumbles over afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billcom_assets.sandbox import Clock, Organization, SandboxServer, Settings, v2, v3
from billcom_assets.sandbox.kinds import BILLS, BOOLEANS, BY_PATH, KINDS, TIMES
from billcom_assets.sandbox.pages import Lister, ListRequest
from billcom_assets.sandbox.v2.shapes import SHAPES
from billcom_assets_tests.sandbox.api import DEV_KEY, Api, codes

WRITES = [operation for operation in v3.operations() if operation.method != "GET"]
V2_CALLS = [operation.path for operation in v2.operations()]
SHARED = {"/v3/login", "/v3/logout", "/v3/mfa/step-up"}
"""Calls about the session, which a fuzz of the books would end."""

JUNK = st.one_of(
    st.sampled_from(
        [None, True, "", " ", "x" * 5_000, "\x00", "0", "-5", "NaN", "Infinity", "1e400", "1_0", "²", "2026-02-30"]
    ),
    st.sampled_from([0, -1, 10**40, float("nan"), float("inf"), 1e308, 1e-320, 0.1 + 0.2, 1.005]),
    st.sampled_from([[], [[]], [None], {}, {"id": None}, [{}], {"amount": {"amount": []}}]),
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=6,
    ),
)
NO_JSON = st.sampled_from([b"", b"{", b"[", b"\xff\xfe", b'{"name": }', b'"\\ud800"', b"{}{}", b"deep"]).map(
    lambda body: b"[" * 50_000 if body == b"deep" else body
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    clock = Clock(datetime(2026, 7, 14, 12, 0, tzinfo=UTC), source=lambda: 0.0)
    limits = {"requests_per_hour": 10**9, "logins_per_hour": 10**9}
    with SandboxServer(Settings(bills=40, orgs=1, **limits), clock=clock) as server:
        yield Api(server).log_in(trusted=True)


@pytest.fixture(scope="module")
def good_bodies(api: Api) -> dict[str, Any]:
    """For each write one body that it accepts, or would if what it names had the right state."""
    organization = api.organization
    vendor, customer = organization.rows("vendors")[0]["id"], organization.rows("customers")[0]["id"]
    bill = next(one for one in organization.rows("bills") if one["vendorId"] == vendor)
    credit = organization.rows("vendor-credits")[0]
    coding = {"chartOfAccountId": organization.account_ids["6100"]}
    line = {"amount": "5.25", "quantity": 2, "price": 3, "description": "d", "classifications": coding}
    new_bill = {
        "vendorId": vendor,
        "dueDate": "2026-08-14",
        "invoice": {"invoiceNumber": "A-1", "invoiceDate": "2026-07-10"},
        "billLineItems": [line],
        "description": "d",
        "classifications": coding,
        "vendorCredits": [{"id": credit["id"], "amount": 1}],
    }
    new_credit = {"vendorId": vendor, "referenceNumber": "R", "creditDate": "2026-07-01"}
    address = {"line1": "1 Main St", "city": "Austin", "country": "US"}
    names = {"name": "N", "firstName": "F", "lastName": "L", "shortName": "S", "description": "D", "parentId": None}
    classification = names | {"account": {"type": "EXPENSE", "number": "1"}, "type": "SERVICE", "price": 3}
    bodies: dict[str, Any] = {
        "POST /v3/vendors": {"name": "V", "address": address, "email": "e", "additionalInfo": {"track1099": True}},
        "POST /v3/bills": new_bill,
        "POST /v3/bills/record-payment": {
            "vendorId": vendor,
            "processDate": "2026-07-14",
            "classifications": coding,
            "payments": [{"billId": bill["id"], "amount": 1}],
        },
        "POST /v3/vendor-credits": new_credit | {"vendorCreditLineItems": [line]},
        "POST /v3/payments": {
            "billId": bill["id"],
            "amount": 1,
            "processDate": "2026-07-20",
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": organization.default_bank},
            "processingOptions": {"createBill": False},
        },
        "POST /v3/payments/{id}/void": {"reason": "r", "type": "VOID_ONLY"},
        "POST /v3/customers": {"name": "C", "email": "e", "billingAddress": address},
        "POST /v3/invoices": {"customer": {"id": customer}, "invoiceLineItems": [{"price": 2, "quantity": 3}]},
        "POST /v3/bill-approvals/actions": [{"billId": bill["id"], "action": "APPROVE", "comment": "c"}],
    }
    bodies["an account"] = organization.account_ids["6100"]
    bodies["PATCH /v3/vendors/{id}"] = bodies["POST /v3/vendors"]
    bodies["PATCH /v3/customers/{id}"] = bodies["POST /v3/customers"]
    bodies["PATCH /v3/vendor-credits/{id}"] = bodies["POST /v3/vendor-credits"]
    for method in ("PATCH", "PUT"):
        bodies[f"{method} /v3/bills/{{id}}"] = new_bill | {"billLineItems": [bill["billLineItems"][0], line]}
    for kind in KINDS:
        if kind.path.startswith("/v3/classifications/"):
            known = {"id": organization.rows(kind.path)[-1]["id"]}
            bodies |= {f"POST {kind.path}": classification, f"PATCH {kind.path}/{{id}}": classification}
            bodies |= {f"POST {kind.path}/bulk": [classification] * 2}
            bodies |= {f"PATCH {kind.path}/bulk": [classification | known]}
    return bodies


def spoiled(draw: st.DrawFn, body: Any) -> Any:
    """The body with junk somewhere in it, or without something of it."""
    if not isinstance(body, dict | list) or not body or draw(st.integers(0, 5)) == 0:
        return draw(JUNK)
    spoiled_at = draw(st.sampled_from(sorted(body) if isinstance(body, dict) else range(len(body))))
    copy = body.copy()
    if draw(st.integers(0, 7)) == 0:
        del copy[spoiled_at]
    else:
        copy[spoiled_at] = spoiled(draw, body[spoiled_at])
    return copy


def as_sent(content: Any) -> bytes:
    return json.dumps(content, default=str).encode()


def the_world(organization: Organization) -> Any:
    rows = {row.id: (row.body, str(row.hidden)) for kind in KINDS for row in organization.table(kind)}
    orders = [
        (table.ids[:], *(table.index(name)[:] for name in sorted(TIMES))) for table in organization.tables.values()
    ]
    return rows, orders, organization.ids.mark()


def every_list_can_be_read(api: Api) -> None:
    lister = Lister(api.organization, api.server.sandbox.faults)
    for kind in KINDS:
        compared = [field for field, operators in kind.filters.items() if "eq" in operators]
        plain = [field for field in compared if field not in kind.values and field not in BOOLEANS]
        filters = "".join(f',{field}:eq:"x"' for field in plain)[1:]
        for sort in ("", *sorted(kind.sorts)):
            lister.page(kind, ListRequest(None, None, sort, 100, approvals=True))
        lister.page(kind, ListRequest(None, filters, None, 100, approvals=False))
    for entity in (one for one, shape in SHAPES.items() if shape.listed):
        assert api.v2_data(f"List/{entity}.json", {}) is not None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_malformed_write_is_refused_and_changes_nothing(
    api: Api, good_bodies: dict[str, Any], data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from([one for one in WRITES if one.path not in SHARED]), label="operation")
    organization = api.organization
    good = good_bodies.get(operation.name, {})
    body = data.draw(NO_JSON | st.composite(spoiled)(good).map(as_sent))
    position, listed = data.draw(st.integers(-3, 6)), operation.path.split("/{")[0]
    known = organization.table(BY_PATH[listed]).ids if "{id}" in operation.path else ["x"]
    object_id = known[position % len(known)] if position else "x"
    params = {"ids": data.draw(st.sampled_from(["", "x", good_bodies["an account"]]))}
    before = the_world(organization)
    answer = api.call(operation.method, operation.path.replace("{id}", object_id), data=body, params=params)
    assert answer.status_code < 500, (answer.text, api.server.sandbox.stats.crashes)
    if answer.status_code < 400:
        every_list_can_be_read(api)
    else:
        assert {"timestamp", "severity", "category", "message"} <= set(answer.json()[0])
        assert the_world(organization) == before


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(sorted(SHARED)), body=JUNK.map(as_sent) | NO_JSON)
def test_a_malformed_login_is_refused(api: Api, path: str, body: bytes) -> None:
    headers = {"sessionId": "none"} if path == "/v3/logout" else {}
    assert api.call("POST", path, data=body, headers=headers).status_code in (400, 401, 403)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_malformed_v2_call_is_refused_in_v2s_envelope(api: Api, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([one for one in V2_CALLS if one not in ("/Login.json", "/Logout.json")]))
    listing = {
        "start": 0,
        "max": 9,
        "filters": [
            {"field": "updatedTime", "op": ">", "value": "2024-01-01"},
            {"field": "id", "op": "=", "value": "x"},
        ],
        "sort": [{"field": "id", "asc": "true"}],
    }
    good = data.draw(st.sampled_from([listing, listing, {"id": api.organization.rows("bills")[0]["id"]}]))
    content = data.draw(NO_JSON | st.composite(spoiled)(good).map(as_sent))
    form = {"devKey": DEV_KEY, "sessionId": api.headers["sessionId"], "data": content}
    answer = api.http.post(api.server.v2_base_url + path, data=form, timeout=10)
    assert not api.server.sandbox.stats.crashes
    assert answer.status_code == 200
    envelope = answer.json()
    assert (envelope["response_status"] == 0) == (envelope["response_message"] == "Success")
    if envelope["response_status"]:
        assert set(envelope["response_data"]) == {"error_code", "error_message"}


def test_a_crash_of_the_sandbox_itself_stays_in_v2s_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    with SandboxServer(Settings(bills=5, orgs=1)) as server:
        api = Api(server).log_in()
        monkeypatch.setattr(server.world.organization(), "table", None)
        answer = api.v2("List/Bill.json", {})
        assert (answer.status_code, answer.json()["response_data"]["error_code"]) == (200, "BDC_1001")
        server.sandbox.stats.crashes.clear()


def test_every_problem_of_a_body_is_named_with_its_path(api: Api) -> None:
    bill = {
        "vendorId": 7,
        "dueDate": "soon",
        "billLineItems": [{"amount": "much"}, 3],
        "invoice": {},
        "classifications": "x",
    }
    answer = api.post("/v3/bills", bill)
    assert answer.status_code == 400
    assert codes(answer) == [None] * 7
    assert [error["message"] for error in answer.json()] == [
        "vendorId: must be a string",
        "dueDate: must be a date",
        "billLineItems[0].amount: must be a number",
        "billLineItems[1]: must be an object",
        "invoice.invoiceNumber: must not be null",
        "invoice.invoiceDate: must not be null",
        "classifications: must be an object",
    ]


def test_an_update_cannot_remove_what_an_object_must_have(api: Api) -> None:
    customer = api.organization.rows("customers")[0]["id"]
    assert api.patch(f"/v3/customers/{customer}", {"name": None}).json()[0]["message"] == "name: must not be null"
    department = api.organization.rows("classifications/departments")[0]["id"]
    assert api.patch(f"/v3/classifications/departments/{department}", {"name": ""}).status_code == 400


def test_of_several_approvals_none_counts_when_one_is_refused(api: Api) -> None:
    from billcom_assets.sandbox.books.approvals import assign_approvers

    organization = api.organization
    bills = [one["id"] for one in organization.rows("bills")[:2]]
    assign_approvers(organization, BILLS, bills[0], [organization.user.user_id])
    before = the_world(organization)
    actions = [{"billId": bill, "action": "APPROVE"} for bill in (bills[0], "00n02ZZZZZZZZZZ00000")]
    assert api.post("/v3/bill-approvals/actions", actions).status_code == 404
    assert the_world(organization) == before
