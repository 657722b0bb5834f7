"""After a refused sign-in nobody is sent to repeat what failed: BILL locks organizations after repeated failures."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dagster as dg
import pytest

from billcom_assets.automation.sensors import LAUNCH_SENSORS
from billcom_assets.clock import utc_now
from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets_tests.bill.scripted import Reply, scripted_bill
from billcom_assets_tests.cli.commands import DEV_KEY, Desk

CONNECT = "billcom connect acme (it asks for the right credentials; "
VALIDATE = "billcom validate acme"
NOT_BEFORE = "nothing was sent. Next step: Try again at "


@pytest.fixture
def strict_bill() -> Iterator[SandboxServer]:
    """Locks an organization at the third wrong password."""
    with SandboxServer(Settings(bills=0, orgs=1, dev_keys=(DEV_KEY,), failed_logins_to_lock=3)) as server:
        yield server


def skip_text() -> str:
    """Why the sensor that seeds new integrations launches nothing."""
    warehouse = open_database()
    sensor = next(one for one in LAUNCH_SENSORS if one.name == "new_integrations")
    try:
        with dg.DagsterInstance.get() as instance:
            skipped = sensor.evaluate(instance, warehouse, utc_now(), None, lambda _line: None).skip_reason
    finally:
        warehouse.close()
    assert skipped is not None
    return skipped.skip_message or ""


def every_next_step(desk: Desk, first: str) -> list[str]:
    """What each place says that tells how to go on, ``first`` included."""
    shown = desk.run("status", "acme").out
    return [
        first,
        shown[shown.index("Next: ") :],
        str(desk.run("status", "acme", "--json").document["next_step"]),
        desk.run("sync", "acme").err,
        skip_text(),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"username": "nobody@acme.example"}, {"dev_key": "wrong"}, {"organization_id": "008x"}],
)
def test_after_wrong_credentials_every_place_asks_for_the_right_ones(desk: Desk, wrong: dict[str, str]) -> None:
    refused = desk.connect("acme", **wrong)
    assert refused.code == 1
    for step in every_next_step(desk, refused.err):
        assert CONNECT in step
        assert VALIDATE not in step
        assert "lock the organization" in step


def test_a_wrong_password_found_by_validate_is_not_to_be_validated_again(
    desk: Desk, strict_bill: SandboxServer
) -> None:
    login = strict_bill.world.organizations[0]
    desk.connect("acme", base_url=strict_bill.base_url, organization_id=login.id, password="wrong")
    answered = desk.run("validate", "acme")
    assert (answered.code, CONNECT in answered.err, VALIDATE in answered.err) == (1, True, False)


def test_a_locked_organization_is_left_alone_for_a_while(desk: Desk, strict_bill: SandboxServer) -> None:
    locked = strict_bill.world.organizations[0]
    locked.locked = True
    options = {"username": locked.user.username, "password": locked.user.password, "organization_id": locked.id}
    refused = desk.connect("acme", base_url=strict_bill.base_url, **options)
    assert "BDC_1107" in refused.err
    for step in every_next_step(desk, refused.err):
        words = " ".join(step.split())
        # A run that sends nothing says from when on one may.
        assert "wait 15 minutes, in which nobody tries, then billcom validate acme" in words or NOT_BEFORE in words


@pytest.mark.parametrize(("status", "advised"), [(401, CONNECT), (403, "wait 15 minutes"), (423, "wait 15 minutes")])
def test_a_refusal_without_a_code_is_told_by_its_status(desk: Desk, status: int, advised: str) -> None:
    with scripted_bill() as (bill, url):
        bill.always("/connect/v3/login", Reply(status, {"message": "No."}))
        refused = desk.connect("acme", base_url=url)
        for step in every_next_step(desk, refused.err):
            assert advised in step or (status != 401 and NOT_BEFORE in step)


def test_when_bill_was_not_reached_the_same_credentials_may_be_tried_again(desk: Desk) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/connect"
    refused = desk.connect("acme", base_url=url)
    assert "Check the network" in refused.err
    assert VALIDATE in every_next_step(desk, refused.err)[1]
