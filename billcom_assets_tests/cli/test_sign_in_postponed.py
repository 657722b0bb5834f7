"""One passing refusal of a sign-in blocks nothing until a person acts, and nobody hammers a locked organization."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from billcom_assets.clock import utc_now
from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.warehouse.integrations import Status
from billcom_assets.warehouse.tables import bill_sessions, integrations
from billcom_assets_tests.cli.commands import DEV_KEY, Answered, Desk

LOGIN = "POST /v3/login"
PASSING = {
    "423": Refusal(423, "BDC_1107", "The organization is locked."),
    "a JSON 403": Refusal(403, None, "Forbidden"),
    "words": Refusal(400, None, "We cannot sign you in. Try again later."),
}
WRONG = Refusal(401, "BDC_1101", "The email and password you entered do not match our records.")


@pytest.fixture
def bill() -> Iterator[SandboxServer]:
    with SandboxServer(Settings(bills=5, orgs=1, dev_keys=(DEV_KEY,))) as server:
        yield server


@pytest.fixture
def connected(desk: Desk, bill: SandboxServer) -> Desk:
    assert connect(desk, bill).code == 0
    forget_session()
    return desk


def connect(desk: Desk, bill: SandboxServer) -> Answered:
    one = bill.world.organizations[0]
    token = {"username": one.token.username, "password": one.token.password}
    return desk.connect("acme", base_url=bill.base_url, organization_id=one.id, **token)


def forget_session() -> None:
    warehouse = open_database()
    with warehouse.write() as connection:
        connection.execute(bill_sessions.delete())
    warehouse.close()


def let_the_wait_pass() -> None:
    warehouse = open_database()
    with warehouse.write() as connection:
        connection.execute(update(integrations).values(sign_in_not_before=utc_now() - timedelta(seconds=1)))
    warehouse.close()


def wait_ends_in() -> timedelta:
    warehouse = open_database()
    with warehouse.read() as connection:
        until = connection.scalar(select(integrations.c.sign_in_not_before))
    warehouse.close()
    return until - utc_now()


@pytest.mark.parametrize("refusal", PASSING.values(), ids=PASSING)
def test_a_passing_refusal_fails_the_run_and_not_the_connection(
    refusal: Refusal, connected: Desk, bill: SandboxServer
) -> None:
    bill.sandbox.refused[LOGIN] = refusal
    failed = connected.run("seed", "acme")
    assert failed.code == 1
    assert "BILL refuses the sign-in for now" in failed.err
    assert "Try again at 20" in failed.err
    assert connected.stored("acme").status is Status.CONNECTED
    assert "runs try again at" in connected.run("status", "acme").out

    bill.sandbox.refused.clear()
    logins = bill.sandbox.stats.logins
    early = connected.run("seed", "acme")
    assert (early.code, bill.sandbox.stats.logins) == (1, logins)
    assert "nothing was sent" in early.err

    let_the_wait_pass()
    assert connected.run("seed", "acme").code == 0
    assert "runs try again at" not in connected.run("status", "acme").out
    assert connected.stored("acme").status_message is None


def test_each_refusal_doubles_the_wait_and_a_success_ends_it(connected: Desk, bill: SandboxServer) -> None:
    bill.sandbox.refused[LOGIN] = PASSING["423"]
    connected.run("seed", "acme")
    assert timedelta(minutes=14) < wait_ends_in() <= timedelta(minutes=15)
    validated = connected.run("validate", "acme")
    assert validated.code == 1
    assert "runs wait until" in validated.err
    assert timedelta(minutes=29) < wait_ends_in() <= timedelta(minutes=30)
    bill.sandbox.refused.clear()
    assert connected.run("validate", "acme").code == 0
    assert connected.run("seed", "acme").code == 0


def test_after_a_final_refusal_any_accepted_call_connects_again(connected: Desk, bill: SandboxServer) -> None:
    bill.sandbox.refused[LOGIN] = WRONG
    assert connected.run("seed", "acme").code == 1
    assert connected.stored("acme").status is Status.ERROR
    bill.sandbox.refused.clear()
    assert connected.run("seed", "acme").code == 0
    assert connected.stored("acme").status is Status.CONNECTED


def test_a_first_connection_that_was_postponed_is_pending_and_not_an_error(desk: Desk, bill: SandboxServer) -> None:
    bill.sandbox.refused[LOGIN] = PASSING["a JSON 403"]
    assert connect(desk, bill).code == 1
    assert desk.stored("acme").status is Status.PENDING
    bill.sandbox.refused.clear()
    let_the_wait_pass()
    assert desk.run("seed", "acme").code == 0
    assert desk.stored("acme").status is Status.CONNECTED
