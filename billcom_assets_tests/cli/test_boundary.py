"""The three roles on a company that was connected, set up and synced by the runner: what each can and cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from billcom_assets.cli.demo_ledger import write_ledger
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import ColumnType
from billcom_assets.sandbox import SandboxServer
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.views import VIEWS
from billcom_assets_tests.cli.commands import Answered, Desk, billcom_command
from billcom_assets_tests.postgres import Postgres
from billcom_assets_tests.warehouse.logins import Logins, connected, rows

PLANTED = "planted-where-no-analyst-may-see-it"
SEALING_KEY = "bm90IGEgc2VjcmV0LCBvbmx5IGZvciB0aGlzIHRlc3Q="
OF_OURS = {
    "audit_log": None,
    "bill_sessions": ("session", "user_id"),
    "request_budget": ("developer_key",),
    "integrations": ("credentials", "base_url", "v2_base_url", "status_message"),
    "integration_errors": ("message", "next_step", "reason"),
    "contract_findings": ("value",),
    "sync_state": ("walk",),
    "sync_runs": ("error",),
    "ledger_vendors": ("tax_id", "email"),
    "ledger_customers": ("tax_id", "email"),
    "ledger_dimensions": ("email",),
    "mappings": ("reason", "decided_by"),
}
"""What no analyst may see of the tables that are ours; None: all of it."""
FORBIDDEN = (errors.InsufficientPrivilege, errors.UndefinedTable, errors.UndefinedColumn)

UNREADABLE = (errors.InsufficientPrivilege, errors.ObjectNotInPrerequisiteState, errors.InternalError_)
"""How the server refuses to show a system view of its own: not allowed, not set up, not on this machine."""


class World:
    """A synced company, and a user of each role."""

    def __init__(self, logins: Logins, synced: Answered) -> None:
        self.logins = logins
        self.synced = synced
        self.administrator = logins.administrator
        self.owner = logins.user(logins.owner)
        self.runner = logins.user(logins.runner)
        self.analyst = logins.user(logins.analyst)


@pytest.fixture(scope="module")
def world(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, simulated_bill: SandboxServer
) -> Iterator[World]:
    home = tmp_path_factory.mktemp("boundary")
    url = postgres.create()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BILLCOM_DAGSTER_DATABASE_URL", raising=False)
        patch.setenv("BILLCOM_SECRET_KEY", SEALING_KEY)
        patch.setenv("DAGSTER_HOME", str(home / "dagster"))
        patch.setenv("BILLCOM_DATABASE_URL", url)
        logins = Logins.of(url)
        applied = logins.command("--apply")
        assert applied.code == 0, applied.everything
        patch.setenv("BILLCOM_DATABASE_URL", logins.user(logins.runner))
        world = World(logins, _synced(Desk(home, simulated_bill), home / "ledger"))
        _plant(url)
        yield world
    postgres.drop(url)


def _synced(desk: Desk, folder: Path) -> Answered:
    folder.mkdir()
    files = write_ledger(desk.bill.world.organizations[0], folder)
    for arguments in (
        ("connect", "acme", "--company", "Acme", "--base-url", desk.bill.base_url, *desk.credentials()),
        ("seed", "acme"),
        ("ledger", "import", "acme", *(word for kind, path in files.items() for word in (f"--{kind}", path))),
        ("mappings", "suggest", "acme", "--accept", "exact"),
        ("sync", "acme"),
    ):
        done = billcom_command(*arguments)
        assert done.code == 0, done.everything
    return billcom_command("sync", "acme", "--full-refresh", "--json")


def _plant(url: str) -> None:
    """Puts the mark into everything that no analyst may see, in every row."""
    with connected(url) as connection:
        for place, columns in _forbidden(connection).items():
            for column, type_name in columns.items():
                value = f"'\"{PLANTED}\"'::jsonb" if type_name == "jsonb" else f"left('{PLANTED}-' || {column}, 60)"
                null = f"'{PLANTED}'" if type_name != "jsonb" else value
                connection.execute(f"UPDATE {place} SET {column} = coalesce({value}, {null})".encode())
        connection.execute(
            f"""INSERT INTO billcom.integration_errors
                (integration, entity, record_id, code, message, next_step, status, first_seen_at, last_seen_at)
                VALUES ('acme', 'bills', '1', 'x', '{PLANTED}', '{PLANTED}', 'open', now(), now());
                UPDATE billcom.ledger_dimensions SET id = '{PLANTED}' || id, name = '{PLANTED}'
                WHERE kind = 'employees';
                UPDATE billcom.mappings SET ledger_id = '{PLANTED}' || ledger_id WHERE kind = 'employees';
                ANALYZE""".encode()
        )


def _forbidden(connection: psycopg.Connection[Any]) -> dict[str, dict[str, str]]:
    """Forbidden columns of text and JSON and their types, by table."""
    names = {table: set(columns) for table, columns in OF_OURS.items() if columns}
    for entity in CATALOG:
        names[entity.name] = {"payload", "payload_digest"}
        for table, columns in ((entity.name, entity.columns), *((one.table, one.columns) for one in entity.children)):
            secret = {one.name for one in columns if one.sensitive or one.type is ColumnType.JSON}
            names.setdefault(table, set()).update(secret)
    query = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'billcom'"
    found: dict[str, dict[str, str]] = {}
    for table, column, type_name in connection.execute(query).fetchall():
        if column in names.get(table, ()):
            found.setdefault(f"billcom.{table}", {})[column] = type_name
    return found


def readable(url: str) -> Iterator[tuple[str, str]]:
    """(relation, everything in it as text) for every relation that the user may read any column of."""
    query = """
        SELECT n.nspname, c.relname, array_agg(a.attname)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND has_schema_privilege(n.oid, 'USAGE')
            AND has_column_privilege(c.oid, a.attnum, 'SELECT')
        GROUP BY 1, 2
    """
    with connected(url) as connection:
        for schema, name, columns in connection.execute(query).fetchall():
            listed = sql.SQL(", ").join(map(sql.Identifier, columns))
            statement = sql.SQL("SELECT {} FROM {}").format(listed, sql.Identifier(schema, name))
            try:
                yield f"{schema}.{name}", repr(connection.execute(statement).fetchall())
            except UNREADABLE:
                continue


def is_refused(url: str, statement: str) -> bool:
    """True when the server says that the user may not, or that there is no such thing."""
    try:
        rows(url, statement)
    except FORBIDDEN:
        return True
    return False


def test_the_runner_syncs_everything(world: World) -> None:
    assert world.synced.code == 0, world.synced.everything
    pulls = world.synced.document["pulls"]
    assert {pull["entity"] for pull in pulls} == set(CATALOG.names())
    assert sum(pull["fetched"] for pull in pulls) > 100


CHANGES = (
    "CREATE TABLE billcom.mine (id int)",
    "CREATE TABLE billcom_analyst.mine (id int)",
    "CREATE VIEW billcom.mine AS SELECT 1 AS one",
    "CREATE FUNCTION billcom.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA mine",
    "CREATE TRIGGER mine BEFORE UPDATE ON billcom.bills FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger()",
    "ALTER TABLE billcom.bills ADD COLUMN mine int",
    "ALTER TABLE billcom.bills DISABLE TRIGGER ALL",
    "ALTER TABLE billcom.bills OWNER TO CURRENT_USER",
    "DROP TABLE billcom.bills",
    "DROP VIEW billcom.ap_aging",
    "DROP SCHEMA billcom CASCADE",
    "TRUNCATE billcom.bills",
    "UPDATE billcom.alembic_version SET version_num = 'x'",
    "DELETE FROM billcom.mirror_schema",
    "SET ROLE {owner}",
    "CREATE ROLE mine",
    "COPY billcom.bills TO PROGRAM 'cat'",
)


def test_the_runner_changes_no_table(world: World) -> None:
    names = {"owner": world.logins.owner, "runner": world.logins.runner}
    assert [one for one in CHANGES if not is_refused(world.runner, one.format(**names))] == []


def test_a_table_that_an_upgrade_makes_is_the_runners_to_write_and_hidden_from_analysts(world: World) -> None:
    rows(world.owner, f"SET ROLE {world.logins.owner}; CREATE TABLE billcom.later (id serial PRIMARY KEY, secret text)")
    rows(world.runner, f"INSERT INTO billcom.later (secret) VALUES ('{PLANTED}')")
    rows(world.runner, f"UPDATE billcom.later SET secret = '{PLANTED}!'; DELETE FROM billcom.later WHERE id = 7")
    with pytest.raises(errors.InsufficientPrivilege):
        rows(world.analyst, "SELECT * FROM billcom.later")
    rows(world.owner, "DROP TABLE billcom.later")


def test_analysts_see_every_row_of_every_table_of_the_mirror(world: World) -> None:
    mirror = Mirror.of(tuple(CATALOG))
    for name in (table.name for table in mirror.metadata.sorted_tables):
        seen = rows(world.analyst, f"SELECT count(*) FROM billcom_analyst.{name}")
        assert seen == rows(world.runner, f"SELECT count(*) FROM billcom.{name}"), name
    assert rows(world.analyst, "SELECT count(*) > 9 FROM billcom_analyst.bills") == [(True,)]


def test_analysts_read_the_agings(world: World) -> None:
    for view in (name for name in VIEWS if "aging" in name):
        seen = rows(world.analyst, f"SELECT * FROM billcom_analyst.{view}")
        assert seen
        assert sorted(seen, key=repr) == sorted(rows(world.runner, f"SELECT * FROM billcom.{view}"), key=repr)


def test_analysts_see_nothing_sensitive_in_any_relation_that_they_can_read(world: World) -> None:
    with connected(world.administrator) as other:
        # Somebody else's statement, which pg_stat_activity shows to those who may see it.
        other.execute(f"SELECT '{PLANTED}'".encode())
        visible = dict(readable(world.analyst))
        control = dict(readable(world.administrator))
    assert [relation for relation, content in visible.items() if PLANTED in content] == []
    assert {relation.partition(".")[0] for relation in visible} == {
        *("billcom_analyst", "information_schema", "pg_catalog")
    }
    found = {relation for relation, content in control.items() if PLANTED in content}
    assert {"billcom.vendors", "billcom.integrations", "pg_catalog.pg_stats", "pg_catalog.pg_stat_activity"} <= found
    assert {"billcom.vendor_payment_bills", "billcom.ledger_dimensions", "billcom.integration_errors"} <= found


TRICKS = (
    "SELECT * FROM billcom.vendors",
    "SELECT * FROM billcom.ap_aging",
    "SELECT payload FROM billcom_analyst.vendors",
    "SELECT additional_info_tax_id FROM billcom_analyst.vendors",
    "SELECT * FROM billcom_analyst.bill_sessions",
    "TABLE pg_statistic",
    "SET ROLE {owner}",
    "SET ROLE {runner}",
    "SELECT pg_read_file('PG_VERSION')",
    "COPY billcom_analyst.vendors TO PROGRAM 'cat'",
    "INSERT INTO billcom_analyst.departments (integration, id) VALUES ('a', 'b')",
    "UPDATE billcom_analyst.vendors SET name = 'x'",
    "DELETE FROM billcom_analyst.vendors",
    "CREATE VIEW billcom_analyst.mine AS SELECT 1 AS one",
    "ALTER VIEW billcom_analyst.ap_aging SET (security_barrier = false)",
    "SELECT lo_export(lo_creat(-1), '/tmp/x')",
)


def test_analysts_get_no_further(world: World) -> None:
    names = {"owner": world.logins.owner, "runner": world.logins.runner}
    assert [one for one in TRICKS if not is_refused(world.analyst, one.format(**names))] == []


PEEKING = """
    CREATE OR REPLACE FUNCTION pg_temp.peek(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
    BEGIN RAISE NOTICE '%', value; RETURN true; END $$;
    SELECT * FROM billcom_analyst.ledger_dimensions WHERE pg_temp.peek(name);
    SELECT * FROM billcom_analyst.mappings WHERE pg_temp.peek(ledger_id);
"""


def peeked(url: str) -> str:
    """What a function of the reader's own gets to see, although the rows are left out of the result."""
    seen: list[str] = []
    with connected(url) as connection:
        connection.add_notice_handler(lambda notice: seen.append(notice.message_primary or ""))
        connection.execute(PEEKING.encode())
    return "\n".join(seen)


def test_a_function_of_the_analysts_sees_no_row_that_a_view_leaves_out(world: World) -> None:
    assert PLANTED not in peeked(world.analyst)
    try:
        rows(world.owner, "ALTER VIEW billcom_analyst.ledger_dimensions SET (security_barrier = false)")
        assert PLANTED in peeked(world.analyst), "without the barrier the function would see it"
    finally:
        rows(world.owner, "ALTER VIEW billcom_analyst.ledger_dimensions SET (security_barrier = true)")
