from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from billcom_assets.sandbox.ids import NO_ID
from billcom_assets.sandbox.kinds import BILLS, KINDS, PAYMENTS, TIME_SORTS, VENDORS, Kind
from billcom_assets_tests.sandbox.api import Api, codes
from billcom_assets_tests.sandbox.conftest import Serve

Doc = dict[str, Any]
ALL_OPS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "sw")
PATHS = [kind.path for kind in KINDS]
LARGEST = {BILLS.path, PAYMENTS.path}


def place(kind: Kind, field: str, doc: Doc) -> Any:
    value: Any = doc
    for name in kind.paths.get(field, field).split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


# What a filter means, said independently of how the sandbox finds it.
MEANING: dict[str, Callable[[Any, list[Any]], bool]] = {
    "eq": lambda value, members: value == members[0],
    "ne": lambda value, members: value != members[0],
    "in": lambda value, members: value in members,
    "nin": lambda value, members: value not in members,
    "sw": lambda value, members: value is not None and value.startswith(members[0]),
    "gt": lambda value, members: value is not None and value > members[0],
    "gte": lambda value, members: value is not None and value >= members[0],
    "lt": lambda value, members: value is not None and value < members[0],
    "lte": lambda value, members: value is not None and value <= members[0],
}


def examples(kind: Kind, field: str, op: str, docs: list[Doc]) -> list[Any]:
    """Values that really occur, spelled as one writes them in a filter."""
    held = [place(kind, field, doc) for doc in docs]
    present = sorted({str(value) for value in held if value is not None and not isinstance(value, bool)})
    if any(isinstance(value, bool) for value in held):
        return ["true"]
    if not present:
        return sorted(kind.values.get(field, {"00000000000000000000"}))[:1]
    chosen = [present[len(present) // 2]]
    if op in ("in", "nin"):
        chosen += present[:2]
    return [chosen[0][:2]] if op == "sw" else chosen


CASES = [(kind, field, op) for kind in KINDS for field, ops in kind.filters.items() for op in sorted(ops)]


@pytest.mark.parametrize(("kind", "field", "op"), CASES, ids=[f"{k.path[4:]}-{f}-{o}" for k, f, o in CASES])
def test_every_listed_filter_selects_exactly_what_it_says(company: Api, kind: Kind, field: str, op: str) -> None:
    docs = company.organization.rows(kind.path)
    members = examples(kind, field, op, docs)
    spelled = ",".join(members)
    rows = company.everything(kind.path, filters=f'{field}:{op}:"{spelled}"')
    meant: list[Any] = list(members)
    if field in TIME_SORTS:
        meant = [instant(members[0])]
        expected = {doc["id"] for doc in docs if MEANING[op](instant(doc[field]), meant)}
    elif members == ["true"]:
        expected = {doc["id"] for doc in docs if MEANING[op](place(kind, field, doc), [True])}
    else:
        expected = {doc["id"] for doc in docs if MEANING[op](place(kind, field, doc), meant)}
    assert {row["id"] for row in rows} == expected
    assert len(rows) == len(expected)


@pytest.mark.parametrize("kind", KINDS, ids=PATHS)
def test_every_other_operator_is_refused(company: Api, kind: Kind) -> None:
    for field, ops in kind.filters.items():
        for op in set(ALL_OPS) - ops:
            answer = company.get(kind.path, filters=f'{field}:{op}:"x"')
            assert answer.status_code == 400, (field, op)
            assert answer.json()[0]["category"] == "REQUEST"


@pytest.mark.parametrize("kind", KINDS, ids=PATHS)
def test_every_listed_sort_orders_the_whole_list_both_ways(company: Api, kind: Kind) -> None:
    everything = {doc["id"] for doc in company.organization.rows(kind.path)}
    for field in kind.sorts:
        ascending = company.everything(kind.path, sort=f"{field}:asc")
        descending = company.everything(kind.path, sort=f"{field}:desc")
        assert {row["id"] for row in ascending} == everything
        assert [row["id"] for row in descending] == [row["id"] for row in ascending][::-1], field
        values = [place(kind, field, row) for row in ascending]
        present = [value for value in values if value is not None]
        assert present == sorted(present), field
        assert values[len(values) - len(present) :] == present, "absent values come first"


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v3/bills", {"filters": "invoiceDate:gte:2026-01-01"}),
        ("/v3/bills", {"filters": "approvalStatus:eq:PENDING"}),
        ("/v3/bills", {"filters": "approvalStatus:eq:NEEDS_APPROVAL"}),
        ("/v3/bills", {"filters": "archived:eq:maybe"}),
        ("/v3/bills", {"filters": "dueDate:gte:31.12.2025"}),
        ("/v3/bills", {"filters": "updatedTime:gte:yesterday"}),
        ("/v3/bills", {"filters": "updatedTime:gte:2026-13-01"}),
        ("/v3/bills", {"filters": "updatedTime:gte:2026-01-01T00:00:00.000 00:00"}),
        ("/v3/bills", {"filters": "archived"}),
        ("/v3/bills", {"filters": "archived:eq:"}),
        ("/v3/bills", {"filters": 'vendorId:in:"a,b'}),
        ("/v3/bills", {"filters": "vendorId:in:a,b"}),
        ("/v3/bills", {"filters": "archived:eq:false,,archived:eq:false"}),
        ("/v3/bills", {"sort": "amount:asc"}),
        ("/v3/bills", {"sort": "dueDate:up"}),
        ("/v3/payments", {"filters": "singleStatus:eq:SCHEDULED"}),
        ("/v3/recurringbills", {"filters": 'updatedTime:gte:"2026-01-01"'}),
        ("/v3/recurringbills", {"sort": "updatedTime:asc"}),
        ("/v3/recurring-invoices", {"filters": 'createdTime:gte:"2026-01-01"'}),
        ("/v3/roles", {"filters": 'updatedTime:gte:"2026-01-01"'}),
        ("/v3/bills", {"max": "0"}),
        ("/v3/bills", {"max": "101"}),
        ("/v3/bills", {"max": "-1"}),
        ("/v3/bills", {"max": "many"}),
        ("/v3/bills", {"page": "2"}),
        ("/v3/bills", {"page": "AAAA"}),
    ],
)
def test_a_query_that_bill_does_not_take_is_refused(company: Api, path: str, params: dict[str, str]) -> None:
    answer = company.get(path, **params)
    assert answer.status_code == 400, answer.text
    assert codes(answer) == [None]


