"""v2's view of the same objects: other names, digits for enums, twenty zeros for ids that are not set.

The ``.toml`` files beside this module say of each field where it comes from. Money of foreign documents is in US
dollars here (``amount``), with the amount in the document's currency beside it (``localAmount``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from billcom_assets.sandbox.codec import Doc
from billcom_assets.sandbox.ids import NO_ID
from billcom_assets.sandbox.kinds import BY_PATH, Kind
from billcom_assets.sandbox.organization import Organization
from billcom_assets.sandbox.table import Row
from billcom_assets.sandbox.v2.computed import PARTS, VALUES
from billcom_assets.sandbox.v2.subject import Subject

_FILES = ("codes", "disbursements", "payables", "receivables", "reference")
_TABLES: dict[str, Any] = {}
_CODES: dict[str, dict[str, Any]] = {}
for _file in _FILES:
    _tables = tomllib.loads(files(__package__).joinpath(f"{_file}.toml").read_text(encoding="utf-8"))
    _CODES |= _tables.pop("codes", {})
    _TABLES |= _tables
_EVERYWHERE = frozenset({"id", "isActive", "createdTime", "updatedTime"})


def _code(subject: Subject, table_and_path: str) -> Any:
    table, path = table_and_path.split()
    value, codes = subject.at(path), _CODES[table]
    text = str(value).lower() if isinstance(value, bool) else value
    return codes[text] if text in codes else codes[""]


def _time(subject: Subject, path: str) -> str | None:
    value = subject.at(path)
    return value.replace("+00:00", "+0000") if value is not None else None


def _each(subject: Subject, entity_and_parts: str) -> list[Doc]:
    entity, name = entity_and_parts.split()
    return [record(entity, part) for part in parts_of(subject, name)]


_VERBS: Mapping[str, Callable[[Subject, str], Any]] = {
    "id": lambda subject, path: subject.at(path) or NO_ID,
    "usd": lambda subject, path: subject.usd(subject.at(path)),
    "local": lambda subject, path: subject.at(path) if subject.is_foreign() else None,
    "code": _code,
    "time": _time,
    "flag": lambda subject, path: subject.at(path) or False,
    "text": lambda _subject, text: text,
    "each": _each,
    "of": lambda subject, name: VALUES[name](subject),
}


def parts_of(subject: Subject, name: str) -> list[Subject]:
    """The parts of an object under a name, in their order."""
    if name in PARTS:
        return subject.parts(PARTS[name](subject))
    return subject.parts(part | {"order": order} for order, part in enumerate(subject.doc.get(name, ())))


def record(entity: str, subject: Subject) -> Doc:
    """The v2 record of an object or a part, children included."""
    return {"entity": entity} | {name: _value(source, subject) for name, source in _TABLES[entity]["fields"].items()}


def _value(source: Any, subject: Subject) -> Any:
    if not isinstance(source, str):
        return source
    verb, _, rest = source.partition(" ")
    if rest:
        return _VERBS[verb](subject, rest)
    return None if source == "null" else subject.at(source)


@dataclass(frozen=True, slots=True)
class Shape:
    """One v2 entity.

    Attributes:
        entity: Its name.
        kind: The v3 kind of the same objects, or of those that it is a part of.
        prefix: First three characters of its ids.
        filterable: Fields a List call may filter by.
        parts: Name of the parts of the object that it is; "" for the object itself.
        listed: It has a List call.
    """

    entity: str
    kind: Kind
    prefix: str
    filterable: frozenset[str]
    parts: str
    listed: bool

    @property
    def fields(self) -> Collection[str]:
        """Names of the fields of its records."""
        names: Collection[str] = _TABLES[self.entity]["fields"].keys()
        return names

    @property
    def children(self) -> frozenset[str]:
        """Fields that hold nested objects."""
        fields = _TABLES[self.entity]["fields"].items()
        return frozenset(name for name, source in fields if str(source).startswith("each "))

    def subjects(self, organization: Organization, row: Row) -> list[Subject]:
        """What an object is in v2: itself, or those of its parts that have this shape."""
        doc = row.doc() | {"hidden": row.hidden or {}}
        subject = Subject(organization, doc, doc)
        return parts_of(subject, self.parts) if self.parts else [subject]

    def value(self, field: str, subject: Subject) -> Any:
        """One field of the record.

        Raises:
            KeyError: It has no such field.
        """
        return _value(_TABLES[self.entity]["fields"][field], subject)

    def record(self, subject: Subject) -> Doc:
        """The v2 record, children included."""
        return record(self.entity, subject)


def _shape(entity: str, facts: Mapping[str, Any]) -> Shape:
    kind = BY_PATH[facts["path"]]
    return Shape(
        entity=entity,
        kind=kind,
        prefix=facts.get("prefix", kind.prefix),
        filterable=(_EVERYWHERE & facts["fields"].keys()) | frozenset(facts.get("filterable", "").split()),
        parts=facts.get("parts", ""),
        listed=facts.get("listed", True),
    )


SHAPES: Mapping[str, Shape] = {entity: _shape(entity, facts) for entity, facts in _TABLES.items() if "path" in facts}


def v2_rows(organization: Organization, entity: str) -> list[Doc]:
    """The current objects of a v2 list with their children, in creation order: what BILL knows.

    Raises:
        KeyError: There is no such entity.
    """
    if entity not in SHAPES:
        raise KeyError(f"no v2 entity {entity}; there are {', '.join(SHAPES)}")
    shape = SHAPES[entity]
    table = organization.table(shape.kind)
    rows = (table.rows[entry[-1]] for entry in table.index("createdTime"))
    return [shape.record(subject) for row in rows for subject in shape.subjects(organization, row)]
