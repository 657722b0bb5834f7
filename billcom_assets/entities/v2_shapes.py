"""v3's objects as BILL's v2 API has them, for integrations that read v2 alone.

What the objects are made of is declared in ``v2_shapes.toml``; where the two APIs have the same, the mirror has the
same, whichever of them was read.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from importlib.resources import files
from typing import Any, Final

from billcom_assets.entities.model import Column, Entity
from billcom_assets.entities.v2 import APPROVERS, V2_KEY
from billcom_assets.entities.values import NO_ID

Record = Mapping[str, Any]
Read = Callable[[Record, Record], Any]
"""Takes a value out of a record, or out of a part; the second argument is the whole record."""
_EVERYWHERE: Final = {name: name for name in ("id", "createdTime", "updatedTime")}
_TABLES: Final[dict[str, Any]] = tomllib.loads(
    files(__package__).joinpath("v2_shapes.toml").read_text(encoding="utf-8")
)
_WORDS: Final[dict[str, dict[str, Any]]] = _TABLES.pop("words")
_PARTS: Final[dict[str, dict[str, str]]] = _TABLES.pop("parts")
_TOTAL: Final = "amount"
_TOTAL_IN_CURRENCY: Final = "localAmount"


def _plain(record: Record, _whole: Record, *, field: str) -> Any:
    value = record.get(field)
    return None if value == "" else value


def _id(record: Record, _whole: Record, *, field: str) -> Any:
    value = record.get(field)
    return None if value in (NO_ID, "") else value


def _word(record: Record, _whole: Record, *, field: str, words: Mapping[str, Any]) -> Any:
    value = record.get(field)
    # A flag is text where BILL writes everything as text.
    digit = str(value).lower() if isinstance(value, bool) else str(value)
    return None if value in (None, "") else words.get(digit, value)


def _foreign(record: Record, whole: Record, *, field: str) -> Any:
    return record.get(field) if _in_currency(whole) is not None else None


def _home(record: Record, whole: Record, *, field: str) -> Any:
    """Money in the document's currency, as far as v2 tells."""
    value, total = _plain(record, whole, field=field), _in_currency(whole)
    if value is None or total is None:
        return value
    try:
        if not Decimal(str(value)):
            return value
        return total if Decimal(str(value)) == Decimal(str(whole.get(_TOTAL))) else None
    except InvalidOperation:
        return None


def _in_currency(whole: Record) -> Any:
    """The total of a foreign document in its currency; None for one in US dollars, whatever stands there then."""
    value = whole.get(_TOTAL_IN_CURRENCY)
    try:
        is_none = value in (None, "") or not Decimal(str(value))
        return None if is_none or Decimal(str(value)) == Decimal(str(whole.get(_TOTAL))) else value
    except InvalidOperation:
        return None


def _either(record: Record, _whole: Record, *, choices: tuple[tuple[str, str], ...]) -> Any:
    named = ((_id(record, record, field=field), kind) for field, kind in choices)
    return next(({"type": kind, "id": identifier} for identifier, kind in named if identifier), None)


def _each(record: Record, whole: Record, *, part: Mapping[str, Read], field: str) -> Any:
    parts = record.get(field)
    if not isinstance(parts, list):
        return None
    return [_made(part, one, whole) for one in parts if isinstance(one, dict)]


def _choices(*words: str) -> Read:
    return partial(_either, choices=tuple(zip(words[::2], words[1::2], strict=True)))


_VERBS: Final[Mapping[str, Callable[..., Read]]] = {
    "id": lambda field: partial(_id, field=field),
    "word": lambda table, field: partial(_word, field=field, words=_WORDS[table]),
    "home": lambda field: partial(_home, field=field),
    "foreign": lambda field: partial(_foreign, field=field),
    "either": _choices,
    "each": lambda name, field: partial(_each, part=_readers(_PARTS[name]), field=field),
}


def _reader(source: str) -> Read:
    verb, *rest = source.split()
    return _VERBS[verb](*rest) if rest else partial(_plain, field=source)


def _readers(sources: Mapping[str, str]) -> dict[str, Read]:
    return {place: _reader(source) for place, source in sources.items()}


