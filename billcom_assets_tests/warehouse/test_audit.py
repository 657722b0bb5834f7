"""The audit log: what was written stays as it was, and where it does not, that shows."""

from __future__ import annotations

import multiprocessing
import os
import pwd
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import DBAPIError

from billcom_assets.warehouse import audit
from billcom_assets.warehouse.audit import Actor, Decision, How, What
from billcom_assets.warehouse.engine import Warehouse, connect, open_warehouse
from billcom_assets.warehouse.structure import alembic_config
from billcom_assets.warehouse.tables import SCHEMA, audit_log, integrations
from billcom_assets_tests.sync import victim

NOW = datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC)
ADA = Actor(1000, "ada", How.COMMAND, "Ada Lovelace")
ENTRIES = 6


def decide(warehouse: Warehouse, subject: str, integration: str | None = "acme-us", **values: Any) -> None:
    with warehouse.write() as connection:
        audit.record(
            connection,
            actor=ADA,
            what=What.SETTING_CHANGED,
            subject=subject,
            integration=integration,
            now=NOW,
            **values,
        )


def verdict(warehouse: Warehouse) -> audit.Verdict:
    with warehouse.read() as connection:
        return audit.verify(connection)


@pytest.fixture
def written(warehouse: Warehouse) -> Warehouse:
    """A log of a few entries."""
    for number in range(1, ENTRIES + 1):
        decide(warehouse, f"setting {number}", before={"value": number}, after={"value": number + 1})
    return warehouse


def as_owner(warehouse: Warehouse, *statements: str) -> None:
    """What somebody with all rights does who wants to leave no trace: without the triggers."""
    tables = ("audit_log", "audit_head")
    with warehouse.write() as connection:
        if warehouse.is_postgresql:
            for table in tables:
                connection.execute(text(f"ALTER TABLE {SCHEMA}.{table} DISABLE TRIGGER USER"))
        else:
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            connection.execute(text(_named(warehouse, statement)))


def _named(warehouse: Warehouse, statement: str) -> str:
    for table in ("audit_log", "audit_head", "integrations"):
        statement = statement.replace(f" {table}", f" {warehouse.qualified(table)}")
    return statement


def test_an_entry_says_who_when_how_and_what_it_was_before_and_after(warehouse: Warehouse) -> None:
    decide(warehouse, "cutoff", before=None, after="2026-01-01")
    with warehouse.read() as connection:
        (entry,) = audit.entries(connection, "acme-us", limit=10)
    assert (entry.id, entry.integration, entry.at, entry.how) == (1, "acme-us", NOW, "command")
    assert (entry.user_id, entry.user_name, entry.as_name) == (1000, "ada", "Ada Lovelace")
    assert (entry.what, entry.subject, entry.before, entry.after) == (
        "setting changed",
        "cutoff",
        None,
        '"2026-01-01"',
    )


def test_the_systems_user_counts_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "somebody-else")
    actor = Actor.of_process(How.COMMAND)
    assert (actor.user_id, actor.user_name) == (os.getuid(), pwd.getpwuid(os.getuid()).pw_name)


def test_a_user_without_a_name_is_recorded_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    actor = Actor.of_process(How.COMMAND, "Ada")
    assert (actor.user_id, actor.name) == (3_999_999_999, "Ada (user 3999999999)")