@pytest.mark.parametrize(
    "spelled",
    [
        "2025-03-01T02:00:00.000Z",
        "2025-03-01T02:00:00.000+00:00",
        "2025-03-01T02:00:00.000+0000",
        "2025-03-01T03:00:00.000+01",
        "2025-03-01T02:00:00.000",
        "2025-03-01T02:00:00",
        "2025-03-01T02:00",
    ],
)
@pytest.mark.parametrize("quote", ['"', ""])
def test_every_documented_spelling_of_an_instant_means_the_same(company: Api, spelled: str, quote: str) -> None:
    moment = datetime(2025, 3, 1, 2, tzinfo=UTC)
    rows = company.everything("/v3/bills", filters=f"updatedTime:gte:{quote}{spelled}{quote}")
    docs = company.organization.rows("bills")
    assert len(rows) == sum(instant(doc["updatedTime"]) >= moment for doc in docs)
    assert 0 < len(rows) < len(docs)


def test_a_date_alone_means_its_midnight_in_utc(company: Api) -> None:
    by_date = company.everything("/v3/bills", filters='updatedTime:lt:"2025-03-01"')
    by_instant = company.everything("/v3/bills", filters='updatedTime:lt:"2025-03-01T00:00:00.000Z"')
    assert by_date == by_instant


def test_many_objects_share_one_second_and_gt_loses_them_while_gte_keeps_them(company: Api) -> None:
    second = '"2025-03-01T02:00:00.000Z"'
    after = company.everything("/v3/bills", filters=f"updatedTime:gt:{second}")
    from_it = company.everything("/v3/bills", filters=f"updatedTime:gte:{second}")
    between = company.everything("/v3/bills", filters='updatedTime:gt:"2025-03-01T01:59:59.999Z"')
    assert len(from_it) - len(after) > 1
    assert from_it == between


