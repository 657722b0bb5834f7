"""The one place that writes to BILL says what became of each write: done, refused, or unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import billcom_assets
from billcom_assets.bill.chart_writes import CHART, AccountWrite, Confirmed, Declined, Lost, Verb, send
from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import HourlyLimitReached, NotFound, Refused, Unreachable, WriteOutcomeUnknown
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.bill.retry import RetryPolicy
from billcom_assets.sandbox import Fault, FaultPlan, FaultRate, SandboxServer, Settings

NEW = AccountWrite(Verb.CREATE, None, {"name": "Fresh", "account": {"type": "EXPENSE", "number": "6999"}})


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(bills=0, orgs=1, stall_ms=400)) as running:
        yield running


def connected(server: SandboxServer, **options: Any) -> BillClient:
    one = server.world.organization()
    who = Credentials(one.id, one.user.username, one.user.password, "sandbox-dev-key", base_url=server.base_url)
    return BillClient(who, **{"retry": RetryPolicy(sleep=lambda _: None), "timeout": (5, 0.2)} | options)


@pytest.fixture
def client(server: SandboxServer) -> Iterator[BillClient]:
    with connected(server) as made:
        yield made


def strike(server: SandboxServer, fault: Fault, times: int | None = None) -> None:
    server.sandbox.set_faults(FaultPlan({fault: FaultRate(1, times)}))


def named(server: SandboxServer, name: str) -> list[dict[str, Any]]:
    return [doc for doc in server.world.organization().rows(CHART) if doc["name"] == name]


def sent(server: SandboxServer) -> list[str]:
    return [f"{one.method} {one.path.removeprefix('/connect')}" for one in server.sandbox.stats.writes]


def test_every_write_is_one_request_and_its_response_is_the_account(server: SandboxServer, client: BillClient) -> None:
    made = send(client, NEW)
    assert isinstance(made, Confirmed)
    own = str(made.account["id"])
    parent = server.world.organization().rows(CHART)[0]["id"]
    body = {"name": "Other", "description": "says", "parentId": parent, "account": {"type": "INCOME", "number": "4999"}}
    changed = send(client, AccountWrite(Verb.UPDATE, own, body))
    assert isinstance(changed, Confirmed)
    assert {name: changed.account[name] for name in body} == body
    archived, restored = (send(client, AccountWrite(verb, own)) for verb in (Verb.ARCHIVE, Verb.RESTORE))
    assert isinstance(archived, Confirmed)
    assert isinstance(restored, Confirmed)
    assert (archived.account["archived"], restored.account["archived"]) == (True, False)
    assert sent(server) == [
        f"POST {CHART}",
        f"PATCH {CHART}/{own}",
        f"POST {CHART}/{own}/archive",
        f"POST {CHART}/{own}/restore",
    ]


def test_null_takes_away_what_an_account_had(server: SandboxServer, client: BillClient) -> None:
    parent = server.world.organization().rows(CHART)[0]["id"]
    made = send(client, AccountWrite(Verb.CREATE, None, {**NEW.fields, "parentId": parent, "description": "says"}))
    assert isinstance(made, Confirmed)
    nothing = {"parentId": None, "description": None, "account": {"type": "EXPENSE", "number": None}}
    assert isinstance(send(client, AccountWrite(Verb.UPDATE, made.account["id"], nothing)), Confirmed)
    (account,) = named(server, "Fresh")
    assert {"parentId", "description"}.isdisjoint(account)
    assert account["account"] == {"type": "EXPENSE"}


@pytest.mark.parametrize(
    ("write", "error", "code"),
    [
        (AccountWrite(Verb.UPDATE, "0ca02NOBODYNOBODYabcd", {"name": "x"}), NotFound, "BDC_1205"),
        (AccountWrite(Verb.ARCHIVE, "0ca02NOBODYNOBODYabcd"), NotFound, "BDC_1205"),
        (AccountWrite(Verb.CREATE, None, {"name": ""}), Refused, None),
        (AccountWrite(Verb.CREATE, None, {**NEW.fields, "parentId": "0ca02NOBODYNOBODYabcd"}), NotFound, "BDC_1205"),
    ],
)
def test_what_bill_refuses_is_said_with_its_reason_and_sent_once(
    server: SandboxServer, client: BillClient, write: AccountWrite, error: type[Exception], code: str | None
) -> None:
    outcome = send(client, write)
    assert isinstance(outcome, Declined)
    assert isinstance(outcome.error, error)
    assert outcome.error.code == code
    assert len(server.sandbox.stats.writes) == 1


@pytest.mark.parametrize(
    ("fault", "is_done"),
    [
        *((fault, True) for fault in (Fault.STALLED, Fault.RESET, Fault.TRUNCATED_JSON, Fault.ERROR_DONE)),
        *((fault, False) for fault in (Fault.RESET_UNDONE, Fault.HTML_502, Fault.SINGLE_OBJECT_ERROR)),
    ],
)
def test_a_lost_write_is_not_sent_again_whether_it_was_carried_out_or_not(
    server: SandboxServer, client: BillClient, fault: Fault, is_done: bool
) -> None:
    client.login()
    strike(server, fault)
    outcome = send(client, NEW)
    assert isinstance(outcome, Lost)
    assert isinstance(outcome.error, WriteOutcomeUnknown)
    assert (len(server.sandbox.stats.writes), len(named(server, "Fresh"))) == (1, int(is_done))
    assert server.world.organization().user.password not in str(outcome.error)


@pytest.mark.parametrize(
    ("fault", "writes"), [(Fault.SESSION_DEATH, 2), (Fault.HOURLY_LIMIT, 2), (Fault.CONCURRENCY_LIMIT, 2)]
)
def test_what_bill_surely_did_not_look_at_is_sent_again(
    server: SandboxServer, client: BillClient, fault: Fault, writes: int
) -> None:
    client.login()
    strike(server, fault, times=1)
    assert isinstance(send(client, NEW), Confirmed)
    assert (len(server.sandbox.stats.writes), len(named(server, "Fresh"))) == (writes, 1)


def test_without_an_allowance_nothing_is_sent(server: SandboxServer) -> None:
    with connected(server, budget=MemoryBudget(requests=1)) as client:
        client.login()
        with pytest.raises(HourlyLimitReached):
            send(client, NEW)
    assert server.sandbox.stats.writes == []


def test_a_bill_that_is_not_there_is_no_lost_write(server: SandboxServer, client: BillClient) -> None:
    client.login()
    server.stop()
    with pytest.raises(Unreachable):
        send(client, NEW)


def test_a_write_that_was_kept_is_the_same_when_it_is_taken_up_again() -> None:
    for write in (NEW, AccountWrite(Verb.UPDATE, "0ca1", {"name": "x"}), AccountWrite(Verb.ARCHIVE, "0ca1")):
        assert AccountWrite.of_document(write.document()) == write


def test_nothing_else_in_the_package_writes_to_bill() -> None:
    """Of our own modules none but this one, and the client's own sign-out, call its post and patch."""
    root = Path(billcom_assets.__file__).parent
    callers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"post", "patch"} and "sandbox" not in path.parts
    }
    # The demo talks to the sandbox that it serves itself, by another client.
    assert callers == {"bill/chart_writes.py", "bill/client.py", "cli/demo_bill.py"}
