"""``billcom align`` and the asset on the simulated BILL: every difference is planned, nothing is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import insert

from billcom_assets.alignment.plans import load_plan
from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.environment import open_database
from billcom_assets.job_runner import launch, open_instance
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.sandbox.kinds import ACCOUNTS
from billcom_assets.warehouse.tables import sync_state
from billcom_assets_tests.alignment.company import HOSTILE, write_accounts, write_by_hand
from billcom_assets_tests.cli.commands import DEV_KEY, Answered, Desk
from billcom_assets_tests.small_company import NOW

READINGS = ({}, {"parent_visible": False}, {"duplicate_accounts": False})
SECRET_KEY = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="
KEY = "acme-us"


@pytest.fixture
def reading() -> dict[str, bool]:
    """How BILL may be read, beside what is usual."""
    return {}


@pytest.fixture
def bill(reading: dict[str, bool]) -> Iterator[SandboxServer]:
    """A simulated BILL of the test's own, which it may change."""
    settings = Settings(bills=40, orgs=1, dev_keys=(DEV_KEY,), logins_per_hour=10_000, **reading)
    with SandboxServer(settings) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, database_url: str, bill: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A company whose charts have drifted apart, synced, on SQLite and on PostgreSQL."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.delenv("BILLCOM_DAGSTER_DATABASE_URL", raising=False)
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
    desk = Desk(home, bill)
    assert desk.connect(KEY, v2_base_url=bill.v2_base_url).code == 0
    accounts = write_accounts(bill.world.organizations[0], tmp_path / "chart.csv")
    # What the setup lacks is what follows.
    assert desk.run("seed", KEY).code in {0, 3}
    lists = write_ledger(bill.world.organizations[0], tmp_path) | {"accounts": accounts}
    imported = desk.run(
        "ledger", "import", KEY, *(word for kind, path in lists.items() for word in (f"--{kind}", path))
    )
    assert imported.code == 0, imported.everything
    return desk


def nothing_uses_accounts(*entities: str) -> None:
    """As after a sync of a company without documents."""
    warehouse = open_database()
    with warehouse.write() as connection:
        for entity in entities:
            row = {"integration": KEY, "entity": entity, "first_pulled_at": NOW, "synced_at": NOW}
            connection.execute(insert(sync_state).values(row))
    warehouse.close()


def align(desk: Desk, *words: str) -> Answered:
    return desk.run("align", KEY, *words)


def done(found: dict[str, Any]) -> set[tuple[str, str]]:
    """Actions and the names of the accounts."""
    return {(one["action"], (one["after"] or one["before"])["name"]) for one in found["changes"]}


def accounts_in_bill(bill: SandboxServer) -> list[tuple[str, str]]:
    return [(row.id, str(row.doc())) for row in bill.world.organizations[0].table(ACCOUNTS)]


