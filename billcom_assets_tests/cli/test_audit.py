"""Who decided what, as the commands record and show it."""

from __future__ import annotations

import csv
import hashlib
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from billcom_assets.environment import open_database
from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.ledger_tables import mappings
from billcom_assets_tests.cli.commands import Answered, Desk
from billcom_assets_tests.small_company import Books

ME = pwd.getpwuid(os.getuid()).pw_name
SECRET_KEY = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="


@pytest.fixture
def desk(opened_home: Path, database_url: str, simulated_bill: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A machine with an empty database, on SQLite and on PostgreSQL."""
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
    for variable in ("LOGNAME", "USER"):
        monkeypatch.setenv(variable, "somebody-else")
    return Desk(opened_home, simulated_bill)


def log(desk: Desk, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.run("audit", *more, "--json").document["entries"]
    return found


def told(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["what"], entry["subject"], entry["before"], entry["after"]


def vendors(desk: Desk, *names: str) -> None:
    """BILL's vendors, as if they had been pulled."""
    warehouse = open_database()
    with warehouse.write() as connection:
        books = Books(connection, "acme")
        for number, name in enumerate(names):
            books.vendor(f"009{number}", name, email=f"ap@vendor{number}.example")
    warehouse.close()


def broken_by(statement: str, desk: Desk) -> Answered:
    warehouse = open_database()
    with warehouse.write() as connection:
        if warehouse.is_postgresql:
            connection.execute(text("ALTER TABLE billcom.audit_log DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER audit_log_delete"))
        connection.execute(text(statement.replace("audit_log", warehouse.qualified("audit_log"))))
    warehouse.close()
    return desk.run("audit", "--verify")


def test_connecting_is_recorded_with_its_settings_and_the_systems_user(desk: Desk) -> None:
    desk.connect("acme", "--cutoff", "2024-02-29", "--as", "Ada Lovelace")

    (entry,) = log(desk, "acme")
    assert (entry["user_id"], entry["user_name"], entry["as_name"]) == (os.getuid(), ME, "Ada Lovelace")
    assert (entry["integration"], entry["how"], entry["what"]) == ("acme", "command", "integration connected")
    assert entry["after"]["cutoff"] == "2024-02-29"
    assert entry["after"]["base_url"] == desk.bill.base_url
    assert entry["after"]["credentials"] == {"username": "stored", "password": "stored", "dev_key": "stored"}


def test_each_changed_setting_is_recorded_with_what_it_was_and_credentials_without_their_values(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect("acme", "--cutoff", "2024-02-29")
    monkeypatch.setenv("TOKEN_VALUE", desk.bill.world.organizations[0].token.password)

    desk.connect("acme", "--cutoff", "2025-01-01", "--time-zone", "Europe/Berlin", password="env:TOKEN_VALUE")

    assert [told(entry) for entry in log(desk, "acme")][1:] == [
        ("setting changed", "cutoff", "2024-02-29", "2025-01-01"),
        ("setting changed", "time_zone", "UTC", "Europe/Berlin"),
        (
            "credentials replaced",
            "credentials",
            None,
            {"username": "stored", "password": "env:TOKEN_VALUE", "dev_key": "stored"},
        ),
    ]
    everything = str(log(desk)) + desk.run("audit").everything
    token = desk.bill.world.organizations[0].token
    assert token.password not in everything
    assert token.username not in everything


def test_what_is_refused_is_not_recorded(desk: Desk) -> None:
    desk.connect("acme", "--time-zone", "Mars/Olympus")
    assert log(desk) == []


def test_each_accepted_mapping_is_an_entry(desk: Desk, tmp_path: Path) -> None:
    desk.connect("acme")
    vendors(desk, "Acme Supplies", "Northwind")
    file = tmp_path / "vendors.csv"
    file.write_text("Number,Name,Email\nV1,Acme Supplies,ap@vendor0.example\nV2,Northwind,ap@vendor1.example\n")

    desk.run("ledger", "import", "acme", "--vendors", str(file), "--as", "Grace")
    desk.run("mappings", "suggest", "acme", "--accept", "exact", "--as", "Grace")

    imported, *decided = log(desk, "acme")[1:]
    assert (imported["what"], imported["how"], imported["subject"]) == ("ledger imported", "import", "vendors")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert imported["after"]["files"] == {"vendors": {"name": "vendors.csv", "sha256": digest}}
    assert imported["after"]["tables"][0]["inserted"] == 2
    assert [told(entry) for entry in decided] == [
        (
            "mapping decided",
            f"vendors 009{number}",
            None,
            {"ledger_id": ledger, "method": "exact", "state": "mapped"},
        )
        for number, ledger in ((0, "V1"), (1, "V2"))
    ]
    warehouse = open_database()
    with warehouse.read() as connection:
        assert set(connection.scalars(select(mappings.c.decided_by))) == {f"Grace ({ME})"}
    warehouse.close()


def test_a_decision_that_is_overwritten_stays_evident(desk: Desk, tmp_path: Path) -> None:
    desk.connect("acme")
    vendors(desk, "Acme Supplies")
    ledger, decisions = tmp_path / "vendors.csv", tmp_path / "mappings.csv"
    ledger.write_text("Number,Name,Email\nV1,Acme Supplies,ap@vendor0.example\nV2,Northwind,ap@vendor1.example\n")
    desk.run("ledger", "import", "acme", "--vendors", str(ledger))
    desk.run("mappings", "suggest", "acme", "--accept", "exact", "--as", "Grace")
    desk.run("mappings", "export", "acme", "--output", str(decisions))
    with decisions.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    decisions.write_text(f"kind,bill_id,ledger_id\nvendors,{row['bill_id']},V2\n")

    desk.run("mappings", "import", "acme", str(decisions), "--as", "Eve")

    file, decided = log(desk, "acme")[-2:]
    assert (file["what"], file["after"]["file"]["name"], file["after"]["mapped"]) == (
        *("mappings imported", "mappings.csv"),
        1,
    )
    assert (decided["as_name"], decided["how"], decided["subject"]) == ("Eve", "import", "vendors 0090")
    assert decided["before"].pop("decided_at")
    assert decided["before"] == {
        "ledger_id": "V1",
        "method": "exact",
        "state": "mapped",
        "decided_by": f"Grace ({ME})",
    }
    assert decided["after"] == {"ledger_id": "V2", "method": "manual", "state": "mapped"}


def test_confirmed_deletions_are_recorded_before_the_run(desk: Desk) -> None:
    desk.connect("acme")
    desk.run("sync", "acme", "--full-refresh", "--confirm-deletions", "--only", "roles", "--as", "Ada")
    entry = log(desk, "acme")[-1]
    assert (entry["what"], entry["subject"], entry["as_name"]) == ("deletions confirmed", "roles", "Ada")


def test_the_log_is_shown_newest_last_and_bounded(desk: Desk) -> None:
    desk.connect("acme")
    desk.connect("beta", number=1)
    desk.connect("acme", "--cutoff", "2025-01-01", "--as", "A\x1b[31mda\nLovelace")

    answered = desk.run("audit", "acme", "--limit", "2")

    assert answered.code == 0
    header, *rows, rest = answered.out.splitlines()
    assert header.split()[:3] == ["No.", "When", "(UTC)"]
    numbered = [row for row in rows if row.strip()[:1].isdigit()]
    assert all(what in row for what, row in zip(("setting changed", "credentials replaced"), numbered, strict=True))
    assert answered.out.count("Lovelace") == 2
    assert "dev_key:" in answered.out
    assert "\x1b" not in answered.out
    assert rest == "The last 2 of 3 entries; --limit 3 shows all."
    assert [entry["integration"] for entry in log(desk)] == ["acme", "beta", "acme", "acme"]


def test_an_unknown_integration_is_told(desk: Desk) -> None:
    answered = desk.run("audit", "nobody")
    assert (answered.code, "There is no integration 'nobody'" in answered.err) == (2, True)


def test_verifying_says_what_stands_for_the_whole_log(desk: Desk) -> None:
    desk.connect("acme")
    answered, document = desk.run("audit", "--verify"), desk.run("audit", "acme", "--verify", "--json").document
    assert answered.code == 0
    assert (document["verified"], document["entries"]) == (True, 1)
    assert document["head"] == log(desk)[-1]["hash"]
    assert document["head"] in answered.out


def test_verifying_a_log_with_a_removed_entry_fails_and_names_it(desk: Desk) -> None:
    desk.connect("acme")
    desk.connect("acme", "--cutoff", "2025-01-01")

    answered = broken_by("DELETE FROM audit_log WHERE id = 2", desk)

    assert answered.code == 1
    assert "The audit log is not as it was written. Entry 2: it is missing" in answered.err
    document = desk.run("audit", "--verify", "--json").document
    assert (document["verified"], document["broken"]["id"], document["error"]["exit_code"]) == (False, 2, 1)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_empty_name_is_refused(desk: Desk) -> None:
    answered = desk.connect("acme", "--as", " \n ")
    assert (answered.code, "a name is missing" in answered.err) == (2, True)