def _made(readers: Mapping[str, Read], record: Record, whole: Record) -> dict[str, Any]:
    """The object; what v2 does not say is left out, as v3 does."""
    made: dict[str, Any] = {}
    for place, read in readers.items():
        value = read(record, whole)
        if value is not None:
            *above, name = place.split(".")
            parent = made
            for key in above:
                parent = parent.setdefault(key, {})
            parent[name] = value
    return made


@dataclass(frozen=True)
class Join:
    """What v2 keeps in a list of its own, and v3 in the object."""

    place: str
    """Where it stands in v3's object."""
    name: str
    """v2's, of the list."""
    key: str
    """Its field that names the object."""
    readers: Mapping[str, Read]

    def parts(self, records: Iterable[Record]) -> dict[str, list[dict[str, Any]]]:
        """What stands in v3's objects, by their ids."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in records:
            found[str(record.get(self.key))].append(_made(self.readers, record, record))
        return found


@dataclass(frozen=True)
class Shape:
    """One of v3's lists as v2 has it."""

    names: tuple[str, ...]
    """v2's, the likeliest first."""
    readers: Mapping[str, Read]
    join: Join | None

    def v3(self, record: Record, joined: Mapping[str, Sequence[Any]] | None = None) -> dict[str, Any]:
        """The v3 object that a v2 record is, as far as v2 tells.

        Args:
            record: Of v2's.
            joined: What the join has, by the ids of objects; None where v2 does not tell.
        """
        made = _made(self.readers, record, record)
        if self.join is None or joined is None:
            return made
        return made | {self.join.place: joined.get(str(made.get("id")), [])}


def _join(words: str | None) -> Join | None:
    if words is None:
        return None
    place, part, listed, key = words.split()
    return Join(place, listed, key, _readers(_PARTS[part]))


SHAPES: Final[Mapping[str, Shape]] = {
    path: Shape(tuple(facts["list"].split()), _readers(_EVERYWHERE | facts["fields"]), _join(facts.get("join")))
    for path, facts in _TABLES.items()
}
"""By the path of v3's list."""


def is_in_v2(entity: Entity) -> bool:
    """Whether v2 has the entity's list."""
    return entity.is_of_v2 or entity.path in SHAPES


def not_in_v2(entities: Collection[Entity]) -> tuple[str, ...]:
    """Names of the entities that v2 does not have."""
    return tuple(entity.name for entity in entities if not is_in_v2(entity))


def differences(entity: Entity) -> Iterator[tuple[str, str, str]]:
    """(table, column, what is different) of each column that v2 alone does not fill as v3 does."""
    facts = _TABLES[entity.path]
    fields, coarser = facts["fields"], frozenset(facts.get("coarser", ()))
    filled = _filled_anyway(entity)
    for column in entity.columns:
        if column.path not in filled and (why := _difference(column, fields, coarser)):
            yield entity.name, column.name, why
    for child in entity.children:
        if child.path in filled:
            continue
        part = _part(facts, child.path)
        for column in child.columns:
            why = _difference(column, _PARTS[part], frozenset(), is_part=True) if part else _NOWHERE
            if why:
                yield child.table, column.name, why


def _part(facts: Mapping[str, Any], place: str) -> str:
    """The parts at a place; "" where v2 has none."""
    if place in facts["fields"]:
        return str(facts["fields"][place]).split()[1]
    joined, part, *_ = facts.get("join", " ").split(" ")
    return part if joined == place else ""


def _filled_anyway(entity: Entity) -> frozenset[str]:
    """Places that are filled from v2 where v3 says nothing, whichever API is read."""
    if entity.v2 is None:
        return frozenset()
    stopgaps = {one.place for one in entity.v2.stopgaps}
    told = {f"{one.place}Source" for one in entity.v2.stopgaps if one.tells}
    return frozenset(stopgaps | told | ({APPROVERS} if entity.v2.has_approvers else set()))


_NOWHERE: Final = "null"


def _difference(
    column: Column, fields: Mapping[str, str], coarser: frozenset[str], *, is_part: bool = False
) -> str | None:
    if column.keys[0] == V2_KEY or column.absent is not None:
        return None
    place = column.path if column.path in fields else column.keys[0]
    if place not in fields:
        return _NOWHERE
    if place in coarser:
        return "says less than v3, or something where v3 says nothing"
    if fields[place].startswith("home") and (is_part or place != _TOTAL):
        return "null in a document in foreign currency, unless it is nothing or all of it"
    return None
