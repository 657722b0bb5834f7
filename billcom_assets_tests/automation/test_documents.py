"""Attached files come in at the end of a sync, where somebody wants them, and leave with the integration."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import select

from billcom_assets.automation.asking import ask
from billcom_assets.environment import document_files, open_database
from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.tables import documents
from billcom_assets_tests.automation.companies import KEY
from billcom_assets_tests.automation.test_left_out import newest_run
from billcom_assets_tests.cli.commands import billcom_command
from billcom_assets_tests.documents.truth import ENTITIES


def stored_files(home: Path) -> list[Path]:
    return sorted(path for path in (home / "documents" / KEY).rglob("*") if path.is_file())


def downloads(server: SandboxServer) -> int:
    return server.sandbox.stats.paths["GET /v3/download/{id}"]


def test_files_are_fetched_only_where_they_are_wanted(home: Path, server: SandboxServer) -> None:
    before = downloads(server)
    refused = billcom_command("sync", KEY, "--only", "documents")
    assert (refused.code, f"billcom connect {KEY} --documents" in refused.err) == (2, True)
    assert billcom_command("sync", KEY).code == 0
    assert (downloads(server), stored_files(home)) == (before, [])
    assert "documents" not in newest_run()[1]
    assert f"To have them: billcom connect {KEY} --documents" in billcom_command("documents", KEY).out
    assert "attached files" not in billcom_command("status", KEY).out

    assert "documents is yes now" in billcom_command("connect", KEY, "--documents").out
    answered = billcom_command("sync", KEY)
    assert answered.code == 0, answered.err
    run, materialized = newest_run()
    assert "documents" in materialized
    assert run.status is dg.DagsterRunStatus.SUCCESS
    shown = billcom_command("documents", KEY, "--json").document
    kept = [one for one in shown["files"] if one["status"] == "stored"]
    assert {one["entity"] for one in kept} == set(ENTITIES)
    assert sorted({one["place"] for one in kept}) == [str(path) for path in stored_files(home)]
    assert shown["summary"] == {
        "files_stored": len(kept),
        "files_waiting": 0,
        "files_failed": 0,
        "bytes_stored": sum(path.stat().st_size for path in stored_files(home)),
    }
    assert f"attached files: {len(kept)} kept, 0 wait, 0 could not be had" in billcom_command("status", KEY).out
    assert {path.stat().st_mode & 0o077 for path in stored_files(home)} == {0}


def test_one_bills_files_are_opened_by_the_machines_own_programs(
    home: Path, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    billcom_command("connect", KEY, "--documents")
    billcom_command("sync", KEY)
    files = billcom_command("documents", KEY, "--json").document["files"]
    bill = files[0]["record_id"]
    opened: list[str] = []
    monkeypatch.setattr("click.launch", lambda place, **_: opened.append(place) or 0)
    shown = billcom_command("documents", KEY, "--bill", bill, "--open")
    assert shown.code == 0
    assert opened == [one["place"] for one in files if one["record_id"] == bill]
    assert billcom_command("documents", KEY, "--open").code == 2
    assert "no file of" in billcom_command("documents", KEY, "--bill", "00nNOBODY", "--open").err
    for path in stored_files(home):
        path.unlink()
    assert "BILLCOM_DOCUMENTS_DIR" in billcom_command("documents", KEY, "--bill", bill, "--open").err


def test_a_folder_that_cannot_be_used_fails_the_run_and_nothing_else(
    home: Path, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    billcom_command("connect", KEY, "--documents")
    (home / "taken").write_text("a file")
    monkeypatch.setenv("BILLCOM_DOCUMENTS_DIR", str(home / "taken" / "files"))
    answered = billcom_command("sync", KEY)
    assert answered.code == 1
    assert "Failed: documents" in answered.err
    assert "BILLCOM_DOCUMENTS_DIR" in answered.err
    assert {"bills", "ap_aging", "money_movements"} <= newest_run()[1]
    monkeypatch.setenv("BILLCOM_DOCUMENTS_DIR", "nowhere://bucket/files?key=secret")
    answered = billcom_command("sync", KEY, "--only", "documents")
    assert answered.code == 1
    assert "secret" not in answered.everything
    monkeypatch.delenv("BILLCOM_DOCUMENTS_DIR")
    assert billcom_command("sync", KEY, "--only", "documents").code == 0
    assert stored_files(home)


def test_what_waits_is_a_reason_for_the_next_hours_run(home: Path, server: SandboxServer) -> None:
    billcom_command("connect", KEY, "--documents")
    billcom_command("sync", KEY)
    warehouse = open_database()
    assert not ask(warehouse, KEY, [], 10).has_news
    with warehouse.write() as connection:
        one = connection.scalar(select(documents.c.id).limit(1))
        values = {"status": "waiting", "sha256": None}
        connection.execute(documents.update().where(documents.c.id == one).values(values))
    assert ask(warehouse, KEY, [], 10).found == "files attached in BILL wait"
    warehouse.close()


def test_forgetting_deletes_the_files(home: Path, server: SandboxServer) -> None:
    billcom_command("connect", KEY, "--documents")
    billcom_command("sync", KEY)
    count = len(stored_files(home))
    document_files().put("somebody-else/ab/abc.txt", (home / "dagster.yaml").open("rb"), 1)
    forgotten = billcom_command("forget", KEY, "--yes", "--json")
    assert forgotten.document["files"] == count > 0
    assert stored_files(home) == []
    assert (home / "documents" / "somebody-else" / "ab" / "abc.txt").exists()
