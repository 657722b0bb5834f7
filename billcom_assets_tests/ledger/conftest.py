from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.ledger.books import Books, connect


@pytest.fixture(scope="session")
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Warehouse]]:
    """An open warehouse of each dialect, shared by tests that undo what they write."""
    made: dict[str, Warehouse] = {}

    def in_file() -> str:
        path = tmp_path_factory.mktemp("shared") / "billcom.db"
        shutil.copy(Path(request.getfixturevalue("migrated_file")), path)
        return f"sqlite:///{path}"

    def of(dialect: str) -> Warehouse:
        if dialect not in made:
            made[dialect] = open_warehouse(
                in_file() if dialect == "sqlite" else request.getfixturevalue("postgres").create()
            )
        return made[dialect]

    yield of
    for warehouse in made.values():
        warehouse.close()


@pytest.fixture
def conn(dialect: str, opened: Callable[..., Warehouse]) -> Iterator[Connection]:
    """A writing connection to books of the test's own."""
    with (
        opened(dialect).engine.connect().execution_options(begin_immediate=True) as connection,
        connection.begin() as transaction,
    ):
        connect(connection)
        yield connection
        transaction.rollback()


@pytest.fixture
def books(conn: Connection) -> Books:
    return Books(conn)
