"""A database that an earlier version has filled opens, keeps its rows and the views of others, and syncs."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Column, Engine, Table, Text, inspect, make_url, select, text, type_coerce

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import SandboxServer
from billcom_assets.sandbox.kinds import kind_at
from billcom_assets.warehouse import tables
from billcom_assets.warehouse.engine import connect, open_warehouse
from billcom_assets.warehouse.managed_views import put_in_place
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets.warehouse.ownership import act_as_owner
from billcom_assets.warehouse.structure import alembic_config
from billcom_assets.warehouse.types import Json
from billcom_assets.warehouse.views import managed_views
from billcom_assets_tests.sync.company import INTEGRATION, Company, total
from billcom_assets_tests.sync.truth import differences, truth_of, written_at
from billcom_assets_tests.warehouse.old_databases.company import BILLS, SETTINGS, plant

STORED = sorted((Path(__file__).parent / "old_databases").glob("*.db.xz"))
THEIRS = ("integrations", "sync_sightings", "sync_missing", "bills", "ap_aging")
"""What views of others read."""


@pytest.fixture(params=STORED, ids=lambda path: path.name.partition(".")[0])
def old_database(request: pytest.FixtureRequest, tmp_path: Path, make_database: Callable[..., str]) -> str:
    """URL of a database as an earlier version left it, with views of others in it."""
    file = tmp_path / "old.db"
    file.write_bytes(lzma.decompress(request.param.read_bytes()))
    url = f"sqlite:///{file}"
    if request.getfixturevalue("dialect") == "postgresql":
        url = make_database(migrated=False)
        transfer(connect(f"sqlite:///{file}"), connect(url))
    engine = connect(url)
    with engine.begin() as connection:
        for name in THEIRS:
            connection.execute(text(f"CREATE VIEW my_{name} AS SELECT * FROM {place(engine, name)}"))
    engine.dispose()
    return url


def place(engine: Engine, name: str) -> str:
    return f"{tables.SCHEMA}.{name}" if engine.dialect.name == "postgresql" else name


def transfer(source: Engine, target: Engine) -> None:
    """Makes the same database on PostgreSQL: its revision's tables, the mirror's as they were then, and all rows."""
    mirror = Mirror.of(tuple(CATALOG))
    with source.connect() as old, target.begin() as new:
        found = inspect(old)
        columns = {name: {one["name"] for one in found.get_columns(name)} for name in found.get_table_names()}
        act_as_owner(new)
        config = alembic_config()
        config.attributes["connection"] = new
        command.upgrade(config, str(old.scalar(text("SELECT version_num FROM alembic_version"))))
        mirror.metadata.create_all(new)
        for table in [*mirror.metadata.sorted_tables, *tables.metadata.sorted_tables]:
            if table.name not in columns and table.metadata is mirror.metadata:
                table.drop(new)
            if table.name not in columns or table.name == "audit_head":
                continue
            present: list[Column[Any]] = [column for column in table.columns if column.name in columns[table.name]]
            for column in set(table.columns) - set(present) if table.metadata is mirror.metadata else ():
                new.execute(text(f"ALTER TABLE {table.fullname} DROP COLUMN {column.name}"))
            # JSON is written as the text that it is read as.
            read = [type_coerce(one, Text).label(one.name) if isinstance(one.type, Json) else one for one in present]
            copied = [dict(row) for row in old.execute(select(*read)).mappings()]
            if copied:
                new.execute(table.insert(), copied)
        for view in managed_views(target.dialect, mirror):
            if view.name in found.get_view_names():
                put_in_place(new, replace(view, query=before_books(view.query)))
    source.dispose()
    target.dispose()


def before_books(query: str) -> str:
    """The query of a view where no books are yet."""
    columns = ", ".join(f"CAST(NULL AS TEXT) AS {name}" for name in ("integration", "kind", "id", "state"))
    joined = query.replace("JOIN billcom.ledger_documents", f"JOIN (SELECT {columns}) AS ledger_documents")
    return joined.replace("billcom.ledger_documents.", "ledger_documents.")


def count(engine: Engine, table: Table) -> int | None:
    with engine.connect() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM {place(engine, table.name)}"))


def change_some(company: Company) -> None:
    """One object of each list is another by now."""
    company.server.clock.advance(timedelta(minutes=11))
    for entity in (one for one in CATALOG if not one.is_of_v2):
        kind = kind_at(entity.path)
        for row in company.organization.table(kind).snapshot()[:1]:
            company.organization.write(kind, row.doc() | {"description": "changed since"})


def test_it_opens_keeps_its_rows_and_the_views_of_others_and_syncs(old_database: str) -> None:
    mirror = Mirror.of(tuple(CATALOG))
    before = connect(old_database)
    schema = None if before.dialect.name == "sqlite" else "billcom"
    there = set(inspect(before).get_table_names(schema=schema))
    had_v2 = "v2_payload" in {one["name"] for one in inspect(before).get_columns("bills", schema=schema)}
    rows = {table.name: count(before, table) for table in mirror.metadata.sorted_tables if table.name in there}
    before.dispose()
    assert rows["bills"] == BILLS
    with SandboxServer(SETTINGS) as server:
        company = Company(server)
        plant(company.organization)
        upgraded = open_warehouse(old_database)
        assert upgraded.notices == ()
        kept = [table for table in mirror.metadata.sorted_tables if table.name in there]
        assert {table.name: count(upgraded.engine, table) for table in kept} == rows
        assert differences(upgraded, INTEGRATION, truth_of(company.organization, v2=had_v2)) == []
        # What v2 adds is new to an older one, and nothing else.
        reports = [report for report in company.sync(upgraded) if report.entity in there]
        assert total(reports).written == 0
        assert differences(upgraded, INTEGRATION, truth_of(company.organization)) == []
        stamps = written_at(upgraded, INTEGRATION)
        company.sync(upgraded)
        assert written_at(upgraded, INTEGRATION) == stamps
        change_some(company)
        company.sync(upgraded)
        assert differences(upgraded, INTEGRATION, truth_of(company.organization)) == []
        with upgraded.read() as connection:
            for name in THEIRS:
                assert connection.execute(text(f"SELECT * FROM my_{name}")).keys()
        upgraded.close()
    again = open_warehouse(make_url(old_database))
    assert again.notices == ()
    again.close()


def test_what_was_derived_already_is_not_derived_again(old_database: str) -> None:
    before = connect(old_database)
    where = "ctid::text" if before.dialect.name == "postgresql" else "rowid"
    places = text(f"SELECT {where}, bill_id, position FROM {place(before, 'bill_line_items')} ORDER BY 2, 3")
    with before.connect() as connection:
        stored = connection.execute(places).all()
    before.dispose()
    upgraded = open_warehouse(old_database)
    with upgraded.read() as connection:
        assert connection.execute(places).all() == stored
    upgraded.close()
