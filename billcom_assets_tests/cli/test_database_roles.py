"""``billcom database roles``: what it makes, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from billcom_assets_tests.cli.commands import Desk, billcom_command
from billcom_assets_tests.postgres import PSQL, Postgres
from billcom_assets_tests.warehouse.logins import Logins, as_libpq, rows

OWNERS = """
    SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('billcom', 'billcom_analyst')
"""
ROLES = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE '%{mark}' ORDER BY 1"


@pytest.fixture
def logins(postgres: Postgres, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logins]:
    """A migrated database that a superuser made, and names for its roles."""
    url = postgres.create()
    monkeypatch.setenv("BILLCOM_DATABASE_URL", url)
    yield Logins.of(url)
    postgres.drop(url)


def roles_of(logins: Logins) -> list[tuple[object, ...]]:
    return rows(logins.administrator, ROLES.format(mark=logins.owner.partition("_")[2]))


def test_without_apply_it_prints_and_changes_nothing(logins: Logins) -> None:
    before = rows(logins.administrator, OWNERS)
    printed = logins.command()
    assert printed.code == 0, printed.everything
    assert printed.out.startswith("BEGIN;")
    assert "CREATE OR REPLACE VIEW billcom_analyst.vendors" in printed.out
    assert roles_of(logins) == []
    assert rows(logins.administrator, OWNERS) == before


def test_psql_takes_what_it_prints_any_number_of_times(logins: Logins) -> None:
    script = logins.command().out
    for _ in range(2):
        ran = subprocess.run(
            [PSQL, "--quiet", "--set=ON_ERROR_STOP=1", as_libpq(logins.administrator)],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            env={key: value for key, value in os.environ.items() if not key.startswith("PG")},
        )
        assert ran.returncode == 0, ran.stderr
    assert roles_of(logins) == [(logins.analyst, False), (logins.owner, False), (logins.runner, False)]
    assert rows(logins.administrator, OWNERS) == [(logins.owner,)]


def test_applied_twice_is_the_same_as_once_and_what_was_done_is_told(logins: Logins) -> None:
    privileges = "SELECT relname, relacl FROM pg_class WHERE relacl IS NOT NULL ORDER BY oid"
    first = logins.command("--apply")
    after_one = rows(logins.administrator, privileges)
    second = logins.command("--apply", "--json")
    assert (first.code, second.code) == (0, 0), first.everything + second.everything
    assert all(name in first.out for name in (logins.owner, logins.runner, logins.analyst))
    assert second.document["applied"] is True
    assert rows(logins.administrator, privileges) == after_one
    assert rows(logins.administrator, OWNERS) == [(logins.owner,)]


def test_the_runner_adds_to_the_audit_log_and_takes_nothing_from_it(logins: Logins) -> None:
    rows(logins.administrator, "CREATE TABLE IF NOT EXISTS billcom.audit_log (id int)")
    assert logins.command("--apply").code == 0
    held = f"""
        SELECT name FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS name
        WHERE has_table_privilege('{logins.runner}', 'billcom.audit_log', name)
    """
    assert rows(logins.administrator, held) == [("SELECT",), ("INSERT",)]


def test_names_are_quoted_whatever_they_hold(logins: Logins) -> None:
    mark = logins.owner.partition("_")[2]
    strange = Logins(
        logins.administrator, f'Own"er; DROP ROLE x -- {mark}', f"run'ner $do$ %s :a {{}} {mark}", f"Ünder {mark}"
    )
    for _ in range(2):
        applied = strange.command("--apply")
        assert applied.code == 0, applied.everything
    assert {name for name, _ in roles_of(logins)} == {strange.owner, strange.runner, strange.analyst}
    assert rows(strange.user(strange.analyst), "SELECT count(*) FROM billcom_analyst.vendors") == [(0,)]
    assert rows(strange.user(strange.runner), "SELECT count(*) FROM billcom.vendors") == [(0,)]


@pytest.mark.parametrize(
    "names",
    [
        ("--owner", "one", "--runner", "one"),
        ("--analyst", "pg_read_all_data"),
        ("--analyst", "public"),
        ("--analyst", "x" * 64),
        ("--analyst", "two\nlines"),
        ("--analyst", ""),
    ],
)
def test_a_name_that_cannot_be_is_refused(logins: Logins, names: tuple[str, ...]) -> None:
    refused = billcom_command("database", "roles", *names)
    assert refused.code == 2
    assert "role" in refused.err


def test_an_administrator_who_is_no_superuser_can_apply_it_to_the_tables_he_made(
    postgres: Postgres, logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    administrator = logins.user(attributes="CREATEROLE CREATEDB")
    bare = postgres.create(template=None)
    name = make_url(bare).database
    rows(bare, f"ALTER DATABASE {name} OWNER TO {make_url(administrator).username}")
    monkeypatch.setenv(
        "BILLCOM_DATABASE_URL", make_url(administrator).set(database=name).render_as_string(hide_password=False)
    )
    try:
        for _ in range(2):
            applied = logins.command("--apply")
            assert applied.code == 0, applied.everything
        assert rows(bare, OWNERS) == [(logins.owner,)]
        assert billcom_command("status", "--json").code == 0
    finally:
        postgres.drop(bare)


def test_a_user_without_the_rights_is_told_which_and_nothing_changes(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert logins.command("--apply").code == 0
    monkeypatch.setenv("BILLCOM_DATABASE_URL", logins.user(logins.runner))
    others = Logins.of(logins.administrator)
    refused = others.command("--apply")
    assert refused.code == 2
    assert "CREATEROLE" in refused.err
    assert "Nothing was changed" in refused.err
    assert roles_of(others) == []


@pytest.mark.parametrize("attribute", ["SUPERUSER", "REPLICATION", "CREATEROLE", "IN ROLE pg_read_all_data"])
def test_an_analyst_that_may_read_more_than_the_views_is_refused(logins: Logins, attribute: str) -> None:
    rows(logins.administrator, f"CREATE ROLE {logins.analyst} {attribute}")
    before = rows(logins.administrator, OWNERS)
    refused = logins.command("--apply")
    assert refused.code == 2
    assert logins.analyst in refused.err
    assert "Nothing was changed" in refused.err
    assert [name for name, _ in roles_of(logins)] == [logins.analyst]
    assert rows(logins.administrator, OWNERS) == before


def test_a_runner_that_belongs_to_the_owner_is_refused(logins: Logins) -> None:
    rows(logins.administrator, f"CREATE ROLE {logins.owner}")
    rows(logins.administrator, f"CREATE ROLE {logins.runner} IN ROLE {logins.owner}")
    refused = logins.command("--apply")
    assert refused.code == 2
    assert f"the role {logins.runner} has rights on everything that the owner has" in refused.err


def test_on_sqlite_it_says_that_the_files_permissions_are_the_boundary(desk: Desk) -> None:
    refused = desk.run("database", "roles")
    assert refused.code == 2
    assert "permissions are the boundary" in refused.err