@pytest.mark.parametrize("reading", READINGS, ids=["usual", "hidden parents", "duplicates refused"])
def test_what_differs_is_planned_and_once_done_by_hand_nothing_is_left(desk: Desk, bill: SandboxServer) -> None:
    nothing_uses_accounts("bills", "recurring_bills")
    before = accounts_in_bill(bill)

    planned = align(desk, "plan", "--json")

    assert planned.code == 0, planned.everything
    changes = done(planned.document)
    # The namesake that the simulated BILL begins with where it takes duplicates.
    assert changes - {("archive", "Travel")} == {
        ("create", "Cars"),
        ("create", "Fuel"),
        ("update", "Utilities and power"),
        ("update", "Consultants"),
        ("archive", "Security Deposits"),
        ("archive", HOSTILE),
    }
    assert planned.document["next_step"] == "billcom align acme-us approve 1"
    approved = align(desk, "approve", "--as", "Ada", "--json")
    assert approved.document["status"] == "approved", approved.everything
    assert approved.document["next_step"] == "billcom align acme-us apply 1"
    assert accounts_in_bill(bill) == before

    warehouse = open_database()
    with warehouse.read() as connection:
        plan = load_plan(connection, KEY, 1)
    warehouse.close()
    assert write_by_hand(bill.world.organizations[0], plan) == len(plan.changes)
    assert desk.run("seed", KEY).code in {0, 3}

    again = align(desk, "plan", "--json")
    assert (again.code, again.document["changes"]) == (0, []), again.out
    assert "nothing differs" in align(desk, "plan").out


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_bookkeeper_sees_what_why_before_and_after(desk: Desk) -> None:
    nothing_uses_accounts("bills", "recurring_bills")
    out = align(desk, "plan").out
    for line in (
        "Plan 1 of acme-us, proposed, made ",
        "2 to create, 2 to update, 3 to archive.",
        "UPDATE  6300 Utilities and power",
        "Why:   Its name differs from the ledger's; it is the same account: the same number and type.",
        "Name: Utilities -> Utilities and power",
        "Parent: 6000 Operating Expenses -> 6300 Utilities and power",
        "Risk:  another account of BILL's stands for the same account of the ledger: 6700 Travel",
        "Needs: change ",
        "Next: billcom align acme-us approve 1",
    ):
        assert line in out, out
    # A name that steers a terminal or a spreadsheet is text.
    assert "\x1b" not in out
    assert align(desk, "show").out == out
    assert "Nothing has changed since this plan was made." in align(desk, "plan").out


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_without_documents_nobody_archives_and_single_changes_are_approved(desk: Desk) -> None:
    document = align(desk, "plan", "--json").document
    conflicts = [one for one in document["changes"] if one["action"] == "conflict"]
    assert {one["risks"][0]["code"] for one in conflicts} == {"uses_unknown"}
    assert "Do:    Fetch them with billcom sync acme-us, then plan again; what is left out" in align(desk, "show").out
    position = {one["after"]["name"]: one["position"] for one in document["changes"] if one["after"]}

    refused = align(desk, "approve", "--change", str(position["Fuel"]))
    assert refused.code == 2
    assert f"its parent is created by change {position['Cars']}" in refused.err

    assert align(desk, "approve", "1", "--change", str(position["Cars"])).code == 0
    rejected = align(desk, "reject", "1", "--change", str(position["Fuel"]), "--as", "Ada", "--json").document
    assert (rejected["approved"], rejected["rejected"]) == ([position["Cars"]], [position["Fuel"]])
    assert "1 approved, 1 rejected" in align(desk, "reject", "--change", str(position["Fuel"])).out
    history = align(desk, "history", "--json").document
    assert [(one["plan"], one["status"]) for one in history["plans"]] == [(1, "approved")]
    out = align(desk, "history").out
    assert "Plan 1, approved" in out
    assert ("1 change approved" in out, "1 change rejected" in out) == (True, True)
    entries = desk.run("audit", KEY, "--json").document["entries"]
    assert [one["what"] for one in entries][-4:] == [
        *("alignment planned", "alignment approved", "alignment rejected", "alignment rejected"),
    ]
    assert entries[-2]["as_name"] == "Ada"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_wrong_use_is_refused_in_words_with_the_next_command(desk: Desk) -> None:
    refusals = {
        ("show",): "has no plan yet. Make one with: billcom align acme-us plan",
        ("approve", "4"): "has no plan 4. There is none yet.",
        ("plan", "--items"): "Items are never written to BILL",
        ("plan", "--max-changes", "0"): "0 is not in the range",
    }
    for words, says in refusals.items():
        answered = align(desk, *words)
        assert (answered.code, says in answered.err) == (2, True), answered.everything
    unknown = desk.run("align", "nobody", "plan", "--json")
    assert (unknown.code, unknown.document["ok"]) == (2, False)
    align(desk, "plan", "--max-changes", "1")
    too_many = align(desk, "approve")
    assert "one approval covers 1." in too_many.err
    assert align(desk, "approve", "--max-changes", "50").code == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_settings_are_set_with_connect_and_obeyed(desk: Desk) -> None:
    assert "second approver is yes now, was no" in desk.run("connect", KEY, "--second-approver").out
    align(desk, "plan", "--as", "Ada")
    assert "was made by Ada" in align(desk, "approve", "--as", "Ada").err
    assert align(desk, "approve", "--as", "Bob").code == 0
    desk.run("connect", KEY, "--alignment", "off")
    refused = align(desk, "plan")
    assert (refused.code, "billcom connect acme-us --alignment plan" in refused.err) == (2, True)
    assert desk.run("connect", KEY, "--alignment", "apply", "--no-second-approver").code == 0
    assert desk.stored(KEY).alignment == "apply"
    assert not desk.stored(KEY).second_approver


def test_what_the_ledger_adopts_of_bill_can_be_imported_and_then_agrees(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("connect", KEY, "--source-of-truth", "bill").code == 0
    assert "billcom align acme-us adopt" in align(desk, "plan").err

    cells = list(csv.DictReader(io.StringIO(align(desk, "adopt").out)))

    found = {one["Name"]: one["Change"] for one in cells}
    assert found["'=cmd|' /C calc'!A0 [31m<script>alert(1)</script>"] == "new"
    assert found["Utilities"] == "changed: name"
    assert found["Consultants"] == "changed: parent"
    assert found["Security Deposits"] == "changed: active"
    assert "Cars" not in found
    path = tmp_path / "adopted.csv"
    written = align(desk, "adopt", "--all", "--output", str(path))
    assert written.code == 0, written.everything
    imported = desk.run("ledger", "import", KEY, "--accounts", str(path), "--allow-removals")
    assert imported.code == 0, imported.everything
    assert align(desk, "adopt", "--json").document["accounts"] == 0


def shown(instance: dg.DagsterInstance) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(dg.AssetKey("account_alignment"))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: one.value for name, one in event.asset_materialization.metadata.items()}


def verdict(instance: dg.DagsterInstance) -> Any:
    key = dg.AssetCheckKey(dg.AssetKey("account_alignment"), "chart_of_accounts_aligned")
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert records[0].event is not None
    return records[0].event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]


def test_every_sync_plans_and_a_check_says_what_is_open(desk: Desk, bill: SandboxServer) -> None:
    assert desk.run("mappings", "suggest", KEY, "--accept", "exact").code == 0
    before = accounts_in_bill(bill)
    assert launch("full_sync", KEY).success
    with open_instance() as instance:
        first, said = shown(instance), verdict(instance)
    assert (first["to_create"], first["to_update"], first["plan_number"], first["plan_status"]) == (2, 2, 1, "proposed")
    assert first["conflicts"] >= 1
    rows = [record.data for record in first["plan"].records]
    assert {row["account"] for row in rows} >= {"8500 Cars", "8510 Fuel", "6300 Utilities and power"}
    assert (said.passed, said.severity, said.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert said.description.endswith("billcom align acme-us show")
    launch("full_sync", KEY)
    with open_instance() as instance:
        assert shown(instance)["plan_number"] in {1, 2}
    assert accounts_in_bill(bill) == before

    desk.run("connect", KEY, "--alignment", "off")
    launch("full_sync", KEY)
    with open_instance() as instance:
        assert shown(instance)["note"].startswith("The charts of accounts of acme-us are not compared")
        assert verdict(instance).passed
