"""The database has what the declarations say, and what it says an analyst can read."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect, text

from billcom_assets.warehouse import revisions
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.structure import alembic_config
from billcom_assets.warehouse.tables import SCHEMA, metadata

BOOKS = {"journal", "trial_balance", "held_documents"}
VIEWS = (
    {f"{side}_aging{by}" for side in ("ap", "ar") for by in ("", "_documents", "_lines")} | BOOKS | {"merged_objects"}
)


def declared(warehouse: Warehouse) -> MetaData:
    """Every table that there should be, named as the database names it."""
    schema = SCHEMA if warehouse.is_postgresql else None
    whole = MetaData(naming_convention=metadata.naming_convention)
    for part in (metadata, warehouse.mirror.metadata):
        for table in part.sorted_tables:
            table.to_metadata(whole, schema=schema)
    return whole


def test_a_migrated_database_is_what_the_metadata_says(warehouse: Warehouse) -> None:
    schema = SCHEMA if warehouse.is_postgresql else None
    with warehouse.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": warehouse.is_postgresql,
                "include_name": lambda name, kind, _parents: kind != "schema" or name == schema,
                "version_table_schema": schema,
                "compare_type": False,
            },
        )
        assert compare_metadata(context, declared(warehouse)) == []


def test_columns_have_the_declared_types(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        inspector = inspect(connection)
        schema = SCHEMA if warehouse.is_postgresql else None
        for table in declared(warehouse).sorted_tables:
            found = {one["name"]: one["type"] for one in inspector.get_columns(table.name, schema=schema)}
            for column in table.columns:
                wanted = column.type.compile(connection.dialect)
                assert str(found[column.name].compile(connection.dialect)) == wanted, f"{table.name}.{column.name}"


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_every_table_view_and_column_is_described_in_postgresql(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        inspector = inspect(connection)
        tables = set(inspector.get_table_names(schema=SCHEMA)) - {"alembic_version"}
        assert tables == {table.name for table in declared(warehouse).sorted_tables}
        names = tables | set(inspector.get_view_names(schema=SCHEMA))
        silent = [name for name in names if not inspector.get_table_comment(name, schema=SCHEMA)["text"]]
        silent += [
            f"{name}.{column['name']}"
            for name in names
            for column in inspector.get_columns(name, schema=SCHEMA)
            if not column["comment"]
        ]
    assert silent == []


def test_the_views_are_there(warehouse: Warehouse) -> None:
    with warehouse.read() as connection:
        found = inspect(connection).get_view_names(schema=SCHEMA if warehouse.is_postgresql else None)
    assert set(found) == VIEWS


def test_opening_twice_changes_nothing(bare_database_url: str) -> None:
    first = open_warehouse(bare_database_url)
    shape = declared(first)
    first.close()
    second = open_warehouse(bare_database_url)
    assert declared(second).tables.keys() == shape.tables.keys()
    second.close()


def test_the_newest_revision_is_the_one_that_alembic_takes_for_it() -> None:
    assert revisions.head() == ScriptDirectory.from_config(alembic_config()).get_current_head()


def test_a_database_of_a_later_version_is_left_as_it_is(database_url: str) -> None:
    warehouse = open_warehouse(database_url)
    with warehouse.write() as connection:
        connection.execute(text(f"UPDATE {warehouse.qualified('alembic_version')} SET version_num = '9999'"))
    with pytest.raises(WarehouseError, match="revision 9999 this one does not know") as refused:
        open_warehouse(database_url)
    assert "newer one" in refused.value.next_step
    with warehouse.read() as connection:
        assert revisions.current(connection) == "9999"
    warehouse.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "BILLCOM_DATABASE_URL"),
        ("mysql://root@localhost/books", "mysql databases are not supported"),
        ("sqlite://", "in-memory"),
        ("sqlite:////proc/nowhere/billcom.db", "cannot be made"),
        ("postgresql://somebody:open-sesame@127.0.0.1:1/books", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_with_the_next_step_and_without_the_password(
    url: str, says: str
) -> None:
    with pytest.raises(WarehouseError) as caught:
        open_warehouse(url)
    assert says in str(caught.value)
    assert caught.value.next_step
    assert "open-sesame" not in str(caught.value)


def test_a_file_that_is_no_database_is_told(tmp_path: object) -> None:
    path = f"{tmp_path}/letter.db"
    with open(path, "w") as file:
        file.write("Dear accountant, " * 500)
    with pytest.raises(WarehouseError, match="cannot be used"):
        open_warehouse(f"sqlite:///{path}")
