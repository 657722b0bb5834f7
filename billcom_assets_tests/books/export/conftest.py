from __future__ import annotations

import pytest
from sqlalchemy import Connection

from billcom_assets_tests.books.export.posted import Posted


@pytest.fixture
def posted(conn: Connection) -> Posted:
    return Posted(conn)
