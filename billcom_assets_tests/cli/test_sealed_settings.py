"""Whoever can write to the database, and nothing else, must not learn a credential or a session by it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from billcom_assets.environment import open_database
from billcom_assets_tests.cli.commands import DEV_KEY, Answered, Desk

ELSEWHERE = "billcom.invalid"
OTHERS_ORGANIZATION = "00802OTHERSxxxxxxxxx"


class Listener:
    """A server that only counts who comes; loopback, so that a URL to it passes every check of ours."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/connect"

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@contextmanager
def database() -> Iterator[Any]:
    warehouse = open_database()
    try:
        with warehouse.write() as connection:
            yield connection
    finally:
        warehouse.close()


def change(**values: str | None) -> None:
    """What somebody does who got hold of the database."""
    with database() as connection:
        settings = ", ".join(f"{name} = :{name}" for name in values)
        connection.execute(text(f"UPDATE integrations SET {settings}"), values)


def sealed() -> str:
    with database() as connection:
        return str(connection.scalar(text("SELECT credentials FROM integrations")))


LITERAL: dict[str, str | None] = {}
NAMED: dict[str, str | None] = {"username": "env:T_NAME", "password": "env:T_VALUE", "dev_key": "env:T_KEY"}


@pytest.mark.parametrize("given", [LITERAL, NAMED], ids=["literal", "named"])
@pytest.mark.parametrize("setting", ["base_url", "v2_base_url"])
def test_a_changed_address_gets_no_request(
    desk: Desk, listener: Listener, monkeypatch: pytest.MonkeyPatch, setting: str, given: dict[str, str | None]
) -> None:
    token = desk.bill.world.organizations[0].token
    for name, value in (("T_NAME", token.username), ("T_VALUE", token.password), ("T_KEY", DEV_KEY)):
        monkeypatch.setenv(name, value)
    assert desk.connect("acme", **given).code == 0
    change(**{setting: listener.url})

    answers = [desk.run(command, "acme") for command in ("validate", "seed", "sync")]
    status = desk.run("status", "acme")

    assert listener.visits == 0
    assert [answered.code for answered in answers] == [2, 1, 1]
    was = {"base_url": desk.bill.base_url, "v2_base_url": "none"}[setting]
    told = f"{setting.replace('_', ' ').replace('url', 'URL')} was {was}, is {listener.url}"
    for answered in answers:
        assert told in answered.err
        assert "billcom connect acme" in answered.err
    assert (status.code, told in status.out) == (0, True)
    assert status.out.rstrip().endswith("Next: billcom connect acme")


@pytest.mark.parametrize(
    "values",
    [{"environment": "stage"}, {"organization_id": OTHERS_ORGANIZATION}, {"base_url": None}, {"v2_base_url": ""}],
    ids=lambda values: next(iter(values)),
)
def test_every_setting_that_says_where_and_as_whom_is_bound(desk: Desk, values: dict[str, str | None]) -> None:
    desk.connect("acme")
    logins = desk.bill.sandbox.stats.logins
    change(**values)

    answered = desk.run("validate", "acme")

    assert answered.code == 2
    assert f"{next(iter(values)).split('_')[0]}" in answered.err
    assert desk.bill.sandbox.stats.logins == logins


def test_the_sealed_credentials_of_one_integration_are_none_of_another(desk: Desk) -> None:
    desk.connect("acme")
    desk.connect("beta", number=1)
    with database() as connection:
        connection.execute(
            text(
                "UPDATE integrations SET credentials = (SELECT credentials FROM integrations WHERE key = 'beta') "
                "WHERE key = 'acme'"
            )
        )

    answered = desk.run("validate", "acme")

    assert (answered.code, "was changed after it was sealed" in answered.err) == (2, True)


def test_status_marks_a_refused_integration_and_no_other(desk: Desk) -> None:
    desk.connect("acme")
    desk.connect("beta", number=1)
    with database() as connection:
        connection.execute(text("UPDATE integrations SET base_url = 'https://evil.example' WHERE key = 'acme'"))

    answered = desk.run("status")
    found = {one["key"]: one["credentials"] for one in desk.run("status", "--json").document["integrations"]}

    acme, beta = (
        next(line for line in answered.out.splitlines() if line.split()[0] == key) for key in ("acme", "beta")
    )
    assert ("refused" in acme, "connected" in beta) == (True, True)
    assert "https://evil.example" in answered.out
    assert found["beta"] == {"usable": True, "problem": None}
    assert (found["acme"]["usable"], "https://evil.example" in found["acme"]["problem"]) == (False, True)
    one = desk.run("status", "acme", "--json").document
    assert (one["ready"], one["integration"]["credentials"]["usable"]) == (False, False)


