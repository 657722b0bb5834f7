"""The company that the stored databases mirror; the simulated BILL's own history may be another one by now."""

from __future__ import annotations

import lzma
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import Organization, Settings
from billcom_assets.sandbox.kinds import kind_at
from billcom_assets.sandbox.table import make_row

SETTINGS = Settings(bills=0, orgs=1)
BILLS = 20
_STORED = Path(__file__).with_name("company.json.xz")


def objects() -> dict[str, list[dict[str, Any]]]:
    """The objects of every list, by its path."""
    stored: dict[str, list[dict[str, Any]]] = msgspec.json.decode(lzma.decompress(_STORED.read_bytes()))
    return stored


def plant(organization: Organization) -> None:
    """Puts the company's objects in place of the organization's own."""
    stored = objects()
    for entity in (one for one in CATALOG if not one.is_of_v2):
        docs = stored[entity.path]
        rows = [make_row(dict(doc), _seconds(doc["createdTime"]), _seconds(doc["updatedTime"])) for doc in docs]
        organization.table(kind_at(entity.path)).restore(rows)
    # The first versions knew of no cards, so that there shall be none.
    organization.cards.update(VERIFIED=[], NOMINATED=[])
    organization.ap_cards.clear()


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
