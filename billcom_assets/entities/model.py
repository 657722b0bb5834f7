"""The vocabulary in which an entity is declared: columns, child tables, walks.

A declaration is data. Tables, extraction, asset specs, documentation and contract checks all read it,
so a column is described once and described everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

NAMED_BY = "named_by"
"""Column of an entity that has stand-ins: what names an object that no list has shown."""
_CAMEL_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")


class ColumnType(StrEnum):
    """What a column holds, independent of any database."""

    TEXT = "text"
    MONEY = "money"
    """Decimal in the currency that the column's description names."""
    NUMBER = "number"
    """Decimal that is no money: quantities, rates, percentages."""
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    """Calendar date without a time zone."""
    TIMESTAMP = "timestamp"
    """Instant in UTC."""
    JSON = "json"
    """Nested data kept as BILL sends it."""


class Walk(StrEnum):
    """How BILL lets an entity's list be read."""

    WINDOWED = "windowed"
    """Filters on created and updated time; large, so its first pull walks several created-time windows at once."""
    INCREMENTAL = "incremental"
    """Filters on created and updated time; small enough for one walk."""
    FULL = "full"
    """No time filter: every sync reads the whole list."""


class Group(StrEnum):
    """The part of the books an entity belongs to; one Dagster tag value each."""

    PAYABLES = "payables"
    RECEIVABLES = "receivables"
    REFERENCE = "reference"
    CLASSIFICATION = "classification"
    ACCESS = "access"


def column_name(path: str) -> str:
    """The snake_case column for a place in the payload.

    Nested names are joined; a name that repeats its parent is not doubled:
    ``invoice.invoiceDate`` becomes ``invoice_date``, ``account.number`` becomes ``account_number``.
    """
    name = ""
    for part in path.split("."):
        snake = _CAMEL_BOUNDARY.sub("_", part).lower()
        repeats_parent = snake == name or snake.startswith(f"{name}_")
        name = snake if not name or repeats_parent else f"{name}_{snake}"
    return name


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a mirror table: where it is in the payload, its type and what it means."""

    path: str
    """Dotted place in BILL's object, for example ``invoice.invoiceDate``."""
    type: ColumnType
    description: str
    name: str = ""
    """Column name; derived from ``path`` when empty."""
    values: tuple[str, ...] = ()
    """Known values of an open enum; others are kept and reported by a check."""
    references: str | None = None
    """Name of the entity whose id this column holds."""
    sensitive: bool = False
    """Personal, tax or bank data: masked in samples, never logged."""
    absent: str | None = None
    """What it holds where BILL sends nothing."""
    or_kind: tuple[str, str] | None = None
    """(JSON path, value): where BILL sends no id, but this value there, the value is the id. It is the only object of
    its kind, to which BILL gives none."""
    keys: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.path.split(".")))
        if not self.name:
            object.__setattr__(self, "name", column_name(self.path))

    @property
    def is_id(self) -> bool:
        """It holds an id, mirrored or not."""
        return self.references is not None or self.keys[-1] == "id" or self.keys[-1].endswith("Id")


@dataclass(frozen=True, slots=True)
class Child:
    """A list inside an object, kept as rows of a table of its own and replaced with its parent.

    One row per element; the key is (integration, parent id, position), position counting from 0.
    """

    table: str
    path: str
    """Dotted place of the list in the parent's object."""
    description: str
    columns: tuple[Column, ...]
    repeats: tuple[str, ...] = ()
    """Fields of the elements that say what the row says anyway, such as the parent's id."""


