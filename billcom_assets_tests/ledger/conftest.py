from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.ledger.books import Books, connect


@pytest.fixture
def conn(warehouse: Warehouse) -> Iterator[Connection]:
    with warehouse.write() as connection:
        connect(connection)
        yield connection


@pytest.fixture
def books(conn: Connection) -> Books:
    return Books(conn)
