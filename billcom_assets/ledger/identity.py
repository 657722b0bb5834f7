"""Which stored record a record of a file is when its id has changed: renamed, renumbered, or numbered at last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from billcom_assets.ledger.hierarchy import full_names, same


@dataclass(frozen=True, slots=True)
class Known:
    """What a record is known by, stored or in a file."""

    id: str
    number: str | None
    name: str
    full_name: str
    type: str | None
    """Of an account."""
    source_id: str | None
    active: bool

    @property
    def label(self) -> str:
        """As people call it."""
        return f"{self.number} {self.name}" if self.number else self.full_name


def known(rows: Iterable[Mapping[str, object]]) -> dict[str, Known]:
    """What records are known by, by id; from rows with the columns of a ledger table."""
    listed = [dict(row) for row in rows]
    paths = full_names({str(row["id"]): (str(row["name"]), _text(row.get("parent_id"))) for row in listed})
    return {
        str(row["id"]): Known(
            id=str(row["id"]),
            number=_text(row.get("number")),
            name=str(row["name"]),
            full_name=paths[str(row["id"])],
            type=_text(row.get("type")),
            source_id=_text(row.get("source_id")),
            active=bool(row["active"]),
        )
        for row in listed
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def renames(stored: Mapping[str, Known], wanted: Mapping[str, Known]) -> dict[str, str]:
    """New ids by the stored ones that they take the place of.

    Recognised is what the program's own id says; then the one pair with the same full name, so that a chart may be
    renumbered in a chain; then, of what is gone and what is new, the one pair with the same name and type of account.
    Where more than one could be meant nothing is.
    """
    found = _moved(stored, _pairs(stored.values(), wanted.values(), lambda one: one.source_id), {})
    in_use = [one for one in stored.values() if one.active and one.id not in found]
    free = [one for one in wanted.values() if one.id not in found.values()]
    found |= _moved(stored, _pairs(in_use, free, _full_name), found)
    gone = [one for one in in_use if one.id not in wanted and one.id not in found]
    new = [one for one in free if one.id not in stored and one.id not in found.values()]
    return found | _moved(stored, _pairs(gone, new, _name_and_type), found)


def _moved(
    stored: Mapping[str, Known], pairs: Iterable[tuple[Known, Known]], already: Mapping[str, str]
) -> dict[str, str]:
    """New ids by old ones of the pairs whose ids differ, unless the new one is taken."""
    moved = {a.id: b.id for a, b in pairs if a.id != b.id and not are_different(a, b)}
    # An id is free when nothing is stored under it, or when what is there moves away itself.
    while blocked := [id_ for id_, new in moved.items() if new in stored and new not in moved and new not in already]:
        for id_ in blocked:
            del moved[id_]
    return moved


def _pairs(
    left: Iterable[Known], right: Iterable[Known], key: Callable[[Known], object | None]
) -> list[tuple[Known, Known]]:
    """Those that are alone with their key on both sides."""
    sides: dict[object, tuple[list[Known], list[Known]]] = defaultdict(lambda: ([], []))
    for side, records in enumerate((left, right)):
        for one in records:
            if (found := key(one)) is not None:
                sides[found][side].append(one)
    return [(before[0], after[0]) for before, after in sides.values() if len(before) == len(after) == 1]


def _full_name(one: Known) -> object:
    return same(one.full_name)


def _name_and_type(one: Known) -> object | None:
    return (same(one.name), one.type) if one.type else None


def are_different(before: Known, after: Known) -> bool:
    """Whether the program's own ids say so."""
    return bool(before.source_id and after.source_id and before.source_id != after.source_id)
