"""What a set of declarations must satisfy before anything is built from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from billcom_assets.entities.model import NAMED_BY, Column, ColumnType, Entity

COMMON_COLUMNS = (
    "integration",
    "id",
    "archived",
    "created_time",
    "updated_time",
    "deleted_at",
    "first_seen_at",
    "synced_at",
    "payload",
)
"""Columns that every entity's table has without being declared."""

LONGEST_NAME = 63
"""PostgreSQL cuts longer names off."""

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


def validate(entities: Sequence[Entity]) -> None:
    """Raises ValueError that lists every contradiction in the declarations."""
    problems = [*_naming(entities), *_linking(entities)]
    if problems:
        raise ValueError("the entity catalog is not consistent: " + "; ".join(problems))


def _naming(entities: Sequence[Entity]) -> Iterator[str]:
    yield from _repeated((table for entity in entities for table in entity.tables()), "table")
    yield from _repeated((entity.singular for entity in entities), "singular")
    for entity in entities:
        yield from _column_names(entity.name, entity.columns, COMMON_COLUMNS)
        for child in entity.children:
            yield from _column_names(child.table, child.columns, ("integration", entity.id_column, "position"))


def _column_names(table: str, columns: Iterable[Column], taken: Sequence[str]) -> Iterator[str]:
    names = [column.name for column in columns]
    yield from _repeated(names, f"{table}: column")
    for name in (table, *names):
        if len(name) > LONGEST_NAME or not _IDENTIFIER.fullmatch(name):
            yield f"{table}: {name} is no name of at most {LONGEST_NAME} lower-case letters, digits and underscores"
    for name in names:
        if name in taken:
            yield f"{table}: {name} is added to every such table and may not be declared"


def _repeated(names: Iterable[str], what: str) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{what} {name} is declared twice"
        seen.add(name)


def _linking(entities: Sequence[Entity]) -> Iterator[str]:
    known = {entity.name for entity in entities}
    for entity in entities:
        for column in (*entity.columns, *(column for child in entity.children for column in child.columns)):
            if column.references is not None and column.references not in known:
                yield f"{entity.name}.{column.name} references {column.references}, which does not exist"
        yield from _touching(entity, known)
        yield from _standing_in(entity, {other.name: other for other in entities})
        yield from _dates_and_states(entity)
        yield from _opening(entity, {other.name: other for other in entities})


def _touching(entity: Entity, known: set[str]) -> Iterator[str]:
    paths = [column.path for column in entity.columns] + [child.path for child in entity.children]
    for path, touched in entity.touches:
        if touched not in known:
            yield f"{entity.name} touches {touched}, which does not exist"
        if not any(path == declared or path.startswith(f"{declared}.") for declared in paths):
            yield f"{entity.name} touches {touched} through {path}, which is not declared"


def _standing_in(entity: Entity, known: Mapping[str, Entity]) -> Iterator[str]:
    names = {column.name: column for column in entity.columns}
    for one in entity.other_lists:
        if one.mark[0] not in names:
            yield f"{entity.name} has no column {one.mark[0]} for the mark of {one.path}"
    for named in entity.stand_ins:
        reference = names.get(named.reference)
        if reference is None or named.kind not in names:
            yield f"{entity.name} has no columns {named.reference} and {named.kind}, which name what needs stand-ins"
        elif (target := known.get(reference.references or "")) is None or not {"kind", NAMED_BY} <= {
            column.name for column in target.columns
        }:
            yield f"{entity.name}.{named.reference} references nothing that has the columns kind and {NAMED_BY}"


def _dates_and_states(entity: Entity) -> Iterator[str]:
    columns = {column.name: column for column in entity.columns}
    if entity.cutoff is not None:
        cutoff = columns.get(entity.cutoff)
        if cutoff is None or cutoff.type is not ColumnType.DATE:
            yield f"{entity.name}: the cutoff looks at {entity.cutoff}, which is no date column"
    for name, values in entity.settled:
        if name not in columns:
            yield f"{entity.name} is settled by {name}, which is no column"
        elif not values or not set(values) <= set(columns[name].values):
            yield f"{entity.name} is settled by values of {name} that the column does not know"


def _opening(entity: Entity, known: Mapping[str, Entity]) -> Iterator[str]:
    opening = entity.opening
    if opening is None:
        return
    if entity.cutoff is None:
        yield f"{entity.name} has no cutoff, so that nothing is before it"
    columns = {column.name: column for column in entity.columns}
    named = [opening.party, opening.number, opening.amount, *opening.open, *opening.applied]
    named += [name for name, _ in opening.excluded]
    party = columns.get(opening.party)
    parties = known.get(party.references or "") if party is not None else None
    if parties is None or opening.currency not in {column.name for column in parties.columns}:
        yield f"{entity.name}: what is kept before the cutoff has no currency"
    if opening.settles is not None:
        child = next((one for one in entity.children if one.table == opening.settles.table), None)
        theirs = {column.name for column in child.columns} if child is not None else set()
        if not {opening.settles.document, opening.settles.amount} <= theirs:
            yield f"{entity.name}: {opening.settles.table} does not say what is settled"
        named += [opening.settles.only_document] if opening.settles.only_document else []
    for name in named:
        if name not in columns:
            yield f"{entity.name}: of what is kept before the cutoff, {name} is no column"
