"""The client against the simulated BILL that ships with the package, written by another hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from billcom_assets.bill.client import BillClient, CallEvent, EventKind, decode
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import (
    AuthenticationRefused,
    HourlyLimitReached,
    NotFound,
    QueryRefused,
    UnsupportedCall,
    WriteOutcomeUnknown,
)
from billcom_assets.bill.query import Filter, Sort, item_path
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.bill.session import MemorySessionStore
from billcom_assets.sandbox import Fault, FaultPlan, SandboxServer, Settings
from billcom_assets.sandbox.kinds import KINDS, Kind

ACCOUNTS = "/v3/classifications/chart-of-accounts"
UNPUBLISHED_STATUS = (422, 429)
CLIENT_FAULTS = (
    "html_502",
    "reset",
    "truncated_json",
    "single_object_error",
    "session_death",
    "hourly_limit",
    "concurrency_limit",
)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(bills=60, orgs=2)) as running:
        yield running


@pytest.fixture
def sandbox(server: SandboxServer) -> Iterator[SandboxServer]:
    """The server with nothing switched on and nothing counted."""
    yield server
    server.sandbox.set_faults(FaultPlan())
    server.sandbox.change_settings(throttle_status=422, requests_per_hour=20_000, logins_per_hour=200)
    server.clock.offset = timedelta()
    server.sandbox.reset_stats()


def credentials(server: SandboxServer, *, token: bool = False, number: int = 0, **changes: Any) -> Credentials:
    organization = server.world.organizations[number]
    login = organization.token if token else organization.user
    values: dict[str, Any] = {
        "organization_id": organization.id,
        "username": login.username,
        "password": login.password,
        "dev_key": "sandbox-dev-key",
        "base_url": server.base_url,
        "v2_base_url": server.v2_base_url,
    }
    return Credentials(**values | changes)


@pytest.fixture
def connect(sandbox: SandboxServer) -> Iterator[Callable[..., BillClient]]:
    opened: list[BillClient] = []

    def make(who: Credentials | None = None, **options: Any) -> BillClient:
        defaults: dict[str, Any] = {"clock": sandbox.clock.now, "retry": RetryPolicy(sleep=lambda _: None)}
        opened.append(BillClient(who or credentials(sandbox), **defaults | options))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


def walk(client: BillClient, path: str, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.page(path, cursor=cursor, **query)
        rows.extend(decode(row) for row in page.rows)
        cursor = page.next_cursor
        if cursor is None:
            return rows


def truth(server: SandboxServer, path: str) -> list[str]:
    return [row["id"] for row in server.world.organization().rows(path)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.path)
def test_every_list_is_read_whole(kind: Kind, sandbox: SandboxServer, connect: Callable[..., BillClient]) -> None:
    path = kind.path
    rows = walk(connect(), path, max_rows=20)
    assert sorted(row["id"] for row in rows) == sorted(truth(sandbox, path))
    for row in rows[:3]:
        assert connect().get(item_path(path, row["id"]))["id"] == row["id"]


def test_a_window_in_update_order_is_read_whole(sandbox: SandboxServer, connect: Callable[..., BillClient]) -> None:
    all_rows = sandbox.world.organization().rows("/v3/vendors")
    since = sorted(row["updatedTime"] for row in all_rows)[len(all_rows) // 2]
    moment = sandbox.clock.now().fromisoformat(since)
    rows = walk(
        connect(),
        "/v3/vendors",
        filters=[Filter("updatedTime", "gte", moment)],
        sort=Sort("updatedTime"),
        max_rows=7,
    )
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in all_rows if row["updatedTime"] >= since)
    assert [row["updatedTime"] for row in rows] == sorted(row["updatedTime"] for row in rows)


def test_a_filter_that_bill_does_not_offer_is_a_refused_query(connect: Callable[..., BillClient]) -> None:
    moment = Filter("updatedTime", "gte", "2026-01-01")
    with pytest.raises(QueryRefused) as caught:
        connect().page("/v3/recurringbills", filters=[moment])
    assert not caught.value.cursor_in_play


def test_a_strange_cursor_is_a_refused_query(connect: Callable[..., BillClient]) -> None:
    with pytest.raises(QueryRefused) as caught:
        connect().page("/v3/bills", cursor="no cursor of BILL's")
    assert caught.value.cursor_in_play


def test_unknown_ids_and_paths_are_told_apart(connect: Callable[..., BillClient]) -> None:
    client = connect()
    with pytest.raises(NotFound) as caught:
        client.get("/v3/bills/00n02AAAAAAAAAAaaaaa")
    assert caught.value.confirmed
    with pytest.raises(UnsupportedCall):
        client.get("/v3/no-such-thing")


@pytest.mark.parametrize("throttle_status", UNPUBLISHED_STATUS)
@pytest.mark.parametrize("seed", [1, 2])
def test_three_lanes_survive_every_fault_of_the_line_without_loss_or_duplicates(
    seed: int, throttle_status: int, sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    sandbox.sandbox.change_settings(throttle_status=throttle_status)
    sandbox.sandbox.set_faults(FaultPlan.parse(",".join(f"{fault}=0.15" for fault in CLIENT_FAULTS), seed))
    events: list[CallEvent] = []
    client = connect(on_event=events.append)
    paths = [kind.path for kind in KINDS]
    with ThreadPoolExecutor(3) as lanes:
        read = dict(zip(paths, lanes.map(lambda path: walk(client, path, max_rows=10), paths), strict=True))
    for path in paths:
        assert sorted(row["id"] for row in read[path]) == sorted(truth(sandbox, path)), path
    fired = sandbox.sandbox.faults.fired
    assert set(map(str, fired)) == set(CLIENT_FAULTS)
    assert client.stats.peak_in_flight <= 3
    assert sum(event.kind is EventKind.LOGIN for event in events) <= fired[Fault.SESSION_DEATH] + 1


def test_a_token_session_outlives_a_password_session(
    sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    for token, logins in ((False, 2), (True, 1)):
        client = connect(credentials(sandbox, token=token))
        client.page("/v3/bills", max_rows=1)
        sandbox.clock.advance(timedelta(minutes=34))
        client.page("/v3/bills", max_rows=1)
        assert client.stats.logins == logins
    assert str(client.who_am_i()["userId"]).startswith("syu")


def test_a_session_that_bill_ends_early_is_renewed(sandbox: SandboxServer, connect: Callable[..., BillClient]) -> None:
    client = connect()
    client.page("/v3/bills", max_rows=1)
    sandbox.sandbox.sessions.end_all()
    client.page("/v3/bills", max_rows=1)
    assert client.stats.logins == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "BDC_1101"),
        ({"username": "nobody@acme.example"}, "BDC_1101"),
        ({"dev_key": "wrong"}, "BDC_1102"),
    ],
)
def test_wrong_credentials_are_told_in_bills_words(
    changes: dict[str, Any], code: str, sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    with pytest.raises(AuthenticationRefused) as caught:
        connect(credentials(sandbox, **changes)).login()
    assert caught.value.code == code
    assert sandbox.sandbox.stats.logins == 1


def test_a_session_is_never_used_for_another_organization(
    sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    sessions = MemorySessionStore()
    first = connect(credentials(sandbox), sessions=sessions).who_am_i()
    second = connect(credentials(sandbox, number=1), sessions=sessions).who_am_i()
    assert [first["organizationId"], second["organizationId"]] == [one.id for one in sandbox.world.organizations]


@pytest.mark.parametrize("throttle_status", UNPUBLISHED_STATUS)
def test_a_true_hourly_limit_is_raised_and_gone_with_the_next_hour(
    throttle_status: int, sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    sandbox.sandbox.change_settings(throttle_status=throttle_status, requests_per_hour=3)
    client = connect()
    for _ in range(2):
        client.page("/v3/bills", max_rows=1)
    with pytest.raises(HourlyLimitReached) as caught:
        client.page("/v3/bills", max_rows=1)
    resets_at = caught.value.resets_at
    assert resets_at is not None
    sandbox.clock.set(resets_at)
    client.page("/v3/bills", max_rows=1)


def test_an_account_is_written_once_even_when_the_answer_is_lost(
    sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    client = connect()
    client.login()
    sandbox.sandbox.set_faults(FaultPlan.parse("reset=1"))
    with pytest.raises(WriteOutcomeUnknown):
        client.post(ACCOUNTS, {"name": "Written once", "account": {"type": "EXPENSE", "number": "9-999"}})
    sandbox.sandbox.set_faults(FaultPlan())
    found = walk(client, ACCOUNTS, filters=[Filter("name", "sw", "Written once")])
    assert len(found) == 1
    path = item_path(ACCOUNTS, found[0]["id"])
    assert client.patch(path, {"description": "changed"})["description"] == "changed"
    assert client.post(f"{path}/archive", idempotent=True)["archived"] is True


def test_v2_reads_on_the_same_session(sandbox: SandboxServer, connect: Callable[..., BillClient]) -> None:
    client = connect()
    ids = truth(sandbox, "/v3/vendors")
    rows = client.v2_list("Vendor", sort=[Sort("createdTime")])
    assert sorted(row["id"] for row in rows) == sorted(ids)
    assert client.v2_read("Vendor", ids[0])["id"] == ids[0]
    assert client.stats.logins == 1
    sandbox.sandbox.sessions.end_all()
    assert len(client.v2_list("Vendor", start=1, max_rows=2)) == 2
    assert client.stats.logins == 2
    with pytest.raises(NotFound):
        client.v2_read("Vendor", "00902AAAAAAAAAAaaaaa")
    with pytest.raises(QueryRefused):
        client.v2_list("Vendor", filters=[Filter("noSuchField", "eq", "x")])


def test_v2_shares_the_address_and_the_faults_of_the_line(
    sandbox: SandboxServer, connect: Callable[..., BillClient]
) -> None:
    sandbox.sandbox.set_faults(FaultPlan.parse(",".join(f"{fault}=0.3" for fault in CLIENT_FAULTS), 3))
    client = connect(credentials(sandbox, v2_base_url=None))
    seen: list[str] = []
    while rows := client.v2_list("Bill", start=len(seen), max_rows=5, sort=[Sort("createdTime"), Sort("id")]):
        seen.extend(row["id"] for row in rows)
    assert sorted(seen) == sorted(truth(sandbox, "/v3/bills"))
