"""Lists whose entries have parents: finding the parent that a file names, full names, circles and doubles."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from billcom_assets.ledger.problems import quoted

SEPARATOR = ":"
K = TypeVar("K")
MAX_LEVELS = 50
"""No ledger nests its lists deeper; a file that does is no ledger's."""
_NUMBERED = re.compile(r"(\S+) \N{MIDDLE DOT} (.+)")


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One entry as a file states it."""

    line: int
    number: str
    name: str
    """The name alone, or with its parents before it: ``Utilities:Electricity``."""
    parent: str
    """The parent's number, name or full name; empty for none."""


@dataclass(frozen=True, slots=True)
class ArrangedEntry:
    """An entry with its parent."""

    entry: ListEntry
    id: str
    """The number, or the full name without one."""
    number: str
    name: str
    """Without parents."""
    full_name: str
    parent_id: str | None


@dataclass(slots=True)
class _Node:
    entry: ListEntry
    number: str
    parts: tuple[str, ...]
    """Name and, before it, the parents that the name itself states."""
    parent: int | None = None

    @property
    def name(self) -> str:
        return self.parts[-1]

    def take_name_as_it_is(self) -> None:
        """For a name whose colons separate no parents."""
        self.parts = (" ".join(self.entry.name.split()),) if len(self.parts) > 1 else self.parts


ReportLine = Callable[[int, str], None]
"""Takes a line and what is wrong with it."""


def arrange(entries: Sequence[ListEntry], report: ReportLine, *, colons_may_be_plain: bool) -> list[ArrangedEntry]:
    """Finds every entry's parent and checks the whole.

    Args:
        entries: The file's entries.
        report: Takes unknown or ambiguous parents, circles, numbers used twice, and names used twice without a number.
        colons_may_be_plain: Whether a name with a colon whose first part is no entry is just such a name; otherwise
            its parent is unknown.

    Returns:
        The entries with their parents; only when nothing was reported are they all there.
    """
    nodes = [_node(entry) for entry in entries]
    _find_parents(nodes, report, colons_may_be_plain=colons_may_be_plain)
    unplaceable = _unplaceable(nodes, report)
    _report_doubles(nodes, unplaceable, report)
    names = full_names({i: (node.name, node.parent) for i, node in enumerate(nodes) if i not in unplaceable})
    return [
        _arranged(node, names[index], None if node.parent is None else (nodes[node.parent], names[node.parent]))
        for index, node in enumerate(nodes)
        if index in names and (node.parent is None or node.parent in names)
    ]


def full_names(entries: Mapping[K, tuple[str, K | None]]) -> dict[K, str]:
    """Full names by id of entries given as (name, parent id); a parent that is unknown or in a circle ends the name."""
    return {id_: SEPARATOR.join(reversed(list(_upwards(id_, entries.get)))) for id_ in entries}


def _upwards(id_: K, entry: Callable[[K], tuple[str, K | None] | None]) -> Iterator[str]:
    """The name of an entry and those of the parents above it."""
    seen: set[K] = set()
    current: K | None = id_
    while current is not None and current not in seen and len(seen) < MAX_LEVELS:
        found = entry(current)
        if found is None:
            return
        seen.add(current)
        name, current = found
        yield name


def same(text: str) -> str:
    """The form in which two names or numbers of one ledger are the same: case and spaces make no difference."""
    return " ".join(text.split()).casefold()


def _node(entry: ListEntry) -> _Node:
    number, parts = split_name(entry.name)
    return _Node(entry, entry.number or number, parts)


def split_name(text: str) -> tuple[str, tuple[str, ...]]:
    """A name split at its colons, and the number that QuickBooks Desktop writes before: "6000 · Rent:6010 · Hall"."""
    parts = [" ".join(part.split()) for part in text.split(SEPARATOR)]
    if not all(parts):
        return "", (" ".join(text.split()),)
    matches = [_NUMBERED.fullmatch(part) for part in parts]
    names = tuple(match.group(2) if match else part for part, match in zip(parts, matches, strict=True))
    return (matches[-1].group(1) if matches[-1] else ""), names


def _given(parts: Iterable[str]) -> str:
    return SEPARATOR.join(map(same, parts))


