"""The catalog as plain text; ``python -m billcom_assets_tests.entities.snapshot`` records it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.model import Column, Entity

FILE = Path(__file__).with_name("catalog.txt")


def render() -> str:
    """One line per entity, child table and column."""
    return "".join(f"{line}\n" for entity in CATALOG for line in _entity(entity))


def _entity(entity: Entity) -> Iterator[str]:
    marks = [entity.path, entity.walk, entity.group]
    marks += ["seed"] if entity.in_seed else []
    marks += ["gated"] if entity.gated else []
    marks += ["mandatory"] if entity.is_mandatory else []
    marks += [f"cutoff={entity.cutoff}"] if entity.cutoff else []
    marks += list(_opening(entity))
    marks += [f"touches={name}:{path}" for path, name in entity.touches]
    marks += [f"also={one.path}:{'='.join(one.mark)}" for one in entity.other_lists]
    marks += [f"stand-ins={one.reference}:{'|'.join(one.kinds)}" for one in entity.stand_ins]
    marks += [f"settled={column}:{'|'.join(values)}" for column, values in entity.settled]
    yield f"{entity.name} ({' '.join(marks)})"
    yield from (f"  {_column(column)}" for column in entity.columns)
    for child in entity.children:
        yield f"  {child.table} [{child.path}]"
        yield from (f"    {_column(column)}" for column in child.columns)


def _opening(entity: Entity) -> Iterator[str]:
    voids, opening = entity.voids, entity.opening
    if voids is not None:
        yield f"voids={voids.requests}:{'|'.join(voids.times)}:{'='.join(voids.accepted)}:{'|'.join(voids.status[1])}"
    if opening is not None:
        yield f"opening={opening.party}:{opening.currency}:{opening.number}:{opening.amount}"
        yield f"open={'+'.join(opening.open)}-{'-'.join(opening.applied)}"
        yield from (f"excluded={column}:{'|'.join(values)}" for column, values in opening.excluded)
        if opening.settles is not None:
            names = (opening.settles.table, opening.settles.document, opening.settles.only_document or "")
            yield f"settles={':'.join(names)}:{opening.settles.amount}"


def _column(column: Column) -> str:
    marks = [f"-> {column.references}"] if column.references else []
    marks += ["sensitive"] if column.sensitive else []
    marks += ["|".join(column.values)] if column.values else []
    marks += [f"else={column.absent}"] if column.absent else []
    marks += [f"or {'='.join(column.or_kind)}"] if column.or_kind else []
    return " ".join([column.name, column.type, column.path, *marks])


if __name__ == "__main__":
    FILE.write_text(render())
