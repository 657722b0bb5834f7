"""What follows the catalog, part by part: the definition that each has, and how far an upgrade has come with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, select

from billcom_assets.warehouse.tables import mirror_parts
from billcom_assets.warehouse.upsert import upsert

_START = ("", "")


class PartKind(StrEnum):
    """What a part is."""

    TABLE = "table"
    VIEW = "view"
    INDEX = "index"


@dataclass(frozen=True)
class Part:
    """One table, view or index."""

    kind: PartKind
    name: str
    definition: str
    complete: bool
    after: tuple[str, str] = _START
    """Integration and id up to which a table's rows are filled."""


def load(connection: Connection) -> dict[tuple[PartKind, str], Part]:
    """All that are known."""
    rows = connection.execute(select(mirror_parts))
    parts = [
        Part(
            PartKind(row.kind),
            row.name,
            row.definition,
            row.complete,
            (row.after_integration or "", row.after_id or ""),
        )
        for row in rows
    ]
    return {(part.kind, part.name): part for part in parts}


def unfinished(connection: Connection) -> list[Part]:
    """Those with work left: rows to be filled, an index or a view to be made."""
    return [part for part in load(connection).values() if not part.complete]


def save(connection: Connection, parts: Iterable[Part]) -> None:
    """Stores them; those of the same kind and name are replaced."""
    now = datetime.now(UTC)
    rows = [
        {
            "kind": part.kind.value,
            "name": part.name,
            "definition": part.definition,
            "complete": part.complete,
            "after_integration": part.after[0] or None,
            "after_id": part.after[1] or None,
            "changed_at": now,
        }
        for part in parts
    ]
    upsert(connection, mirror_parts, rows)


def remove(connection: Connection, kind: PartKind, names: Collection[str]) -> None:
    """Removes what is known of these."""
    p = mirror_parts.c
    connection.execute(mirror_parts.delete().where(p.kind == kind.value, p.name.in_(names)))


def advance(connection: Connection, tables: Iterable[Part], after: tuple[str, str] | None) -> None:
    """Notes how far the rows of these tables are filled; None: all are."""
    p = mirror_parts.c
    for part in tables:
        connection.execute(
            mirror_parts.update()
            # Another version may have begun to fill the table after its own definition.
            .where(p.kind == PartKind.TABLE.value, p.name == part.name, p.definition == part.definition)
            .values(
                complete=after is None,
                after_integration=after[0] if after else None,
                after_id=after[1] if after else None,
                changed_at=datetime.now(UTC),
            )
        )
