from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.environment import open_database
from billcom_assets.setup.prerequisites import PREREQUISITES
from billcom_assets.status.errors import held_documents
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.tables import integration_errors, sync_state
from billcom_assets_tests.cli.commands import Desk, billcom_command

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def warehouse(desk: Desk) -> Warehouse:
    return open_database()


def error(warehouse: Warehouse, entity: str, record_id: str, code: str, status: str = "open") -> None:
    row = {
        "integration": "acme",
        "entity": entity,
        "record_id": record_id,
        "code": code,
        "message": "what happened",
        "next_step": f"fix {code}",
        "status": status,
        "first_seen_at": NOON,
        "last_seen_at": NOON,
    }
    with warehouse.write() as connection:
        connection.execute(insert(integration_errors).values(row))


def ledger_document(warehouse: Warehouse, kind: str, id_: str, state: str) -> None:
    row = {"integration": "acme", "kind": kind, "id": id_, "state": state, "payload_digest": ""}
    with warehouse.write() as connection:
        connection.execute(insert(ledger_documents).values(**row, first_seen_at=NOON, changed_at=NOON))


def test_with_nothing_there_yet_status_says_what_to_do_first(empty_home: Path) -> None:
    answered = billcom_command("status")

    assert answered.code == 2
    assert f"There is no database {empty_home}/billcom.db: DAGSTER_HOME names its folder." in answered.err
    assert "To make a new one here: billcom connect KEY or billcom demo" in answered.err
    assert billcom_command("status", "--json").document["next_steps"] == ["billcom connect KEY", "billcom demo"]


@pytest.mark.parametrize("command", ["status", "audit", "sync acme", "mappings show acme", "sync"])
def test_a_command_in_a_wrong_folder_makes_nothing_there(
    tmp_path: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.chdir(tmp_path)
    assert billcom_command(*command.split()).code == 2
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_says_what_to_do_first(desk: Desk) -> None:
    answered = desk.run("status")
    assert (answered.code, "There is no integration yet" in answered.out) == (0, True)
    assert "billcom connect KEY" in answered.out


def test_without_a_key_every_integration_has_a_line(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect("acme")
    desk.connect("beta", number=1, password="wrong")
    error(warehouse, "bills", "00n1", "unreadable")
    error(warehouse, "bills", "00n2", "unreadable", status="ignored")

    out = desk.run("status").out
    acme, beta = (next(line for line in out.splitlines() if key in line) for key in ("acme", "beta"))
    assert acme.split() == ["acme", "Company", "of", "acme", "connected", "never", "0", "1"]
    assert beta.split() == ["beta", "Company", "of", "beta", "error", "never", "0", "0"]
    found = {one["key"]: one for one in desk.run("status", "--json").document["integrations"]}
    assert (found["acme"]["status"], found["acme"]["open_errors"], found["acme"]["last_sync"]) == ("connected", 1, None)
    assert "BDC_1101" in found["beta"]["status_message"]


def test_with_a_key_each_open_prerequisite_comes_with_its_fix(desk: Desk) -> None:
    desk.connect("acme")

    answered = desk.run("status", "acme")

    assert answered.code == 0
    assert "Setup is not completed." in answered.out
    lines = answered.out.splitlines()
    assert [line for line in lines if line.startswith("  done ")] == [
        "  done     Company: attached to a company: Company of acme",
        "  done     Authentication: BILL accepted the login",
    ]
    missing = [position for position, line in enumerate(lines) if line.startswith("  MISSING")]
    assert len(missing) == len(PREREQUISITES) - 2
    assert all(lines[position + 1].strip().startswith("billcom ") for position in missing)
    assert answered.out.rstrip().endswith("Next: billcom seed acme")


def test_a_list_whose_time_filter_bill_refuses_is_named(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect("acme")
    assert "time filter" not in desk.run("status", "acme").out
    row = {"integration": "acme", "entity": "vendor_credits", "time_filter_refused": True, "synced_at": NOON}
    with warehouse.write() as connection:
        connection.execute(insert(sync_state).values(row))

    assert "BILL refuses the time filter of vendor credits: every sync reads" in desk.run("status", "acme").out
    entities = desk.run("status", "acme", "--json").document["entities"]
    assert [one["entity"] for one in entities if one["time_filter_refused"]] == ["vendor_credits"]


def test_the_json_document_of_one_integration_has_everything(desk: Desk) -> None:
    desk.connect("acme", "--cutoff", "2024-01-01")

    document = desk.run("status", "acme", "--json").document

    assert (document["ok"], document["ready"], document["next_step"]) == (True, False, "billcom seed acme")
    assert document["integration"]["cutoff"] == "2024-01-01"
    assert [one["prerequisite"] for one in document["prerequisites"]] == [one.name for one in PREREQUISITES]
    assert {one["kind"] for one in document["mappings"]} >= {"vendors", "accounts", "funding_accounts", "employees"}
    assert document["entities"][0] == {
        "entity": "vendors",
        "rows": 0,
        "deleted": 0,
        "watermark": None,
        "synced_at": None,
        "up_to_date_at": None,
        "is_permitted": True,
        "is_excluded": False,
        "time_filter_refused": False,
    }
    assert (len(document["entities"]), document["runs"], document["held_documents"]) == (len(CATALOG), [], 0)


def test_held_are_the_documents_that_posting_holds_however_many_errors_they_have(
    desk: Desk, warehouse: Warehouse
) -> None:
    desk.connect("acme")
    error(warehouse, "bills", "00n1", "VENDOR_UNMAPPED")
    error(warehouse, "bills", "00n1", "ACCOUNT_UNMAPPED")
    error(warehouse, "vendor_payments", "stp1", "VENDOR_UNMAPPED", status="ignored")
    error(warehouse, "bills", "00n2", "unreadable")
    error(warehouse, "vendors", "0091", "unreadable")
    with warehouse.read() as connection:
        assert held_documents(connection, "acme") == 0
    for kind, id_, state in (
        ("bills", "00n1", "held"),
        ("vendor_payments", "stp1", "held"),
        ("bills", "3", "imported"),
    ):
        ledger_document(warehouse, kind, id_, state)

    with warehouse.read() as connection:
        assert held_documents(connection, "acme") == held_documents(connection) == 2
        assert held_documents(connection, "beta") == 0
    out = desk.run("status", "acme").out
    assert "4 open integration errors; 2 documents are held. See: billcom errors acme" in out
    assert any(line.split() == ["bills", "ACCOUNT_UNMAPPED", "1"] for line in out.splitlines())
    assert "What the open errors are: billcom errors KEY" in desk.run("status").out


def test_a_document_that_was_set_aside_is_no_open_error_and_still_held(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect("acme")
    assert "No open integration errors; no document is held." in desk.run("status", "acme").out
    error(warehouse, "bills", "00n1", "VENDOR_UNMAPPED", status="ignored")
    ledger_document(warehouse, "bills", "00n1", "held")

    out = desk.run("status", "acme").out

    assert "No open integration errors; 1 document is held. See: billcom errors acme" in out
