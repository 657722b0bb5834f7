from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from billcom_assets_tests.ledger.imports import Files


@pytest.fixture
def files(conn: Connection, tmp_path: Path) -> Files:
    return Files(conn, tmp_path)
