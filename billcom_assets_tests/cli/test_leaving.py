"""Disconnecting keeps the data and no credential; forgetting keeps nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import Connection, MetaData, Table, func, insert, inspect, make_url, select
from sqlalchemy.types import Boolean, Date, DateTime, Integer, Numeric

from billcom_assets.environment import open_database, seal_for
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse import audit, leaving
from billcom_assets.warehouse.bill_access import SealedSessions
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import Busy
from billcom_assets.warehouse.tables import SCHEMA, bill_sessions, integrations
from billcom_assets_tests.cli.commands import DEV_KEY, Desk

SECRET_KEY = "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlLi4="
KEY, OTHER = "acme-leaves", "beta-stays"
PLANTED = "Perkins Plumbing of Penzance"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def desk(opened_home: Path, database_url: str, simulated_bill: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A machine with an empty database, on SQLite and on PostgreSQL."""
    monkeypatch.setenv("BILLCOM_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLCOM_SECRET_KEY", SECRET_KEY)
    return Desk(opened_home, simulated_bill)


@pytest.fixture
def warehouse(desk: Desk) -> Iterator[Warehouse]:
    opened = open_database()
    yield opened
    opened.close()


def tables(connection: Connection, warehouse: Warehouse) -> list[Table]:
    """Every table that the database really has."""
    found = MetaData()
    found.reflect(connection, schema=SCHEMA if warehouse.is_postgresql else None)
    return list(found.tables.values())


def rows_of(connection: Connection, warehouse: Warehouse, key: str) -> dict[str, int]:
    """Rows by table in whatever table has a column for the integration."""
    counted = {}
    for table in tables(connection, warehouse):
        for column in table.c:
            if column.name == "integration" or (table.name, column.name) == ("integrations", "key"):
                query = select(func.count()).select_from(table).where(column == key)
                counted[table.name] = connection.scalar(query) or 0
    return counted


def fill_every_table(connection: Connection, warehouse: Warehouse, key: str) -> None:
    """One row in each table that holds rows of integrations, the planted name in each free text."""
    checked = {
        "integration_errors": {"status": "open"},
        "documents": {"status": "stored"},
        "mapping_suggestions": {"certainty": "exact"},
        "mappings": {"state": "mapped", "method": "exact"},
        "posting_policies": {"origin": "decided"},
        "ledger_documents": {"state": "imported", "reason": None},
        "ledger_entries": {"type": "posting", "reversed_entry_id": None},
        "ledger_lines": {"role": "line"},
        "alignment_plans": {"status": "proposed"},
        "alignment_changes": {"action": "create", "status": "proposed"},
    }
    for number, table in enumerate(tables(connection, warehouse)):
        if "integration" not in table.c or table.name in {"audit_log", "bill_sessions"}:
            continue
        values = {column.name: made_up(column) for column in table.c}
        values |= {"integration": key, **checked.get(table.name, {})}
        if table.name == "sync_runs":
            values["id"] = key
        if table.name == "integration_errors":
            values["id"] = number * 100 + len(key)
        connection.execute(insert(table).values(values))


def made_up(column: Any) -> Any:
    if column.name in {"payload", "walk"} or "JSON" in str(column.type):
        return {"name": PLANTED} if "JSON" in str(column.type) else f'{{"name": "{PLANTED}"}}'
    kinds = ((Boolean, True), (Integer, 1), (Numeric, Decimal(1)), (DateTime, NOON), (Date, date(2026, 3, 2)))
    return next((value for kind, value in kinds if isinstance(column.type, kind)), PLANTED)


def files_with(folder: Path, text: str) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
    return sorted(str(path.relative_to(folder)) for path in found)


# Disconnecting --------------------------------------------------------------------------------------------------------