@dataclass(frozen=True, slots=True)
class OtherList:
    """A further list of BILL's whose objects are rows of the same table: short, without pages, read whole each time."""

    path: str
    """For example ``/v3/funding-accounts/cards``."""
    mark: tuple[str, str]
    """(column, value) that tells its objects from the others; added to their payload, where BILL has no such field."""
    member: str = ""
    """Key of the objects in the response; empty when the response itself is the list."""
    queries: tuple[tuple[tuple[str, str], ...], ...] = ((),)
    """Query parameters of each request that it takes to see all of it."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """Objects that others name and that no list of BILL's need show: they get rows made of no more than their names.

    Their entity has the columns ``kind`` and ``named_by``.
    """

    reference: str
    """Name of the column that holds the id."""
    kind: str
    """Name of the column that says of which kind the named object is."""
    kinds: tuple[str, ...]
    """The kinds of which objects may be missing in every list."""


@dataclass(frozen=True, slots=True)
class Settles:
    """The child table that says which documents an object settles, and how much of each."""

    table: str
    document: str
    """Its column that names what is settled."""
    amount: str
    """Its column that says how much of it."""
    only_document: str | None = None
    """Column of the object itself that names what all of it settles where the list is empty; None for no such."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What is kept of a document before the cutoff: it may be open still, be settled by a later one, or settle one.

    Names of the entity's columns, unless something else is said.
    """

    party: str
    currency: str
    """Column of the party's entity."""
    number: str
    amount: str
    open: tuple[str, ...] = ()
    """What is open is the sum of these, less those in ``applied``; without any, nothing ever is. Where BILL leaves the
    first of them out, all of the amount counts as open."""
    applied: tuple[str, ...] = ()
    excluded: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(column, values) of which any means that nothing is kept, as of an archived document."""
    settles: Settles | None = None


@dataclass(frozen=True, slots=True)
class Voids:
    """How an object says that it was undone, and when; names are JSON paths."""

    status: tuple[str, tuple[str, ...]]
    """(JSON path, values), one of which it must have."""
    requests: str
    """The list of requests to undo it."""
    accepted: tuple[str, str]
    """(field, value) of a request that was accepted."""
    times: tuple[str, ...]
    """Fields of a request, of which the first that is filled says when."""


Words = tuple[tuple[str, str], ...]
"""v3's word for each of v2's digits."""


@dataclass(frozen=True, slots=True)
class Stopgap:
    """A field of v2's that takes the place of one of v3's where that says nothing."""

    place: str
    """Key of v3's object."""
    field: str
    """v2's."""
    words: Words = ()
    """v3 says something when it says one of these; without them, when it says anything."""
    tells: bool = False
    """The key with ``Source`` behind it says which of the two it was: v3 or v2."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A value out of a list in a v2 record: that of the last element in which another field has a certain value."""

    child: str
    field: str
    where: tuple[str, str]
    """(field, value)."""
    name: str
    """Key in the record under which it is kept."""


