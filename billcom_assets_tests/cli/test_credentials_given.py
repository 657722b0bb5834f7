from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from billcom_assets.warehouse.integrations import Status
from billcom_assets_tests.cli.commands import DEV_KEY, Desk


def test_a_credential_may_come_from_the_environment_and_is_then_never_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_BILL_PASSWORD", desk.bill.world.organizations[0].token.password)

    assert desk.connect("acme", password="env:MY_BILL_PASSWORD").code == 0

    assert desk.stored("acme").sources.password == "env:MY_BILL_PASSWORD"
    # It is read when it is needed, so a changed variable counts at once.
    monkeypatch.setenv("MY_BILL_PASSWORD", "another")
    assert desk.run("validate", "acme").code == 1
    assert desk.stored("acme").status is Status.ERROR


def test_the_developer_key_may_be_left_to_the_environment_and_is_then_never_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLCOM_DEV_KEY", DEV_KEY)

    assert desk.connect("acme", dev_key=None).code == 0

    assert desk.stored("acme").sources.dev_key == "env:BILLCOM_DEV_KEY"
    monkeypatch.setenv("BILLCOM_DEV_KEY", "another")
    assert "Developer key is invalid" in desk.run("validate", "acme").err
    monkeypatch.delenv("BILLCOM_DEV_KEY")
    unset = desk.run("validate", "acme")
    assert (unset.code, "The environment variable BILLCOM_DEV_KEY, which holds" in unset.err) == (2, True)


def test_a_developer_key_that_is_given_counts_more_than_that_of_the_environment(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLCOM_DEV_KEY", "another")

    assert desk.connect("acme").code == 0

    assert desk.stored("acme").sources.dev_key == DEV_KEY


@pytest.mark.parametrize("known", [False, True])
def test_without_a_developer_key_the_variable_that_may_hold_it_is_named(
    known: bool, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BILLCOM_DEV_KEY", raising=False)
    assert not known or desk.connect("acme").code == 0

    answered = desk.connect("acme", dev_key=None)

    assert answered.code == 2
    said = " ".join(answered.err.split())
    assert "--dev-key missing" in said
    assert "A developer key may also be in BILLCOM_DEV_KEY, which is not set." in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_written_out_still_works_and_the_user_is_warned_who_else_sees_it(desk: Desk, form: str) -> None:
    answered = desk.connect("acme", *(["--json"] if form == "json" else []))

    assert answered.code == 0
    assert "Warning: --password and --dev-key written out can be read by others" in answered.err
    assert "env:NAME" in answered.err
    assert "Warning" not in answered.out
    assert form == "text" or answered.document["ok"] is True


def test_only_what_is_written_out_is_warned_of(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_BILL_PASSWORD", desk.bill.world.organizations[0].token.password)

    one = desk.connect("acme", password="env:MY_BILL_PASSWORD")
    none = desk.connect("acme", password="env:MY_BILL_PASSWORD", dev_key="-", stdin=f"{DEV_KEY}\n")

    assert "Warning: --dev-key written out" in one.err
    assert (none.code, none.err) == (0, "")


def test_a_variable_that_is_not_set_is_named_and_nothing_is_stored(desk: Desk) -> None:
    answered = desk.connect("acme", dev_key="env:NO_SUCH_VARIABLE")

    assert answered.code == 2
    assert "The environment variable NO_SUCH_VARIABLE, which holds the dev key, is not set" in answered.err
    assert "There is no integration" in desk.run("validate", "acme").err


def test_the_organization_id_may_come_from_the_environment_and_is_read_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = desk.bill.world.organizations[0]
    monkeypatch.setenv("MY_BILL_ORGANIZATION", f" {organization.id}\n")

    assert desk.connect("acme", organization_id="env:MY_BILL_ORGANIZATION").code == 0

    assert desk.stored("acme").organization_id == organization.id
    missing = desk.connect("acme", organization_id="env:NOT_THERE")
    assert (missing.code, "NOT_THERE" in missing.err) == (2, True)


def test_piped_input_gives_one_line_for_each_hyphen(desk: Desk) -> None:
    token = desk.bill.world.organizations[0].token
    lines = f"{token.username}\n{token.password}\r\n{DEV_KEY}\n"

    assert desk.connect("acme", username="-", password="-", dev_key="-", stdin=lines).code == 0

    sources = desk.stored("acme").sources
    assert (sources.username, sources.password, sources.dev_key) == (token.username, token.password, DEV_KEY)


def test_input_that_ends_before_the_credential_is_refused(desk: Desk) -> None:
    answered = desk.connect("acme", password="-", stdin="")

    assert answered.code == 2
    assert "No password was given" in answered.err


def test_a_typed_credential_does_not_become_the_name_of_a_variable(desk: Desk) -> None:
    answered = desk.connect("acme", password="-", stdin="env:HOME\n")

    assert answered.code == 2
    assert "give env:NAME as the option itself" in answered.err


def test_at_a_terminal_it_asks_for_whatever_is_missing_and_shows_no_secret(desk: Desk) -> None:
    one = desk.bill.world.organizations[0]
    main_end, command_end = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "billcom_assets.cli", "connect", "acme", "--base-url", desk.bill.base_url],
        stdin=command_end,
        stdout=command_end,
        stderr=command_end,
        close_fds=True,
        start_new_session=True,
    )
    os.close(command_end)

    screen = b""
    typed = {
        "Organization id": one.id,
        "User name": one.token.username,
        "Password": one.token.password,
        "Developer key": DEV_KEY,
        "Company's name": "Acme",
    }
    for question, line in typed.items():
        screen += _read_until(main_end, question.encode())
        time.sleep(0.1)  # The terminal stops echoing just after the question appears.
        os.write(main_end, f"{line}\n".encode())
    screen += _read_until(main_end, b"billcom seed")

    assert command.wait(timeout=30) == 0
    os.close(main_end)
    assert b"acme is connected" in screen
    assert one.token.username.encode() in screen
    for secret in (one.token.password, DEV_KEY):
        assert secret.encode() not in screen


def _read_until(descriptor: int, wanted: bytes) -> bytes:
    read, deadline = b"", time.monotonic() + 30
    while wanted not in read:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, read
        read += os.read(descriptor, 4096)
    return read