def test_without_the_key_status_says_so_shows_the_rest_and_makes_none(desk: Desk) -> None:
    desk.connect("acme")
    (desk.home / "billcom.key").unlink()

    everything, one = desk.run("status"), desk.run("status", "acme")

    assert (everything.code, one.code) == (0, 0)
    for answered in (everything, one):
        assert "Not checked. The key file" in answered.out
        assert "connected" in answered.out
    assert desk.run("status", "--json").document["integrations"][0]["credentials"]["usable"] is None
    assert not (desk.home / "billcom.key").exists()


def test_what_the_database_holds_cannot_steer_the_terminal(desk: Desk) -> None:
    desk.connect("acme")
    change(base_url="https://evil.example/\x1b[2J" + "x" * 5_000)

    assert "\x1b[2J" not in desk.run("status", "acme").out
    refused = desk.run("validate", "acme").err
    assert "\x1b[2J" not in refused
    assert len(refused) < 1_000


# Giving the credentials again ----------------------------------------------------------------------------------------


def again(desk: Desk, *more: str) -> Answered:
    return desk.run("connect", "acme", *desk.credentials(), *more)


def test_an_edit_sends_nothing_to_an_address_that_somebody_put_into_the_database(
    desk: Desk, listener: Listener
) -> None:
    desk.connect("acme")
    change(base_url=listener.url)

    refused = again(desk)

    assert (refused.code, listener.visits) == (2, 0)
    assert f"--base-url {listener.url}" in refused.err
    assert again(desk, "--base-url", desk.bill.base_url).code == 0
    assert desk.run("validate", "acme").code == 0


@pytest.mark.parametrize("lost", ["the key", "the seal"])
def test_an_address_that_nothing_vouches_for_must_be_given_again(desk: Desk, listener: Listener, lost: str) -> None:
    desk.connect("acme")
    change(v2_base_url=listener.url)
    if lost == "the key":
        (desk.home / "billcom.key").unlink()
    else:
        change(credentials="")

    refused = again(desk)

    assert (refused.code, listener.visits) == (2, 0)
    assert "--base-url" in refused.err
    assert "--v2-base-url" in refused.err
    assert again(desk, "--base-url", desk.bill.base_url, "--v2-base-url", "none").code == 0


def test_a_changed_organization_id_is_put_right_by_giving_the_credentials_again(desk: Desk) -> None:
    desk.connect("acme")
    assert desk.run("seed", "acme").code == 0
    change(organization_id=OTHERS_ORGANIZATION)

    assert again(desk).code == 0
    assert desk.stored("acme").organization_id == desk.bill.world.organizations[0].id


# Damage, and other versions ------------------------------------------------------------------------------------------


def earlier(value: str) -> str:
    """As the version before sealed: base64 and nothing else."""
    return value.rpartition(".")[2]


def swapped(value: str) -> str:
    """Another character in the middle of the ciphertext."""
    middle = len(value) - 20
    return f"{value[:middle]}{'A' if value[middle] != 'A' else 'B'}{value[middle + 1 :]}"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda _value: "", "the sealed value is empty"),
        (lambda value: value[:-7], "the sealed value is damaged"),
        (lambda value: value[:30], "the sealed value is damaged"),
        (lambda _value: "not base64 at all", "the sealed value is damaged"),
        (lambda value: "v7" + value[2:], "has the format v7, which this version does not know"),
        (swapped, "was changed after it was sealed with this key"),
        (earlier, "Check the address that billcom status acme shows"),
    ],
    ids=["empty", "cut", "cut short", "not base64", "other format", "changed", "earlier version"],
)
def test_a_value_that_does_not_open_says_why_and_what_to_do(desk: Desk, damage: Any, told: str) -> None:
    desk.connect("acme")
    change(credentials=damage(sealed()))

    answered = desk.run("validate", "acme")

    assert answered.code == 2
    assert told in answered.err
    assert "billcom connect acme" in answered.err
    assert told in desk.run("status", "acme").out
    assert desk.connect("acme").code == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "empty"), ("c2hvcnQ=", "cut or damaged"), ("\0", "cut or damaged")],
    ids=["empty", "cut", "no text"],
)
def test_a_key_file_without_a_key_says_so_and_what_to_do(desk: Desk, content: str, told: str) -> None:
    desk.connect("acme")
    (desk.home / "billcom.key").write_text(content)

    answered = desk.run("validate", "acme")

    assert answered.code == 2
    assert f"The key file {desk.home / 'billcom.key'} is {told};" in answered.err
    assert "Restore it from a backup" in answered.err
