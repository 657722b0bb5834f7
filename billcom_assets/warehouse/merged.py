"""What was merged into what: the view ``merged_objects``, in which every chain of mergers leads to its survivor."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, Select, Text, literal, select, union_all

from billcom_assets.warehouse.mirror import Mirror

MERGED: Final = "merged_objects"
MERGED_INTO: Final = "merged_into_id"
_LONGEST_CHAIN: Final = 20
"""Mergers in a row; a circle, which BILL cannot mean, ends there."""
COMMENTS: Final = {
    "integration": "Integration key",
    "entity": "Entity of both",
    "id": "BILL's id of the object that was merged",
    "survivor_id": "BILL's id of the one that is left of all of them",
}


def merged_query(mirror: Mirror) -> Select[Any]:
    """One row per merged object: integration, entity, id and the id of the survivor.

    Raises:
        KeyError: nothing in the mirror tells of mergers.
    """
    tables = [mirror.table(entity.name) for entity in mirror.entities]
    told = [table for table in tables if MERGED_INTO in table.c]
    if not told:
        raise KeyError(MERGED_INTO)
    steps = union_all(
        *(
            select(
                table.c.integration,
                literal(table.name, Text).label("entity"),
                table.c.id,
                table.c[MERGED_INTO].label("into"),
            ).where(table.c[MERGED_INTO].is_not(None))
            for table in told
        )
    ).cte("steps")
    first = select(
        steps.c.integration, steps.c.entity, steps.c.id, steps.c["into"], literal(1, Integer).label("length")
    )
    chain = first.cte("chain", recursive=True)
    same_list = (steps.c.integration == chain.c.integration) & (steps.c.entity == chain.c.entity)
    chain = chain.union_all(
        select(chain.c.integration, chain.c.entity, chain.c.id, steps.c["into"], chain.c.length + 1)
        .join(steps, same_list & (steps.c.id == chain.c["into"]))
        .where(chain.c.length < _LONGEST_CHAIN)
    )
    further = steps.alias("further")
    goes_on = (
        (further.c.integration == chain.c.integration)
        & (further.c.entity == chain.c.entity)
        & (further.c.id == chain.c["into"])
    )
    return (
        select(chain.c.integration, chain.c.entity, chain.c.id, chain.c["into"].label("survivor_id"))
        .outerjoin(further, goes_on)
        .where(further.c.id.is_(None))
    )