def test_a_number_of_a_user_beyond_two_billion_is_stored(warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        actor = Actor(3_999_999_999, "x", How.COMMAND)
        audit.record(connection, actor=actor, what=What.KEY_ROTATED, subject="key", now=NOW)
    assert verdict(warehouse).broken is None


def test_an_untouched_log_is_verified_and_an_empty_one_too(warehouse: Warehouse) -> None:
    empty = verdict(warehouse)
    assert (empty.entries, empty.broken) == (0, None)
    decide(warehouse, "cutoff")
    whole = verdict(warehouse)
    assert (whole.entries, whole.broken) == (1, None)
    assert whole.head != empty.head


def test_a_change_that_is_undone_leaves_no_entry(warehouse: Warehouse) -> None:
    def fail() -> None:
        with warehouse.write() as connection:
            audit.record(connection, actor=ADA, what=What.CONNECTED, subject="acme-us", now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert verdict(warehouse).entries == 0


TAMPERING: dict[str, tuple[tuple[str, ...], int, str]] = {
    "content changed": (("UPDATE audit_log SET after = '99' WHERE id = 3",), 3, "was changed"),
    "integration changed": (("UPDATE audit_log SET integration = 'other' WHERE id = 3",), 3, "was changed"),
    "person changed": (("UPDATE audit_log SET user_name = 'eve' WHERE id = 3",), 3, "who, when"),
    "name given changed": (("UPDATE audit_log SET as_name = NULL WHERE id = 3",), 3, "who, when"),
    "moment changed": (("UPDATE audit_log SET at = '2020-01-01 00:00:00.000000+00' WHERE id = 3",), 3, "who, when"),
    "removed": (("DELETE FROM audit_log WHERE id = 3",), 3, "missing"),
    "removed and closed up": (
        ("DELETE FROM audit_log WHERE id = 3", "UPDATE audit_log SET id = id - 1 WHERE id > 3"),
        3,
        "changed",
    ),
    "first removed": (("DELETE FROM audit_log WHERE id = 1",), 1, "missing"),
    "reordered": (
        (
            "UPDATE audit_log SET id = 100 WHERE id = 2",
            "UPDATE audit_log SET id = 2 WHERE id = 3",
            "UPDATE audit_log SET id = 3 WHERE id = 100",
        ),
        2,
        "its place in the log",
    ),
    "inserted before all": (
        (
            "INSERT INTO audit_log (id, at, user_id, user_name, how, what, content_hash, previous_hash, hash) "
            "SELECT 0, at, user_id, user_name, how, what, content_hash, previous_hash, hash FROM audit_log "
            "WHERE id = 1",
        ),
        1,
        "",
    ),
    "appended by hand": (
        (
            "INSERT INTO audit_log (id, integration, at, user_id, user_name, as_name, how, what, subject, before, "
            "after, salt, content_hash, previous_hash, hash) SELECT 7, integration, at, user_id, user_name, "
            "as_name, how, what, subject, before, after, salt, content_hash, hash, hash FROM audit_log WHERE id = 6",
        ),
        7,
        "",
    ),
    "end cut off": (("DELETE FROM audit_log WHERE id > 4",), 5, "every entry up to 6"),
    "everything removed": (("DELETE FROM audit_log WHERE id > 0",), 1, "every entry up to 6"),
    "head removed": (("DELETE FROM audit_head WHERE id = 1",), 7, "head of the log is missing"),
    "head set back": (("UPDATE audit_head SET entries = 5 WHERE id = 1",), 6, "head was set back"),
    "head forged": (("UPDATE audit_head SET hash = 'x' WHERE id = 1",), 6, "head"),
    "erased without a forgetting": (
        (
            "UPDATE audit_log SET integration = NULL, subject = NULL, before = NULL, after = NULL, salt = NULL "
            "WHERE id IN (2, 3)",
        ),
        2,
        "no forgetting",
    ),
    "erased in part": (("UPDATE audit_log SET salt = NULL WHERE id = 3",), 3, "was changed"),
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_tampering_shows_at_the_first_entry_it_touches(written: Warehouse, tampering: str) -> None:
    statements, number, meaning = TAMPERING[tampering]
    as_owner(written, *statements)
    broken = verdict(written).broken
    assert broken is not None
    assert (broken.id, meaning in broken.meaning) == (number, True), broken


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET what = 'nothing' WHERE id = 3",
        "UPDATE audit_log SET subject = NULL WHERE id = 3",
        "UPDATE audit_log SET integration = NULL, subject = NULL, before = NULL, after = NULL, salt = NULL",
        "DELETE FROM audit_log WHERE id = 3",
        "DELETE FROM audit_log",
        "UPDATE audit_head SET entries = 3",
        "UPDATE audit_head SET hash = 'x'",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_itself_refuses_to_change_or_delete_an_entry(written: Warehouse, statement: str) -> None:
    with written.write() as connection:
        values = {"company": "Acme", "organization_id": "008", "environment": "stage", "credentials": "sealed"}
        moments = {"created_at": NOW, "updated_at": NOW}
        connection.execute(integrations.insert().values(key="acme-us", status="pending", **values, **moments))
    with pytest.raises(DBAPIError, match="append-only"), written.write() as connection:
        connection.execute(text(_named(written, statement)))
    assert verdict(written).broken is None


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["audit_log", "audit_head"])
def test_postgresql_refuses_to_truncate_it(written: Warehouse, table: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), written.write() as connection:
        connection.execute(text(f"TRUNCATE {SCHEMA}.{table}"))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_sqlite_refuses_to_replace_an_entry(written: Warehouse) -> None:
    replaced = "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE id = 3"
    with pytest.raises(DBAPIError, match="append-only"), written.write() as connection:
        connection.execute(text(replaced))


def forgotten(connection: Connection, key: str) -> None:
    erased = audit.erase(connection, key)
    after = {"erased_entries": erased}
    audit.record(connection, actor=ADA, what=What.FORGOTTEN, subject=key, after=after, now=NOW)


def test_erased_content_leaves_no_word_and_the_chain_still_holds(written: Warehouse) -> None:
    decide(written, "of another", integration="beta", after="kept")
    decide(written, "last word")
    with written.write() as connection:
        forgotten(connection, "acme-us")
    assert verdict(written).broken is None
    with written.read() as connection:
        found = audit.entries(connection, limit=100)
        stored = str(connection.execute(select(audit_log)).all())
    assert [entry.is_erased for entry in found] == [*[True] * ENTRIES, False, True, False]
    assert "setting 3" not in stored
    assert "last word" not in stored
    assert {entry.user_name for entry in found} == {"ada"}
    with written.write() as connection:
        forgotten(connection, "beta")
    assert verdict(written).broken is None


def test_an_entry_whose_content_was_erased_still_shows_when_it_is_changed(written: Warehouse) -> None:
    with written.write() as connection:
        forgotten(connection, "acme-us")
    as_owner(written, "UPDATE audit_log SET user_name = 'eve' WHERE id = 3")
    broken = verdict(written).broken
    assert broken is not None
    assert broken.id == 3


def test_writers_in_several_processes_make_one_chain(warehouse: Warehouse) -> None:
    fork = multiprocessing.get_context("forkserver")
    url = warehouse.engine.url.render_as_string(hide_password=False)
    writers = [fork.Process(target=victim.decide, args=(url, f"writer {number}", 25)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 4
    whole = verdict(warehouse)
    assert (whole.entries, whole.broken) == (100, None)


def test_five_thousand_decisions_take_a_handful_of_statements(warehouse: Warehouse) -> None:
    statements = []
    event.listen(warehouse.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    decisions = [Decision(What.MAPPING_DECIDED, f"vendors {number}", "acme-us") for number in range(5_000)]
    with warehouse.write() as connection:
        audit.record_all(connection, ADA, decisions, NOW)
    assert len(statements) < 20
    whole = verdict(warehouse)
    assert (whole.entries, whole.broken) == (5_000, None)


def test_a_database_of_the_first_release_gets_the_log_and_keeps_its_integrations(
    make_database: Callable[..., str],
) -> None:
    url = make_database(migrated=False)
    engine = connect(url)
    with engine.connect() as opened:
        connection = opened.execution_options(begin_immediate=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            values = {"company": "Acme", "organization_id": "008", "environment": "stage", "credentials": "sealed"}
            moments = {"created_at": NOW, "updated_at": NOW}
            connection.execute(integrations.insert().values(key="acme-us", status="error", **values, **moments))
    engine.dispose()

    upgraded = open_warehouse(url)
    with upgraded.write() as connection:
        row = connection.execute(select(integrations)).one()
        assert (row.key, row.company, row.credentials, row.status, row.created_at) == (
            *("acme-us", "Acme", "sealed", "error"),
            NOW,
        )
        assert row.time_zone == "UTC"
        connection.execute(integrations.update().values(status="disconnected", credentials=None))
    for wrong in ({"credentials": "sealed"}, {"status": "connected"}, {"status": "gone"}):
        with pytest.raises(DBAPIError), upgraded.write() as connection:
            connection.execute(integrations.update().values(wrong))
    with pytest.raises(DBAPIError), upgraded.write() as connection:
        connection.execute(integrations.insert().from_select([*integrations.c.keys()], _copy()))
    upgraded.close()


def _copy() -> Any:
    """The integration once more under another key: a company has one."""
    columns = [column for column in integrations.c if column.name != "key"]
    return select(func.lower("OTHER").label("key"), *columns)
