"""The mandated orders, as a reader wants to see them: which asset comes after which.

Sync plan: the catalog's order, with ``account_alignment`` between ``accounts`` and ``bills``. Seed plan: the catalog's
entities marked ``in_seed``, in the same order. One graph holds both, because ``items`` also comes after ``accounts``
and ``departments`` also after ``items``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billcom_assets.entities.catalog import Catalog
from billcom_assets.entities.model import Entity

ALIGNMENT = "account_alignment"
_ALIGNMENT_FOLLOWS = "accounts"


@dataclass(frozen=True)
class Step:
    """One asset of the sync plan."""

    name: str
    after: tuple[str, ...]
    """Assets that it depends on: its predecessor, and those that it needs besides."""
    entity: Entity | None
    """None for a step that pulls nothing."""


def sync_plan(catalog: Catalog) -> Iterator[Step]:
    """Every step in the order in which a full sync takes them."""
    previous: tuple[str, ...] = ()
    for entity in catalog:
        after = tuple(dict.fromkeys((*previous, *entity.also_after)))
        yield Step(entity.name, after, entity)
        previous = (entity.name,)
        if entity.name == _ALIGNMENT_FOLLOWS:
            yield Step(ALIGNMENT, previous, None)
            previous = (ALIGNMENT,)


def seed_plan(catalog: Catalog) -> tuple[str, ...]:
    """Names of the seed's steps in their order."""
    return tuple(entity.name for entity in catalog.seed_plan())