@dataclass(frozen=True, slots=True)
class V2:
    """Where BILL's v2 API has an entity's objects, and what is taken from it; ``entities.v2`` reads it."""

    lists: tuple[str, ...]
    """v2's names, for example ``Bill``."""
    is_short: bool = False
    """Read whole with every sync; others are asked about what has changed in v3."""
    stopgaps: tuple[Stopgap, ...] = ()
    words: tuple[tuple[str, Words], ...] = ()
    """For fields that hold digits."""
    picks: tuple[Pick, ...] = ()
    has_approvers: bool = False
    """Who is asked to approve an object is a call of its own."""


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of BILL object, declared once."""

    name: str
    """Table and asset name, plural, for example ``vendor_credits``."""
    singular: str
    """For messages and child keys, for example ``vendor_credit``."""
    path: str
    """BILL's list path, for example ``/v3/vendor-credits``; of v2's ``/api/v2/List/MoneyMovement.json``."""
    id_prefix: str
    """Three-letter prefix of BILL's ids; empty where none is published."""
    group: Group
    walk: Walk
    description: str
    columns: tuple[Column, ...]
    children: tuple[Child, ...] = ()
    repeats: tuple[str, ...] = ()
    """Fields that say what the row says anyway, such as v2's name of the entity."""
    other_lists: tuple[OtherList, ...] = ()
    """Further lists with objects of the entity."""
    stand_ins: tuple[StandIns, ...] = ()
    """What its objects name that must have a row whether BILL lists it or not."""
    cutoff: str | None = None
    """Name of the date column that the integration's cutoff looks at."""
    voids: Voids | None = None
    """How an object before the cutoff says that it was undone; one that was undone since then is not left out."""
    opening: Opening | None = None
    """What is kept of objects that the cutoff leaves out."""
    touches: tuple[tuple[str, str], ...] = ()
    """(place in the payload, entity) of objects that BILL may change together with this one without moving
    their updated time; they are read again by id."""
    settled: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(column name, values) that must all hold for an object to be final; others are looked at again.
    Empty: they are not read again."""
    final_after_days: int | None = None
    """Days without an update after which an object counts as final all the same; None: never."""
    in_seed: bool = False
    """Part of the seed plan."""
    gated: bool = False
    """May only be pulled once the integration's setup is complete."""
    is_mandatory: bool = False
    """A run fails when BILL does not show the list to the login; others are left out."""
    v2: V2 | None = None
    """What v2 adds; None where nothing is taken from it."""
    docs: str = ""
    """BILL's documentation of the list."""

    def column(self, name: str) -> Column:
        """The column called ``name``; raises KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def id_column(self) -> str:
        """Name of the column that holds this entity's id in its child tables."""
        return f"{self.singular}_id"

    @property
    def is_of_v2(self) -> bool:
        """Its list is one of BILL's v2 API, which v3 does not have."""
        return self.path.startswith("/api/v2/")

    @property
    def call(self) -> str:
        """The call of its list, for messages."""
        return f"{'POST' if self.is_of_v2 else 'GET'} {self.path}"

    @property
    def touched(self) -> tuple[str, ...]:
        """Entities whose objects BILL may change together with this one's, each once."""
        return tuple(dict.fromkeys(entity for _, entity in self.touches))

    def tables(self) -> Iterator[str]:
        """Names of this entity's tables, its own first."""
        yield self.name
        for child in self.children:
            yield child.table


def text(path: str, description: str, *, sensitive: bool = False, name: str = "") -> Column:
    """A text column."""
    return Column(path, ColumnType.TEXT, description, name, sensitive=sensitive)


def enum(path: str, values: tuple[str, ...], description: str, *, name: str = "", absent: str | None = None) -> Column:
    """An open enum: BILL's upper-case words, unknown ones kept."""
    return Column(path, ColumnType.TEXT, description, name, values=values, absent=absent)


def reference(
    path: str, entity: str, description: str, *, name: str = "", or_kind: tuple[str, str] | None = None
) -> Column:
    """The id of an object of ``entity``."""
    return Column(path, ColumnType.TEXT, description, name, references=entity, or_kind=or_kind)


def money(path: str, description: str, *, name: str = "") -> Column:
    """An amount; the description names the currency."""
    return Column(path, ColumnType.MONEY, description, name)


def number(path: str, description: str, *, name: str = "") -> Column:
    """A decimal that is no money: quantity, rate, percentage."""
    return Column(path, ColumnType.NUMBER, description, name)


def integer(path: str, description: str, *, name: str = "") -> Column:
    """A whole number."""
    return Column(path, ColumnType.INTEGER, description, name)


def flag(path: str, description: str, *, name: str = "") -> Column:
    """A yes or no."""
    return Column(path, ColumnType.BOOLEAN, description, name)


def date(path: str, description: str, *, name: str = "") -> Column:
    """A calendar date."""
    return Column(path, ColumnType.DATE, description, name)


def timestamp(path: str, description: str, *, name: str = "") -> Column:
    """An instant in UTC."""
    return Column(path, ColumnType.TIMESTAMP, description, name)


def nested(path: str, description: str, *, name: str = "") -> Column:
    """Nested data kept as JSON."""
    return Column(path, ColumnType.JSON, description, name)
