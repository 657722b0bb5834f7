from __future__ import annotations

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


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[LocalWarehouse]:
    engine = create_engine(f"sqlite:///{tmp_path}/w.db").execution_options(schema_translate_map={"billcom": None})
    tables.metadata.create_all(engine)
    Mirror.of(tuple(CATALOG)).metadata.create_all(engine)
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