class _Index:
    """Where entries are found by number, by the name in the file, by full name and by name alone."""

    def __init__(self, nodes: Sequence[_Node]) -> None:
        self.nodes = nodes
        self.by_number: dict[str, list[int]] = defaultdict(list)
        self.by_given_name: dict[str, list[int]] = defaultdict(list)
        self.by_name: dict[str, list[int]] = defaultdict(list)
        self.by_label: dict[str, list[int]] = defaultdict(list)
        for index, node in enumerate(nodes):
            self.by_given_name[_given(node.parts)].append(index)
            self.by_name[same(node.name)].append(index)
            if node.number:
                self.by_number[same(node.number)].append(index)
                for joint in (" ", " - "):
                    self.by_label[same(f"{node.number}{joint}{node.name}")].append(index)

    def find(self, reference: str) -> list[int]:
        """Entries that ``reference`` may mean; the most specific reading that finds any decides."""
        parts = split_name(reference)[1]
        given = _given(parts)
        return (
            self.by_number.get(same(reference))
            or self.by_given_name.get(given)
            or [index for index in self.by_name.get(same(parts[-1]), ()) if self._path(index) == given]
            or (self.by_name.get(given) if len(parts) == 1 else None)
            or self.by_label.get(same(reference))
            or []
        )

    def _path(self, index: int) -> str:
        """The full name as far as parents have been found."""
        names = _upwards(index, lambda one: (self.nodes[one].name, self.nodes[one].parent))
        return _given(reversed(list(names)))


def _find_parents(nodes: list[_Node], report: ReportLine, *, colons_may_be_plain: bool) -> None:
    index = _Index(nodes)
    # Shorter references first: the full names that longer ones are compared with are then known.
    for node in sorted(nodes, key=lambda node: node.entry.parent.count(SEPARATOR)):
        if node.entry.parent:
            _take_named_parent(node, index, report)
        elif len(node.parts) > 1:
            _take_parent_in_name(node, index, report, colons_may_be_plain=colons_may_be_plain)


def _take_named_parent(node: _Node, index: _Index, report: ReportLine) -> None:
    found = index.find(node.entry.parent)
    if len(found) != 1:
        report(node.entry.line, _not_one(f"the parent {quoted(node.entry.parent)}", found, index.nodes))
        return
    node.parent = found[0]
    repeats_parent = len(node.parts) > 1 and same(node.parts[-2]) == same(index.nodes[found[0]].name)
    if not repeats_parent:
        node.take_name_as_it_is()


def _take_parent_in_name(node: _Node, index: _Index, report: ReportLine, *, colons_may_be_plain: bool) -> None:
    stated = SEPARATOR.join(node.parts[:-1])
    found = index.find(stated)
    if len(found) == 1:
        node.parent = found[0]
    elif not found and colons_may_be_plain:
        node.take_name_as_it_is()
    else:
        report(node.entry.line, _not_one(f"the parent {quoted(stated)} of {quoted(node.name)}", found, index.nodes))


def _not_one(what: str, found: list[int], nodes: Sequence[_Node]) -> str:
    if not found:
        return f"{what} is not in the file"
    lines = ", ".join(str(nodes[index].entry.line) for index in found[:5])
    return f"{what} may mean several entries (lines {lines}); name it by number or by its full name"


def _unplaceable(nodes: Sequence[_Node], report: ReportLine) -> set[int]:
    """Indexes of the entries in or below a circle or too deep down; each circle is reported once."""
    levels: dict[int, int | None] = {}
    for start in range(len(nodes)):
        trail: dict[int, None] = {}
        current: int | None = start
        while current is not None and current not in levels and current not in trail:
            trail[current] = None
            current = nodes[current].parent
        if current in trail:
            _report_circle([*trail][[*trail].index(current) :], nodes, report)
        level = 0 if current is None else levels.get(current)
        for index in reversed(trail):
            level = None if level is None else level + 1
            levels[index] = level
            if level == MAX_LEVELS + 1:
                report(nodes[index].entry.line, f"{quoted(nodes[index].name)} is more than {MAX_LEVELS} levels down")
    return {index for index, level in levels.items() if level is None or level > MAX_LEVELS}


def _report_circle(circle: Sequence[int], nodes: Sequence[_Node], report: ReportLine) -> None:
    names = [quoted(nodes[index].name) for index in (*circle[:6], circle[0])]
    report(nodes[circle[0]].entry.line, f"the parents go round in a circle: {' > '.join(names)}")


def _report_doubles(nodes: Sequence[_Node], unplaceable: set[int], report: ReportLine) -> None:
    numbers: dict[str, int] = {}
    names: dict[tuple[int | None, str], int] = {}
    for index, node in enumerate(nodes):
        line = node.entry.line
        if node.number:
            first = numbers.setdefault(same(node.number), line)
            if first != line:
                report(line, f"the number {quoted(node.number)} is used on line {first} already")
        if node.number or index in unplaceable:
            # Equal names are fine where a number tells them apart.
            continue
        first = names.setdefault((node.parent, same(node.name)), line)
        if first != line:
            where = "" if node.parent is None else f" under {quoted(nodes[node.parent].name)}"
            report(line, f"the name {quoted(node.name)}{where} is used on line {first} already")


def _id(node: _Node, full_name: str) -> str:
    return node.number or full_name


def _arranged(node: _Node, full_name: str, parent: tuple[_Node, str] | None) -> ArrangedEntry:
    return ArrangedEntry(
        entry=node.entry,
        id=_id(node, full_name),
        number=node.number,
        name=node.name,
        full_name=full_name,
        parent_id=None if parent is None else _id(*parent),
    )