def test_clauses_are_joined_by_and_and_ranges_are_two_clauses(company: Api) -> None:
    window = 'createdTime:gte:"2024-01-01T00:00:00.000Z",createdTime:lt:"2024-07-01T00:00:00.000Z"'
    rows = company.everything("/v3/bills", filters=f"{window},archived:eq:false,paymentStatus:eq:PAID")
    docs = company.organization.rows("bills")
    expected = [
        doc["id"]
        for doc in docs
        if "2024-01" <= doc["createdTime"] < "2024-07" and not doc["archived"] and doc["paymentStatus"] == "PAID"
    ]
    assert [row["id"] for row in rows] == expected
    assert expected


def test_created_windows_cover_the_list_without_overlap(company: Api) -> None:
    edges = [f"{year}-{month:02d}-01" for year in (2023, 2024, 2025, 2026) for month in (1, 7)] + ["2027-01-01"]
    rows = [
        row["id"]
        for start, end in pairwise(edges)
        for row in company.everything("/v3/bills", filters=f"createdTime:gte:{start},createdTime:lt:{end}")
    ]
    assert sorted(rows) == sorted(doc["id"] for doc in company.organization.rows("bills"))


def test_values_with_commas_quotes_and_unicode_can_be_found(company: Api) -> None:
    names = [doc["name"] for doc in company.organization.rows("vendors")]
    odd = [name for name in names if "," in name or '"' in name or not name.isascii() or "&" in name]
    assert odd
    for name in odd:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        rows = company.everything("/v3/vendors", filters=f'name:eq:"{escaped}"')
        assert len(rows) == names.count(name)
        assert {row["name"] for row in rows} == {name}


def test_ids_are_looked_up_many_at_once_and_case_counts(company: Api) -> None:
    wanted = [doc["id"] for doc in company.organization.rows("payments")][:60]
    rows = company.everything("/v3/payments", filters=f'id:in:"{",".join(wanted)}"')
    assert sorted(row["id"] for row in rows) == sorted(wanted)
    swapped = ",".join(one.swapcase() for one in wanted)
    assert company.everything("/v3/payments", filters=f'id:in:"{swapped}"') == []


def test_pages_hold_twenty_unless_asked_and_the_ends_have_no_cursor(company: Api) -> None:
    first = company.get("/v3/bills").json()
    assert len(first["results"]) == 20
    assert list(first) == ["nextPage", "results"]
    second = company.get("/v3/bills", page=first["nextPage"]).json()
    assert list(second) == ["nextPage", "prevPage", "results"]
    whole = company.get("/v3/roles").json()
    assert list(whole) == ["results"]


@pytest.mark.parametrize(("reading", "end"), [("null", None), ("empty", "")])
def test_the_ends_have_null_or_empty_cursors_where_so_read(serve: Serve, reading: str, end: str | None) -> None:
    api = serve(orgs=1, end_of_list=reading)
    first = api.get("/v3/bills").json()
    assert first["prevPage"] == end
    last = api.get("/v3/bills", page=first["nextPage"]).json()
    assert list(last) == ["nextPage", "prevPage", "results"]
    assert last["nextPage"] == end
    assert last["prevPage"]


def test_an_exactly_full_last_page_has_no_next_page(company: Api) -> None:
    total = len(company.organization.rows("roles"))
    assert "nextPage" not in company.get("/v3/roles", max=total).json()
    assert "nextPage" in company.get("/v3/roles", max=total - 1).json()


def test_unknown_parameters_are_ignored_even_a_misspelt_cursor(company: Api) -> None:
    first = company.get("/v3/bills", max=10).json()
    again = company.get("/v3/bills", max=10, nextPage=first["nextPage"], start=50).json()
    assert again["results"] == first["results"]


@pytest.mark.parametrize("cursor_kind", ["keyset", "offset"])
@pytest.mark.parametrize("path", PATHS)
def test_a_walk_gives_every_row_once_in_creation_order(serve: Serve, cursor_kind: str, path: str) -> None:
    api = serve(cursor_kind=cursor_kind, orgs=1)
    truth = [doc["id"] for doc in api.organization.rows(path)]
    for size in (1, 7, 100):
        assert [row["id"] for row in api.everything(path, max=size)] == truth