def test_disconnecting_ends_the_session_and_forgets_the_credentials(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect("acme", password=desk.bill.world.organizations[0].token.password)
    session = SealedSessions(warehouse, seal_for(warehouse), "acme").load()
    assert session is not None
    with warehouse.read() as connection:
        sealed = connection.scalar(select(integrations.c.credentials))

    answered = desk.run("disconnect", "acme", "--as", "Ada")

    assert answered.code == 0, answered.everything
    assert "acme is disconnected: its credentials were forgotten. Session at BILL: ended." in answered.out
    with warehouse.read() as connection:
        row = connection.execute(select(integrations)).one()
        assert (row.status, row.credentials) == ("disconnected", None)
        assert connection.scalar(select(func.count()).select_from(bill_sessions)) == 0
    assert desk.bill.sandbox.sessions.living(session.session_id) is None
    if not warehouse.is_postgresql:
        folder = Path(str(make_url(warehouse.engine.url).database)).parent
        assert files_with(folder, str(sealed)) == []
    entry = desk.run("audit", "acme", "--json").document["entries"][-1]
    assert (entry["what"], entry["as_name"], entry["before"]) == (
        *("integration disconnected", "Ada"),
        {"status": "connected"},
    )


def test_a_disconnected_integration_keeps_its_data_and_says_how_to_go_on(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect(KEY)
    with warehouse.write() as connection:
        fill_every_table(connection, warehouse, KEY)
        before = rows_of(connection, warehouse, KEY)

    desk.run("disconnect", KEY)

    with warehouse.read() as connection:
        kept = rows_of(connection, warehouse, KEY)
    assert kept | {"bill_sessions": 0, "audit_log": 0} == before | {"bill_sessions": 0, "audit_log": 0}
    status = desk.run("status", KEY)
    assert "disconnected, last tried" in status.out
    assert status.out.rstrip().endswith(f"Next: billcom connect {KEY}")
    for command in ("validate", "sync"):
        refused = desk.run(command, KEY)
        assert refused.code != 0
        assert f"billcom connect {KEY}" in refused.err
    assert desk.run("disconnect", KEY).code == 0

    again = desk.connect(KEY)

    assert again.code == 0, again.everything
    with warehouse.read() as connection:
        assert connection.scalar(select(integrations.c.status)) == "connected"
        assert rows_of(connection, warehouse, KEY)["vendors"] == 1


def test_disconnecting_does_not_wait_for_a_bill_that_is_down(desk: Desk) -> None:
    with SandboxServer(Settings(bills=0, orgs=1, dev_keys=(DEV_KEY,))) as server:
        assert Desk(desk.home, server).connect("acme").code == 0

    answered = desk.run("disconnect", "acme", "--json")

    assert answered.code == 0
    assert answered.document["session_at_bill"].startswith("could not be ended; BILL ends it")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_disconnecting_works_when_the_key_that_sealed_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.connect("acme")
    monkeypatch.setenv("BILLCOM_SECRET_KEY", "b3RoZXJlZW4gYnl0ZXMgYW5kIHNpeHRlZW4gbW9yZS4=")
    assert desk.run("disconnect", "acme").code == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_unknown_integration_can_neither_be_disconnected_nor_forgotten(desk: Desk) -> None:
    for command in (("disconnect", "nobody"), ("forget", "nobody", "--yes")):
        answered = desk.run(*command)
        assert (answered.code, "There is no integration 'nobody'" in answered.err) == (2, True)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", [("disconnect", "acme"), ("forget", "acme", "--yes")])
def test_nothing_is_left_while_a_run_goes_on(desk: Desk, warehouse: Warehouse, command: tuple[str, ...]) -> None:
    desk.connect("acme")
    with leaving.alone(warehouse, "acme"):
        answered = desk.run(*command)
    assert (answered.code, "busy with run of acme" in answered.err) == (1, True)
    with warehouse.read() as connection:
        assert connection.scalar(select(integrations.c.status)) == "connected"


def test_a_session_opened_meanwhile_is_not_kept(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect("acme")
    sessions = SealedSessions(warehouse, seal_for(warehouse), "acme")
    session = sessions.load()
    assert session is not None
    desk.run("disconnect", "acme")
    sessions.save(session)
    assert sessions.load() is None


# Forgetting -----------------------------------------------------------------------------------------------------------


def test_without_yes_forgetting_only_says_what_it_would_delete(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect(KEY)
    answered = desk.run("forget", KEY)
    assert answered.code == 2
    assert f"Nothing was deleted yet. This would delete everything of {KEY} for good: 2 rows" in answered.err
    assert f"To do it: billcom forget {KEY} --yes" in answered.err
    document = desk.run("forget", KEY, "--json").document
    assert document["would_delete"]["rows"] == {"bill_sessions": 1, "integrations": 1}
    with warehouse.read() as connection:
        assert connection.scalar(select(integrations.c.status)) == "connected"


def test_forgetting_leaves_no_row_in_any_table_and_nothing_of_another_is_touched(
    desk: Desk, warehouse: Warehouse
) -> None:
    desk.connect(KEY)
    desk.connect(OTHER, number=1)
    with warehouse.write() as connection:
        fill_every_table(connection, warehouse, KEY)
        fill_every_table(connection, warehouse, OTHER)
        everything, others = rows_of(connection, warehouse, KEY), rows_of(connection, warehouse, OTHER)
        assert min(everything.values()) >= 1

    answered = desk.run("forget", KEY, "--yes", "--as", "Ada", "--json")

    assert answered.code == 0, answered.everything
    everything.pop("audit_log")
    everything["bill_sessions"] = 0
    assert answered.document["rows"] == {name: rows for name, rows in everything.items() if rows}
    with warehouse.read() as connection:
        assert set(rows_of(connection, warehouse, KEY).values()) == {0}
        assert rows_of(connection, warehouse, OTHER) == others
        assert audit.verify(connection).broken is None
    last = desk.run("audit", KEY, "--json").document["entries"][-1]
    assert (last["what"], last["as_name"], last["integration"], last["subject"]) == (
        *("integration forgotten", "Ada", None),
        KEY,
    )
    assert last["after"]["rows"] == answered.document["rows"]
    with dg.DagsterInstance.get() as instance:
        assert instance.get_dynamic_partitions("integration") == [OTHER]
    assert desk.run("forget", KEY, "--yes").code == 2
    assert desk.connect(KEY).code == 0


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_file_holds_a_name_any_more_once_it_is_forgotten(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect(KEY, company=f"{PLANTED} Holdings")
    with warehouse.write() as connection:
        fill_every_table(connection, warehouse, KEY)
    folder = Path(str(warehouse.engine.url.database)).parent
    assert files_with(folder, PLANTED) != []

    answered = desk.run("forget", KEY, "--yes", "--json")

    assert files_with(folder, PLANTED) == []
    assert not [line for line in answered.document["remains"] if "free parts" in line]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_dagster_keeps_no_run_sample_or_check_result_of_it(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect(KEY)
    run_id = desk.run("seed", KEY, "--json").document["run_id"]
    organization = desk.bill.world.organizations[0].id
    assert files_with(desk.home, run_id) != []

    answered = desk.run("forget", KEY, "--yes", "--json")

    assert answered.code == 0, answered.everything
    assert answered.document["dagster_runs"] == 1
    assert files_with(desk.home, run_id) == []
    assert files_with(desk.home, KEY) == []
    assert files_with(desk.home, organization) == []
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs() == []
        assert instance.get_latest_materialization_event(dg.AssetKey("vendors")) is None


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_forgetting_is_refused_while_dagster_has_an_unfinished_run(desk: Desk, warehouse: Warehouse) -> None:
    desk.connect(KEY)
    with dg.DagsterInstance.get() as instance:
        tags = {PARTITION_NAME_TAG: KEY}
        run = create_run_for_test(instance, "full_sync", tags=tags, status=dg.DagsterRunStatus.STARTED)

    answered = desk.run("forget", KEY, "--yes")

    assert f"its Dagster run {run.run_id} has not ended" in answered.err, answered.everything
    assert answered.code == 1
    with warehouse.read() as connection:
        assert connection.scalar(select(integrations.c.status)) == "connected"


def test_an_interrupted_forgetting_goes_on_and_allows_nothing_else(
    desk: Desk, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect(KEY)
    with warehouse.write() as connection:
        fill_every_table(connection, warehouse, KEY)
    with monkeypatch.context() as patch:
        patch.setattr("billcom_assets.cli.lazy_dagster.delete_from_dagster", interrupted)
        assert desk.run("forget", KEY, "--yes").code == 1

    with warehouse.read() as connection:
        assert connection.scalar(select(integrations.c.status)) == "forgetting"
        assert rows_of(connection, warehouse, KEY)["vendors"] == 0
    assert desk.run("status", KEY).out.rstrip().endswith(f"Next: billcom forget {KEY} --yes")
    for refused in (desk.connect(KEY), desk.run("disconnect", KEY), desk.run("validate", KEY)):
        assert (refused.code, f"billcom forget {KEY} --yes" in refused.err) == (2, True)

    assert desk.run("forget", KEY, "--yes").code == 0
    with warehouse.read() as connection:
        assert set(rows_of(connection, warehouse, KEY).values()) == {0}
        assert audit.verify(connection).broken is None


def interrupted(_key: str) -> dict[str, int]:
    raise Busy("Interrupted.", "Go on.")


def test_many_rows_go_in_transactions_of_a_bounded_size(
    desk: Desk, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.connect(KEY)
    monkeypatch.setattr(leaving, "_ROWS_AT_ONCE", 10)
    table = warehouse.mirror.table("vendors")
    row = {"integration": KEY, "first_seen_at": NOON, "synced_at": NOON, "payload": "{}", "payload_digest": ""}
    with warehouse.write() as connection:
        connection.execute(insert(table), [{**row, "id": f"009{number}"} for number in range(25)])

    assert desk.run("forget", KEY, "--yes", "--json").document["rows"]["vendors"] == 25


def test_every_table_of_the_database_with_rows_of_integrations_is_known(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        inspector = inspect(connection)
        schema = SCHEMA if warehouse.is_postgresql else None
        really = {
            name
            for name in inspector.get_table_names(schema=schema)
            if "integration" in {column["name"] for column in inspector.get_columns(name, schema=schema)}
        }
    assert {table.name for table in leaving.tables_with_data(warehouse)} == really - {"audit_log"}
