"""The mirror of the catalog's entities as tables to query."""

from __future__ import annotations

from functools import cache

from sqlalchemy import ColumnElement, Table, and_

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.warehouse.mirror import Mirror


@cache
def catalog_mirror() -> Mirror:
    """The definitions of the catalog's mirror tables."""
    return Mirror.of(tuple(CATALOG))


def is_live(table: Table, integration: str) -> ColumnElement[bool]:
    """The integration's objects that BILL still has and that are in use there."""
    c = table.c
    return and_(c.integration == integration, c.archived.is_not(True), c.deleted_at.is_(None))