@pytest.mark.parametrize("cursor_kind", ["keyset", "offset"])
@pytest.mark.parametrize("sort", ["createdTime:asc", "updatedTime:desc", "dueDate:asc,updatedTime:desc", "archived"])
def test_previous_pages_lead_back_the_same_way(serve: Serve, cursor_kind: str, sort: str) -> None:
    api = serve(cursor_kind=cursor_kind, orgs=1)
    forward, params = [], {"max": 9, "sort": sort}
    body = api.get("/v3/bills", **params).json()
    while True:
        forward.append([row["id"] for row in body["results"]])
        if "nextPage" not in body:
            break
        body = api.get("/v3/bills", page=body["nextPage"], **params).json()
    backward = [forward[-1]]
    while "prevPage" in body:
        body = api.get("/v3/bills", page=body["prevPage"], **params).json()
        backward.append([row["id"] for row in body["results"]])
    assert backward[::-1] == forward
    assert len({object_id for page in forward for object_id in page}) == 40


def test_a_mixed_sort_breaks_ties_by_its_second_field(company: Api) -> None:
    rows = company.everything("/v3/bills", sort="dueDate:asc,updatedTime:desc")
    for left, right in pairwise(rows):
        assert left["dueDate"] <= right["dueDate"]
        if left["dueDate"] == right["dueDate"]:
            assert left["updatedTime"] >= right["updatedTime"]


def test_a_cursor_carries_its_query_or_ignores_or_rejects_another(serve: Serve) -> None:
    api = serve(bills=120, orgs=1)
    query = {"filters": "archived:eq:false", "sort": "updatedTime:desc", "max": 10}
    cursor = api.get("/v3/bills", **query).json()["nextPage"]
    second = api.get("/v3/bills", page=cursor, **query).json()["results"]
    assert api.get("/v3/bills", page=cursor, max=10).json()["results"] == second
    other = {"filters": "archived:eq:true", "sort": "createdTime:asc", "max": 10}
    assert api.get("/v3/bills", page=cursor, **other).json()["results"] == second
    api.server.sandbox.change_settings(cursor_mismatch="reject")
    assert api.get("/v3/bills", page=cursor, **query).json()["results"] == second
    assert api.get("/v3/bills", page=cursor, **other).status_code == 400


def test_a_cursor_that_carries_no_query_needs_the_query_again(serve: Serve) -> None:
    api = serve(bills=120, orgs=1, cursor_carries_query=False)
    query = {"filters": "paymentStatus:eq:UNPAID", "max": 2}
    cursor = api.get("/v3/bills", **query).json()["nextPage"]
    again = api.get("/v3/bills", page=cursor, **query).json()["results"]
    assert {row["paymentStatus"] for row in again} == {"UNPAID"}
    assert "PAID" in {row["paymentStatus"] for row in api.get("/v3/bills", page=cursor, max=50).json()["results"]}


def test_a_cursor_belongs_to_its_list(company: Api) -> None:
    cursor = company.get("/v3/bills").json()["nextPage"]
    assert company.get("/v3/vendors", page=cursor).status_code == 400


def test_a_keyset_walk_loses_nothing_that_did_not_move(serve: Serve) -> None:
    api = serve(bills=150, orgs=1)
    walk = api.pages("/v3/bills", max=20, sort="updatedTime:asc")
    seen = [row["id"] for row in next(walk)]
    before = {doc["id"] for doc in api.organization.rows("bills")}
    api.server.sandbox.change(40, seed=5)
    seen += [row["id"] for page in walk for row in page]
    assert before <= set(seen)


def test_an_offset_walk_shifts_when_a_served_row_moves(serve: Serve) -> None:
    api = serve(bills=60, orgs=1, cursor_kind="offset")
    walk = api.pages("/v3/bills", max=20, sort="updatedTime:asc")
    first = next(walk)
    table = api.organization.table(BILLS)
    api.organization.write(BILLS, table.rows[first[0]["id"]].doc())
    seen = [row["id"] for row in first] + [row["id"] for page in walk for row in page]
    assert len(set(api.organization.table(BILLS).ids) - set(seen)) == 1


@pytest.mark.parametrize("path", PATHS)
def test_one_object_by_id_is_what_the_list_has(company: Api, path: str) -> None:
    for row in company.everything(path)[:3]:
        assert company.get(f"{path}/{row['id']}").json(parse_float=Decimal) == row


