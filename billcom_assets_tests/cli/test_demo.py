from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from billcom_assets.cli.demo_bill import BILLS, DemoCompany
from billcom_assets.cli.ui_address import served_at
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database
from billcom_assets.sandbox import Settings, World
from billcom_assets.status.integrations import one_integration
from billcom_assets_tests import readme
from billcom_assets_tests.cli.commands import Answered, billcom_command
from billcom_assets_tests.sync.truth import objects


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests here: the demo is made once."""
    path = tmp_path_factory.mktemp("demo") / readme.HOME
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("BILLCOM_DATABASE_URL", "BILLCOM_SECRET_KEY", "BILLCOM_DAGSTER_DATABASE_URL"):
            patch.delenv(variable, raising=False)
        patch.setenv("DAGSTER_HOME", str(path))
        yield path


def demo(*options: str) -> Answered:
    return billcom_command("demo", *options)


def test_the_demo_shows_everything_then_that_nothing_is_new_then_what_has_changed(home: Path) -> None:
    first = demo()
    second = demo("--json")
    status = billcom_command("status", "--json").document

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert readme.comparable(readme.excerpt(first.out, home.parent)) == readme.comparable(readme.demo_block()), (
        readme.STALE
    )
    organization = World(DemoCompany.of_size(BILLS).settings).organization()
    document = second.document
    truth = {entity.name: objects(organization, entity) for entity in CATALOG}
    assert {one["entity"]: one["rows"] for one in document["entities"]} == {
        name: len(found) for name, found in truth.items()
    }
    total = next(line for line in first.out.splitlines() if line.startswith("total")).split()
    only_named = sum("namedBy" in doc for found in truth.values() for doc in found)
    assert (total[1], total[3]) == (f"{document['rows']:,}", f"{document['rows'] - only_named:,}")
    assert sum(one["written"] for one in document["entities"]) == 0
    assert document["requests"] > len(CATALOG)
    assert document["database"] == str(home / "billcom.db")
    mapped = {one["kind"]: one["mapped"] for one in document["mappings"]}
    assert min(mapped[kind] for kind in ("accounts", "vendors", "customers", "departments", "employees")) > 0
    assert [(one["key"], one["status"]) for one in status["integrations"]] == [("demo", "connected")]

    again = demo("--again", "--json")

    assert again.code == 0, again.err
    assert [one["what"] for one in again.document["changes"]] == ["edit a bill", "void a payment", "archive a vendor"]
    updated = {one["entity"]: one["updated"] for one in again.document["entities"]}
    assert min(updated[entity] for entity in ("bills", "vendor_payments", "vendors")) >= 1
    assert sum(one["inserted"] for one in again.document["entities"]) == 0


@pytest.fixture
def dev(home: Path) -> Iterator[subprocess.Popen[str]]:
    """What ``make dev`` runs, answering."""
    options = ("demo", "--ui", "--port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "billcom_assets.cli", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        assert command.stderr is not None
        while "Ctrl-C ends it" not in command.stderr.readline():
            assert command.poll() is None
        yield command
        command.kill()


def test_beside_the_ui_everybody_sees_the_same_simulated_bill(home: Path, dev: subprocess.Popen[str]) -> None:
    again = demo("--again", "--json")
    warehouse = open_database()
    with warehouse.read() as connection:
        bill = one_integration(connection, "demo").base_url
    warehouse.close()
    vendors = requests.get(f"{bill}/../_sandbox/truth", {"path": "vendors"}, timeout=10).json()
    url = served_at()
    refused = [demo("--ui"), demo("--serve-only")]
    assert url is not None
    page = requests.get(url, timeout=10)
    os.killpg(dev.pid, signal.SIGINT)
    _, err = dev.communicate(timeout=60)

    assert again.code == 0, again.err
    changed = {one["what"]: one["id"] for one in again.document["changes"]}
    assert [one["archived"] for one in vendors if one["id"] == changed["archive a vendor"]] == [True]
    assert [one.code for one in refused] == [2, 2]
    assert f"served already: {url}" in refused[0].err
    assert f"runs already, at {bill}" in refused[1].err
    assert (page.ok, dev.returncode, "Traceback" in err) == (True, 0, False), err
    assert err.rstrip().endswith("Stopped.")


def test_two_at_once_would_take_the_simulated_bill_from_each_other(home: Path) -> None:
    warehouse = open_database()
    with warehouse.exclusive("the demo"):
        second = demo()
    warehouse.close()
    assert second.code == 1
    assert "busy with the demo" in second.err


def test_the_second_act_needs_the_first(empty_home: Path) -> None:
    assert demo("--again").code == 2


def test_its_organization_is_not_that_of_the_sandbox() -> None:
    sandbox = {one.id for one in World(Settings(orgs=2)).organizations}
    assert {DemoCompany.of_size(bills).settings.seed for bills in (BILLS, 30)} == {1_600, 1_030}
    assert World(DemoCompany.of_size(BILLS).settings).organization().id not in sandbox


@pytest.mark.parametrize("bills", [19, 0])
def test_a_company_too_small_to_show_anything_is_refused(empty_home: Path, bills: int) -> None:
    assert billcom_command("demo", "--bills", str(bills)).code == 2
    assert not empty_home.exists()
