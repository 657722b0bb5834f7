from __future__ import annotations

from pathlib import Path

import pytest

from billcom_assets.cli.demo_bill import DemoCompany
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import Settings, World
from billcom_assets_tests.cli.commands import billcom_command
from billcom_assets_tests.sync.truth import objects

BILLS = 30


def test_the_demo_shows_everything_then_that_nothing_is_new_then_what_has_changed(
    empty_home: Path,
) -> None:
    first = billcom_command("demo", "--bills", str(BILLS), "--json")
    second = billcom_command("demo", "--bills", str(BILLS))
    status = billcom_command("status", "--json").document

    assert (first.code, second.code) == (0, 0), first.err + second.err
    organization = World(Settings(bills=BILLS, orgs=1, seed=1_000 + BILLS)).organization()
    document = first.document
    truth = {entity.name: objects(organization, entity) for entity in CATALOG}
    assert {one["entity"]: one["rows"] for one in document["entities"]} == {
        name: len(found) for name, found in truth.items()
    }
    only_named = sum("namedBy" in doc for found in truth.values() for doc in found)
    assert document["rows"] == sum(one["written"] for one in document["entities"]) + only_named
    assert document["requests"] > len(CATALOG)
    assert len(document["runs"]) == 2
    assert document["database"] == str(empty_home / "billcom.db")
    mapped = {one["kind"]: one["mapped"] for one in document["mappings"]}
    assert min(mapped[kind] for kind in ("accounts", "vendors", "customers", "departments", "employees")) > 0
    total = next(line for line in second.out.splitlines() if line.strip().startswith("total")).split()
    assert (total[1], total[3]) == (f"{document['rows']:,}", "0")
    assert "make dev" in second.out or "billcom ui" in second.out
    assert f"billcom status demo-{BILLS}" in second.out
    assert [(one["key"], one["status"]) for one in status["integrations"]] == [(f"demo-{BILLS}", "connected")]

    again = billcom_command("demo", "--bills", str(BILLS), "--again", "--json")

    assert again.code == 0, again.err
    assert [one["what"] for one in again.document["changes"]] == ["edit a bill", "void a payment", "archive a vendor"]
    updated = {one["entity"]: one["updated"] for one in again.document["entities"]}
    assert min(updated[entity] for entity in ("bills", "vendor_payments", "vendors")) >= 1
    assert sum(one["inserted"] for one in again.document["entities"]) == 0


def test_the_second_act_needs_the_first(empty_home: Path) -> None:
    assert billcom_command("demo", "--bills", str(BILLS), "--again").code == 2


def test_its_organization_is_not_that_of_the_sandbox() -> None:
    sandbox = {one.id for one in World(Settings(orgs=2)).organizations}
    assert {DemoCompany.of_size(bills).settings.seed for bills in (600, BILLS)} == {1_600, 1_000 + BILLS}
    assert World(DemoCompany.of_size(600).settings).organization().id not in sandbox


@pytest.mark.parametrize("bills", [19, 0])
def test_a_company_too_small_to_show_anything_is_refused(empty_home: Path, bills: int) -> None:
    assert billcom_command("demo", "--bills", str(bills)).code == 2
    assert not empty_home.exists()