def test_an_unknown_id_is_not_found_and_a_foreign_one_is_of_the_wrong_kind(serve: Serve) -> None:
    api = serve()
    vendor = api.organization.table(VENDORS).ids[0]
    answer = api.get("/v3/bills/00n02ZZZZZZZZZZ00000")
    assert (answer.status_code, codes(answer)) == (404, ["BDC_1205"])
    answer = api.get(f"/v3/bills/{vendor}")
    assert (answer.status_code, codes(answer)) == (400, ["BDC_1302"])
    api.server.sandbox.change_settings(wrong_prefix_status=404)
    answer = api.get(f"/v3/bills/{vendor}")
    assert (answer.status_code, codes(answer)) == (404, ["BDC_1205"])


def test_recurring_lists_take_time_filters_where_so_read(serve: Serve) -> None:
    api = serve(bills=300, orgs=1, recurring_time_filter=True)
    rows = api.everything("/v3/recurringbills", filters='updatedTime:gte:"2023-02-02"', sort="updatedTime:asc")
    expected = [doc for doc in api.organization.rows("recurringbills") if doc["updatedTime"] >= "2023-02-02"]
    assert {row["id"] for row in rows} == {doc["id"] for doc in expected}


def test_absent_fields_are_left_out_or_null_where_so_read(serve: Serve) -> None:
    api = serve(orgs=1)
    assert not any(None in row.values() for kind in KINDS for row in api.everything(kind.path))
    api.server.sandbox.change_settings(absent_as_null=True)
    for kind in KINDS:
        for row in api.everything(kind.path):
            assert set(kind.keys) <= set(row)


def test_the_id_of_nothing_is_left_out_or_zeros_where_so_read(serve: Serve) -> None:
    api = serve(bills=120, orgs=1)
    plain = {kind.path: api.everything(kind.path) for kind in KINDS}
    assert NO_ID not in str(plain)
    api.server.sandbox.change_settings(absent_ids="zeros")
    for kind in KINDS:
        for row, before in zip(api.everything(kind.path), plain[kind.path], strict=True):
            assert all(row[key] == before.get(key, NO_ID) for key in kind.keys if key.endswith("Id"))
    payments, receipts = (api.everything(f"/v3/{name}") for name in ("payments", "receivable-payments"))
    assert {"type": "WALLET", "id": NO_ID} in [payment["fundingAccount"] for payment in payments]
    assert {} in [receipt["fundingAccount"] for receipt in receipts]


def test_bills_show_their_approvers_when_asked(serve: Serve) -> None:
    api = serve(bills=120, orgs=1)
    plain, asked = api.everything("/v3/bills"), api.everything("/v3/bills", billApprovals="true")
    assert not any("approvers" in row for row in plain)
    with_approvers = [row for row in asked if row.get("approvers")]
    assert with_approvers
    assert {row["approvalStatus"] for row in asked if not row.get("approvers")} == {"UNASSIGNED"}
    one = with_approvers[0]
    assert api.get(f"/v3/bills/{one['id']}", billApprovals="true").json(parse_float=Decimal) == one
    assert api.organization.rows("bills", approvals=True) == asked
    api.server.sandbox.change_settings(approvers_shown="always")
    assert api.everything("/v3/bills") == asked


def test_thin_vendor_lists_leave_payment_fields_to_the_single_get(serve: Serve) -> None:
    api = serve(orgs=1, thin_vendor_lists=True)
    row = api.everything("/v3/vendors")[0]
    assert "paymentInformation" not in row
    assert "paymentInformation" in api.get(f"/v3/vendors/{row['id']}").json()


def test_hidden_parents_are_hidden_from_v3_only(serve: Serve) -> None:
    shown, hidden = serve(orgs=1), serve(orgs=1, parent_visible=False)
    path = "/v3/classifications/chart-of-accounts"
    assert any("parentId" in row for row in shown.everything(path))
    assert not any("parentId" in row for row in hidden.everything(path))
    parents = [
        {row["id"]: row["parentChartOfAccountId"] for row in api.v2_data("List/ChartOfAccount.json", {})}
        for api in (shown, hidden)
    ]
    assert parents[0] == parents[1]
