from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.warehouse import tables
from billcom_assets.warehouse.mirror import Mirror
from billcom_assets_tests.ledger.books import Books, connect


@dataclass
class LocalWarehouse:
    engine: Engine


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "w.db"
    engine = create_engine(f"sqlite:///{path}").execution_options(schema_translate_map={"billcom": None})
    tables.metadata.create_all(engine)
    Mirror.of(tuple(CATALOG)).metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def warehouse(tmp_path: Path, empty_database: Path) -> Iterator[LocalWarehouse]:
    path = shutil.copy(empty_database, tmp_path / "w.db")
    engine = create_engine(f"sqlite:///{path}").execution_options(schema_translate_map={"billcom": None})
    yield LocalWarehouse(engine)
    engine.dispose()


@pytest.fixture
def conn(warehouse: LocalWarehouse) -> Iterator[Connection]:
    with warehouse.engine.begin() as connection:
        connect(connection)
        yield connection


@pytest.fixture
def books(conn: Connection) -> Books:
    return Books(conn)
