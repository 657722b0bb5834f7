from __future__ import annotations

from pathlib import Path

import pytest

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import Settings, World
from billcom_assets_tests.cli.commands import billcom_command
from billcom_assets_tests.sync.truth import objects

BILLS = 30


def test_the_demo_shows_everything_and_a_second_one_finds_nothing_new(empty_home: Path) -> None:
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


@pytest.mark.parametrize("bills", [19, 0])
def test_a_company_too_small_to_show_anything_is_refused(empty_home: Path, bills: int) -> None:
    assert billcom_command("demo", "--bills", str(bills)).code == 2
    assert not empty_home.exists()
