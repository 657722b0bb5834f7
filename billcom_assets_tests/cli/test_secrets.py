from __future__ import annotations

import pytest

from billcom_assets.environment import open_database, seal_for
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets_tests.cli.commands import DEV_KEY, Desk


def session_id(key: str) -> str:
    warehouse = open_database()
    try:
        session = SealedSessions(warehouse, seal_for(warehouse), key).load()
    finally:
        warehouse.close()
    assert session is not None
    return session.session_id


def test_no_secret_is_in_any_output_or_in_any_file_of_the_home_folder(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = desk.bill.world.organizations[0].token.password
    monkeypatch.setenv("OTHER_PASSWORD", "a-password-from-the-environment")
    answers = [
        desk.connect("acme", password="a-wrong-password"),
        desk.connect("acme", password="env:OTHER_PASSWORD", dev_key="a-wrong-dev-key"),
        desk.connect("acme", "--debug", password="a-wrong-password"),
        desk.connect("acme", "--json"),
        desk.run("validate", "acme", "--json"),
        desk.run("seed", "acme"),
        desk.run("status", "acme", "--json"),
        desk.run("validate", "acme", "--debug"),
        desk.run("sync", "acme", "--json"),
    ]
    assert [answered.code for answered in answers] == [1, 1, 1, 0, 0, 0, 0, 0, 3]

    secrets = [
        password,
        DEV_KEY,
        "a-wrong-password",
        "a-wrong-dev-key",
        "a-password-from-the-environment",
        session_id("acme"),
    ]
    printed = "".join(answered.everything for answered in answers)
    files = [path for path in desk.home.rglob("*") if path.is_file()]
    assert {"billcom.db", "dagster.yaml"} <= {path.name for path in files}
    for secret in secrets:
        assert secret not in printed
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
