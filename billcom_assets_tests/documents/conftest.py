from __future__ import annotations

from pathlib import Path

import pytest

from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.documents.truth import ENTITIES, Attached
from billcom_assets_tests.sync.conftest import Serve, serve

__all__ = ["serve"]


@pytest.fixture
def attached(serve: Serve, warehouse: Warehouse, tmp_path: Path) -> Attached:
    """A small company whose bills, invoices and vendor credits are mirrored, and no file yet."""
    one = Attached(serve(bills=40), tmp_path / "files")
    one.company.sync(warehouse, only=ENTITIES)
    return one
