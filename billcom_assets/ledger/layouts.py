"""The lists that a ledger can be loaded from: their columns, and how each accounting program writes them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from billcom_assets.ledger.account_types import AccountType, type_index
from billcom_assets.ledger.number_ranges import NumberRange, number_range
from billcom_assets.ledger.tables import Field, Layout, squeezed

_FOLDER = resources.files(__package__)
_STATED: dict[str, Any] = tomllib.loads(_FOLDER.joinpath("layouts.toml").read_text(encoding="utf-8"))

DIMENSION_KINDS: dict[str, list[str]] = _STATED["dimensions"]
"""Our name of each dimension, and what accounting programs call it."""

KIND_OF_DIMENSION = {word: kind for kind, words in DIMENSION_KINDS.items() for word in words}
"""Our name of a dimension by each of its names, in lower case."""

DIMENSION_LISTS = {"classes" if kind == "accounting_classes" else kind: kind for kind in DIMENSION_KINDS}
"""Our name of the dimension that each list of one kind holds."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a program writes one kind of list, beside its headers."""

    form: str = "csv"
    records: str = ""
    """Keyword of the records in a file that holds several lists."""
    type_from: tuple[str, ...] = ("type", "sub type")
    """Fields that state an account's type, the one that decides first; ``path`` is the full name."""
    types: Mapping[str, AccountType] = field(default_factory=dict)
    """Wordings that mean something else than, or nothing, in other programs."""
    ranges: tuple[NumberRange, ...] = ()
    """What the numbers of accounts say where the file has no type."""
    empty: frozenset[str] = frozenset()
    """Cells that stand for nothing."""
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Words, by field, on lines that are no records."""
    name_from: tuple[str, ...] = ()
    """Fields that a record without a name is named after."""
    nested_names: Literal["", "only", "never"] = ""
    """Whether records below others (``Customer:Job``) alone belong to the list, or never."""
    makes_parents: bool = False
    """Whether parents that have no record are made."""
    foreign_currencies: bool = False
    """Whether what stands for the currency may be a commodity, or several."""


@dataclass(frozen=True, slots=True)
class ProgramList:
    """One kind of list as one program writes it."""

    layout: Layout
    rules: Rules


def _fields(headers: Mapping[str, list[str]], required: Iterable[str]) -> tuple[Field, ...]:
    instead = {first: tuple(others) for first, *others in (one.split("|") for one in required)}
    return tuple(
        Field(name, tuple(words), name in instead, instead.get(name, ()), _ADVICE.get(name, ""))
        for name, words in headers.items()
    )


_ADVICE = {"type": "Where the program has no types, say what they are with --type-map FILE."}


def _layout(kind: str, stated: dict[str, Any]) -> Layout:
    headers = stated["headers"] | {name: _STATED["common"][name] for name in stated["common"]}
    return Layout(kind, _fields(headers, stated["required"]))


LAYOUTS = {kind: _layout(kind, stated) for kind, stated in _STATED["layouts"].items()}
"""The columns of each kind of list, whatever program wrote it."""


@cache
def _programs() -> dict[str, tuple[ProgramList, ...]]:
    """The lists of every program by their kind."""
    found: dict[str, list[ProgramList]] = {kind: [] for kind in LAYOUTS}
    for file in sorted(_FOLDER.joinpath("programs").iterdir(), key=lambda file: file.name):
        stated = tomllib.loads(file.read_text(encoding="utf-8"))
        name, form = stated.pop("name"), stated.pop("form", "csv")
        for kind, one in stated.items():
            found[kind].append(_program_list(name, form, kind, one))
    return {kind: tuple(lists) for kind, lists in found.items()}


def _program_list(program: str, form: str, kind: str, stated: dict[str, Any]) -> ProgramList:
    """The program's own headers first, then the usual ones that do not mean something else in it."""
    recognised_by = tuple(map(tuple, stated.pop("recognised_by", ())))
    own = dict(stated.pop("headers"))
    claimed = {squeezed(header) for headers in (*own.values(), stated.pop("ignored", [])) for header in headers}
    for one in LAYOUTS[kind].fields if form == "csv" else ():
        usual = [header for header in one.headers if squeezed(header) not in claimed]
        own[one.name] = [*own.get(one.name, ()), *usual]
    required = stated.pop("required", _STATED["layouts"][kind]["required"])
    layout = Layout(kind, _fields(own, required), program, recognised_by)
    return ProgramList(layout, Rules(form=form, **dict(_rules(stated))))


def _rules(stated: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in stated.items():
        match name:
            case "types":
                yield name, type_index({AccountType(type_): words for type_, words in value.items()})
            case "ranges":
                ranges = [number_range(text, AccountType(type_)) for text, type_ in value.items()]
                yield name, tuple(one for one in ranges if one is not None)
            case "left_out":
                yield name, {of: frozenset(word.casefold() for word in words) for of, words in value.items()}
            case "empty":
                yield name, frozenset(value)
            case _:
                yield name, tuple(value) if isinstance(value, list) else value


def layouts(kind: str, *, typed_elsewhere: bool = False) -> tuple[Layout, ...]:
    """The layouts in which a CSV file of this kind may be, those of no particular program last.

    With ``typed_elsewhere`` a chart of accounts needs no column of types.
    """
    found = (*(one.layout for one in _programs()[kind] if one.rules.form == "csv"), LAYOUTS[kind])
    return tuple(_without_types(layout) for layout in found) if typed_elsewhere else found


def _without_types(layout: Layout) -> Layout:
    def optional(one: Field) -> Field:
        return replace(one, required=False) if one.name in {"type", "sub type"} else one

    return replace(layout, fields=tuple(map(optional, layout.fields)))


def list_in_form(kind: str, form: str) -> ProgramList | None:
    """The list of a program that writes files of a form of its own; None when they hold no such list."""
    return next((one for one in _programs()[kind] if one.rules.form == form), None)


def rules_of(layout: Layout) -> Rules:
    """The rules that go with a layout."""
    return next((one.rules for one in _programs()[layout.kind] if one.layout.program == layout.program), Rules())
