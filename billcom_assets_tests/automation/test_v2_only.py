"""A company whose developer key v3 refuses is connected, set up and synced through v2, with the same commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets_tests.automation.companies import KEY, complete_setup
from billcom_assets_tests.automation.test_left_out import newest_run
from billcom_assets_tests.cli.commands import DEV_KEY, Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with SandboxServer(Settings(bills=40, orgs=1, dev_keys=(DEV_KEY,), v3_access=False)) as server:
        yield Desk(tmp_path / "home", server)


def rows(*tables: str) -> dict[str, int]:
    warehouse = open_database()
    with warehouse.read() as connection:
        found = {
            name: connection.scalar(select(func.count()).select_from(catalog_mirror().table(name))) or 0
            for name in tables
        }
    warehouse.close()
    return found


def test_a_key_that_v3_refuses_is_synced_through_v2(desk: Desk) -> None:
    refused = desk.connect(KEY)
    assert refused.code == 1
    assert "Developer key is invalid" in refused.err
    assert "billcom connect KEY --api v2" in refused.err

    connected = desk.connect(KEY, "--api", "v2", "--json")
    assert connected.code == 0, connected.err
    assert connected.document["api"] == "v2"
    assert connected.document["excluded_entities"] == ["credit_memos", "recurring_bills", "recurring_invoices", "roles"]
    assert desk.run("seed", KEY).code == 0
    warehouse = open_database()
    complete_setup(warehouse, desk.bill, desk.home / "ledger")
    warehouse.close()
    synced = desk.run("sync", KEY)
    assert synced.code == 0, synced.everything
    organization = desk.bill.world.organization()
    expected = {
        name: len(organization.rows(f"/v3/{name.replace('_', '-')}")) for name in ("vendors", "bills", "invoices")
    }
    assert rows(*expected) == expected
    assert {"bills", "vendor_payments", "receivable_payments", "ap_aging", "money_movements"} <= newest_run()[1]
    assert not [path for path in desk.bill.sandbox.stats.paths if "/v3/" in path and "login" not in path]

    assert "reads BILL's v2 API alone" in desk.run("status", KEY).out
    assert desk.run("connect", KEY, "--documents").code == 0
    assert desk.run("sync", KEY, "--only", "documents").code == 0
    kept = desk.run("documents", KEY, "--json").document["files"]
    assert {one["entity"] for one in kept} == {"bills", "vendor_credits"}
    assert {one["status"] for one in kept} == {"stored"}

    refused = desk.run("connect", KEY, "--with", "roles")
    assert refused.code != 0
    assert "v2 API has no list of roles" in refused.err


def test_going_back_to_v3_brings_back_what_v2_does_not_have(desk: Desk) -> None:
    desk.connect(KEY, "--api", "v2", "--without", "items")
    desk.bill.sandbox.change_settings(v3_access=True)
    assert "api is v3 now, was v2" in desk.run("connect", KEY, "--api", "v3").out
    validated = desk.run("validate", KEY, "--json")
    assert validated.document["excluded_entities"] == ["items"]
    assert desk.bill.sandbox.stats.paths["POST /v3/login"] >= 1


def test_an_oauth_client_cannot_read_v2_alone(desk: Desk) -> None:
    desk.bill.sandbox.change_settings(v3_access=True)
    organization = desk.bill.world.organization()
    client = ["--client-id", organization.client.id, "--client-secret", organization.client.secret]
    options = ["--company", "Acme", "--organization-id", organization.id, "--base-url", desk.bill.base_url]
    connected = desk.run("connect", KEY, *options, *client)
    assert connected.code == 0, connected.err
    refused = desk.run("connect", KEY, "--api", "v2")
    assert "takes no OAuth client" in refused.err
    assert "takes no OAuth client" in desk.run("connect", "other", *options, *client, "--api", "v2").err
