"""The mirror of the catalog's entities, without a database."""

from __future__ import annotations

from functools import cache

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.warehouse.mirror import Mirror


@cache
def catalog_mirror() -> Mirror:
    """The definitions of the catalog's mirror tables."""
    return Mirror.of(tuple(CATALOG))
