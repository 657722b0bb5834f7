from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from billcom_assets import environment
from billcom_assets.bill.quotas import hour_of
from billcom_assets.clock import utc_now
from billcom_assets.warehouse.bill_clients import bill_client
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tables import request_budget
from billcom_assets_tests.cli.commands import Desk


def test_the_database_is_a_file_in_dagster_home_unless_a_url_is_given(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.database_url() == f"sqlite:///{empty_home}/billcom.db"
    monkeypatch.setenv("BILLCOM_DATABASE_URL", " postgresql://me@host/books ")
    assert environment.database_url() == "postgresql://me@host/books"


def test_without_dagster_home_everything_is_in_a_folder_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("BILLCOM_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    assert environment.database_url() == f"sqlite:///{tmp_path}/.billcom/billcom.db"
    assert not (tmp_path / ".billcom").exists()


@pytest.mark.parametrize("folder", ["with space", "per%cent", "quest?ion", "ha#sh"])
def test_a_folder_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.delenv("BILLCOM_DATABASE_URL", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / folder))

    warehouse = environment.open_database()
    warehouse.close()

    assert (tmp_path / folder / "billcom.db").exists()


def test_dagster_home_is_made_absolute_and_gets_the_shipped_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", "some/where")

    home = environment.dagster_home()

    assert home == tmp_path / "some" / "where"
    assert os.environ["DAGSTER_HOME"] == str(home)
    settings = yaml.safe_load((home / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["storage"]["custom"]["module"] == "billcom_assets.storage"


def test_settings_of_a_users_own_are_left_as_they_are(empty_home: Path) -> None:
    empty_home.mkdir()
    (empty_home / "dagster.yaml").write_text("telemetry:\n  enabled: true\n")

    environment.dagster_home()

    assert (empty_home / "dagster.yaml").read_text() == "telemetry:\n  enabled: true\n"


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "home"))

    with pytest.raises(WarehouseError, match="cannot be made ready for Dagster"):
        environment.dagster_home()


def test_closing_a_client_gives_back_what_it_reserved_and_did_not_use(desk: Desk) -> None:
    desk.connect("acme")
    warehouse = environment.open_database()
    seal, integration = environment.seal_for(warehouse), desk.stored("acme")

    def reserved() -> int:
        with warehouse.read() as connection:
            hour = request_budget.c.hour == hour_of(utc_now())
            return sum(
                connection.scalars(request_budget.select().with_only_columns(request_budget.c.requests).where(hour))
            )

    before = reserved()
    with bill_client(warehouse, seal, integration) as client:
        client.page("/v3/vendors")
        assert reserved() > before + 1
    assert reserved() == before + 1
    warehouse.close()


def test_clients_of_one_integration_share_its_session(desk: Desk) -> None:
    desk.connect("acme")
    warehouse = environment.open_database()
    seal, integration = environment.seal_for(warehouse), desk.stored("acme")

    logins = []
    for _ in range(2):
        with bill_client(warehouse, seal, integration) as client:
            client.page("/v3/vendors")
            logins.append(client.stats.logins)
    warehouse.close()

    assert logins == [0, 0]
