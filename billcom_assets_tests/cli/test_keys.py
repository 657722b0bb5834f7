"""Changing the key that seals credentials, as a user does it."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select

from billcom_assets.environment import open_database
from billcom_assets.warehouse.tables import integrations
from billcom_assets_tests.cli.commands import Desk, billcom_command

KEY, OLD = "BILLCOM_SECRET_KEY", "BILLCOM_SECRET_KEY_OLD"


def sealed() -> list[str]:
    warehouse = open_database()
    with warehouse.read() as connection:
        found = list(connection.scalars(select(integrations.c.credentials).order_by(integrations.c.key)))
    warehouse.close()
    return found


def test_a_key_is_made_and_nothing_else() -> None:
    made = billcom_command("keys", "make")
    assert (made.code, made.err) == (0, "")
    assert len(base64.b64decode(made.out.strip(), validate=True)) == 32
    assert billcom_command("keys", "make", "--json").document["key"] != made.out.strip()


@pytest.mark.parametrize("command", [("keys",), ("keys", "rotate")], ids=["keys", "keys rotate"])
def test_the_help_shows_the_whole_procedure(command: tuple[str, ...]) -> None:
    told = billcom_command(*command, "--help").out
    steps = (
        'export BILLCOM_SECRET_KEY_OLD="$BILLCOM_SECRET_KEY"\n',
        'export BILLCOM_SECRET_KEY="$(billcom keys make)" ',
        "billcom keys rotate\n",
        "restart them\n",
        "unset BILLCOM_SECRET_KEY_OLD ",
    )
    lines = told[told.index(steps[0]) :]
    positions = [lines.index(step) for step in steps]
    assert positions == sorted(positions)


def test_with_a_key_file_one_command_changes_the_key_and_syncs_go_on(desk: Desk) -> None:
    desk.connect("acme")
    desk.connect("beta", number=1)
    before, file = sealed(), desk.home / "billcom.key"
    key = file.read_text()
    logins = desk.bill.sandbox.stats.logins

    answered = desk.run("keys", "rotate")

    assert (answered.code, answered.err) == (0, "")
    assert "4 sealed values are now under the key" in answered.out
    assert key not in answered.out + file.read_text()
    assert not set(before) & set(sealed())
    assert desk.run("seed", "acme").code == 0
    assert desk.bill.sandbox.stats.logins == logins, "the session was lost"


def test_with_the_key_in_the_environment_old_and_new_are_given(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (billcom_command("keys", "make").out.strip() for _ in range(2))
    monkeypatch.setenv(KEY, old)
    desk.connect("acme")
    monkeypatch.setenv(KEY, new)
    refused = desk.run("keys", "rotate")
    assert (refused.code, f"Set {OLD}" in refused.err) == (2, True)
    monkeypatch.setenv(OLD, old)

    document = desk.run("keys", "rotate", "--json").document

    assert {name: document[name] for name in ("ok", "resealed", "already", "dropped_sessions", "refused")} == {
        "ok": True,
        "resealed": 2,
        "already": 0,
        "dropped_sessions": 0,
        "refused": {},
    }
    monkeypatch.delenv(OLD)
    assert desk.run("validate", "acme").code == 0
    assert old not in str(document)
    assert new not in str(document)


def test_a_process_that_still_has_the_old_key_says_so_and_signs_in_nowhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (billcom_command("keys", "make").out.strip() for _ in range(2))
    monkeypatch.setenv(KEY, old)
    desk.connect("acme")
    monkeypatch.setenv(OLD, old)
    monkeypatch.setenv(KEY, new)
    desk.run("keys", "rotate")
    logins = desk.bill.sandbox.stats.logins

    monkeypatch.setenv(KEY, old)
    validated, seeded, status = (desk.run(command, "acme") for command in ("validate", "seed", "status"))

    assert (validated.code, seeded.code, status.code) == (2, 1, 0)
    for told in (validated.err, seeded.err, status.out):
        assert "sealed with another key" in told
        assert "billcom keys rotate" in told
    assert desk.bill.sandbox.stats.logins == logins


def test_what_cannot_be_opened_is_named_and_the_rest_is_changed(desk: Desk) -> None:
    desk.connect("acme")
    desk.connect("beta", number=1)
    warehouse = open_database()
    with warehouse.write() as connection:
        connection.execute(integrations.update().where(integrations.c.key == "acme").values(credentials="v2.cut"))
    warehouse.close()

    answered = desk.run("keys", "rotate", "--json")

    assert answered.code == 1
    assert [*answered.document["refused"]] == ["acme"]
    assert "The stored credentials of acme cannot be used: the sealed value is damaged" in answered.err
    assert desk.run("validate", "beta").code == 0
    assert desk.connect("acme").code == 0


def test_killed_with_its_hands_full_the_command_is_finished_by_itself_run_again(desk: Desk) -> None:
    """Wherever the kill falls."""
    desk.connect("acme")
    for delay in (0.6, 0.9, 1.2, 1.5):
        with subprocess.Popen([sys.executable, "-m", "billcom_assets.cli", "keys", "rotate"]) as command:
            try:
                command.wait(delay)
            except subprocess.TimeoutExpired:
                os.kill(command.pid, signal.SIGKILL)
        assert desk.run("keys", "rotate").code == 0
        assert desk.run("validate", "acme").code == 0
    assert [file.name for file in desk.home.glob("billcom.key*")] == ["billcom.key"]
